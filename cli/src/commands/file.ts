import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { FileObject } from '@sluice/contract';
import { confirm } from '../confirm.ts';
import type { Context } from '../context.ts';
import { download } from '../download.ts';
import { bytes, printFields, printJson, printTable, say, when, type Columns } from '../output.ts';
import { Progress } from '../progress.ts';
import { fileOrStdin } from '../spool.ts';
import { upload } from '../upload.ts';

const columns: Columns<FileObject> = {
  id: (file) => file.id,
  name: (file) => file.filename,
  purpose: (file) => file.purpose,
  bytes: (file) => file.bytes,
  created: (file) => when(file.created_at),
  expires: (file) => when(file.expires_at),
};

const show = ({ terminal, fields }: Context, file: FileObject): void => {
  if (fields) return printJson(terminal, file, fields);
  const { id, filename, purpose, sha256, created_by } = file;
  printFields(terminal, {
    id,
    name: filename,
    purpose,
    size: bytes(file.bytes),
    sha256,
    created: `${when(file.created_at)} by ${created_by}`,
    expires: when(file.expires_at),
  });
};

export const list = async (
  { client, terminal, fields }: Context,
  { limit, purpose }: { limit: number; purpose?: string },
): Promise<void> => {
  const files: FileObject[] = [];
  for await (const file of client.list<FileObject>('/v1/files', { limit: Math.min(limit, 10_000), purpose })) {
    files.push(file);
    if (files.length >= limit) break;
  }
  if (fields) printJson(terminal, files, fields);
  else printTable(terminal, files, columns);
};

export const get = async (context: Context, id: string): Promise<void> =>
  show(context, await context.client.get<FileObject>(`/v1/files/${id}`));

export const send = async (context: Context, input: string, { purpose, name }: { purpose: string; name?: string }): Promise<void> => {
  const progress = new Progress(context.terminal, context.quiet);
  const file = await fileOrStdin(input, async (path) => {
    const { size } = await stat(path);
    const onProgress = (sent: number) => progress.show(`uploading ${bytes(sent)} of ${bytes(size)}`, Date.now());
    const source = { name: name ?? basename(path), bytes: size, open: () => createReadStream(path) };
    return await upload(context.client, source, { purpose, onProgress }).finally(() => progress.end());
  });
  show(context, file);
};

export const fetchTo = async ({ client, terminal, quiet }: Context, id: string, { out }: { out?: string }): Promise<void> => {
  const target = out ?? (terminal.out.isTTY ? (await client.get<FileObject>(`/v1/files/${id}`)).filename : '-');
  const file = await download(client, id, target, terminal.out);
  if (target !== '-' && !quiet) say(terminal, `${bytes(file.bytes)} in ${target}`);
};

export const remove = async ({ client, terminal, fields, quiet }: Context, id: string, { yes }: { yes?: boolean }): Promise<void> => {
  await confirm(`Delete ${id}?`, yes);
  const deleted = await client.delete<Record<string, unknown>>(`/v1/files/${id}`);
  if (fields) printJson(terminal, deleted, fields);
  else if (!quiet) say(terminal, `${id} is deleted.`);
};
