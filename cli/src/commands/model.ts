import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Model, ModelAlias, ModelAliasMove, ModelDetails } from '@sluice/contract';
import { Refused } from '@sluice/contract/client';
import type { Context } from '../context.ts';
import { Exit, exitCodes } from '../exit.ts';
import { bytes, printFields, printJson, printTable, say, when, type Columns } from '../output.ts';
import { Progress } from '../progress.ts';
import { upload } from '../upload.ts';

const at = (reference: string): string => `/v1/models/${encodeURIComponent(reference)}`;
const versionAt = (name: string, version: string): string => `${at(name)}/versions/${encodeURIComponent(version)}`;

const columns: Columns<Model> = {
  id: (model) => model.id,
  version: (model) => model.version,
  status: (model) => model.status,
  executor: (model) => model.executor,
  aliases: (model) => model.aliases.join(','),
  tags: (model) => model.tags.join(','),
  size: (model) => (model.file ? bytes(model.file.bytes) : ''),
  owner: (model) => model.owned_by,
  reason: (model) => model.reason,
};

const ports = (list: ModelDetails['inputs']): string | null =>
  list?.map(({ name, type, shape }) => `${name} ${type}[${shape.map((size) => (size === '' ? '?' : size)).join(', ')}]`).join('; ') ?? null;

const show = ({ terminal, fields }: Context, model: ModelDetails): void => {
  if (fields) return printJson(terminal, model, fields);
  printFields(terminal, {
    id: model.id,
    version: model.version,
    status: model.status,
    reason: model.reason,
    executor: model.executor,
    inputs: ports(model.inputs),
    outputs: ports(model.outputs),
    aliases: model.aliases.join(', '),
    tags: model.tags.join(', '),
    file: model.file && `${model.file.filename ?? ''} ${bytes(model.file.bytes)} ${model.file.sha256}`.trim(),
    created: model.declared ? 'declared in the configuration' : `${when(model.created)} by ${model.owned_by}`,
  });
};

const report = ({ terminal, quiet }: Context, { report: found }: ModelDetails): void => {
  if (quiet || found === null) return;
  for (const { name, status, ms, message, hint } of found.steps) {
    say(terminal, `${status.padEnd(7)}  ${name} (${Math.round(ms)} ms)${message ? `: ${message}` : ''}`);
    if (hint) say(terminal, `         ${hint}`);
  }
};

const over = (model: ModelDetails): boolean => !['pending', 'uploaded', 'validating'].includes(model.status);

/** Until vetting has ended, or the seconds are over. */
const vetted = async ({ client, terminal, quiet }: Context, path: string, seconds: number): Promise<ModelDetails> => {
  const progress = new Progress(terminal, quiet);
  const until = Date.now() + seconds * 1_000;
  try {
    for (;;) {
      const model = await client.get<ModelDetails>(path);
      if (over(model)) return model;
      if (Date.now() > until)
        throw new Exit(
          exitCodes.timeout,
          `${model.id} is '${model.status}' after ${seconds} seconds.`,
          'A worker vets it; `sluice workers list` shows whether one runs.',
        );
      progress.show(`${model.id} is ${model.status}`, Date.now());
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  } finally {
    progress.end();
  }
};

const end = (context: Context, model: ModelDetails): void => {
  report(context, model);
  show(context, model);
  if (model.status === 'failed') throw new Exit(exitCodes.error, `${model.id} was refused: ${model.reason ?? 'the report says why'}`);
};

export interface PushOptions {
  name: string;
  version: string;
  card?: string;
  tag?: string[];
  options?: string;
  wait: boolean;
  timeout: number;
}

const parsed = (option: string, text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Exit(exitCodes.error, `${option}: JSON was expected.`);
  }
};

/** Registers a version unless it is, uploads its file, and waits until it has been vetted. */
export const push = async (context: Context, file: string, options: PushOptions): Promise<void> => {
  const { client, terminal, quiet } = context;
  const { size } = await stat(file);
  if (size === 0) throw new Exit(exitCodes.error, `${file} is empty.`);
  const path = versionAt(options.name, options.version);
  try {
    await client.post('/v1/models', {
      name: options.name,
      version: options.version,
      ...(options.card !== undefined && { card: await readFile(options.card, 'utf8') }),
      ...(options.tag && { tags: options.tag }),
      ...(options.options !== undefined && { options: parsed('--options', options.options) }),
    });
  } catch (error) {
    // Registered before, and without a file that was found good: this push goes on where that one ended.
    const known = error instanceof Refused && error.status === 409 ? await client.get<ModelDetails>(path).catch(() => null) : null;
    if (known === null || !['pending', 'uploaded', 'failed'].includes(known.status)) throw error;
  }
  const progress = new Progress(terminal, quiet);
  const onProgress = (sent: number) => progress.show(`uploading ${bytes(sent)} of ${bytes(size)}`, Date.now());
  const source = { name: basename(file), bytes: size, open: () => createReadStream(file, { end: size - 1 }) };
  const sent = await upload(client, source, { purpose: 'user_data', onProgress }).finally(() => progress.end());
  try {
    await client.post(`${path}/upload`, { file_id: sent.id });
  } finally {
    await client.delete(`/v1/files/${sent.id}`).catch(() => {});
  }
  if (options.wait) end(context, await vetted(context, path, options.timeout));
  else show(context, await client.get<ModelDetails>(path));
};

/** What vetting found, step by step; waits while it goes on. */
export const validate = async (context: Context, reference: string, { timeout }: { timeout: number }): Promise<void> =>
  end(context, await vetted(context, at(reference), timeout));

export const list = async (
  { client, terminal, fields }: Context,
  { limit, ...filter }: { limit: number; status?: string; tag?: string; search?: string },
): Promise<void> => {
  const { search, ...rest } = filter;
  const { data } = await client.get<{ data: Model[] }>('/v1/models', { ...rest, q: search, limit });
  if (fields) printJson(terminal, data, fields);
  else printTable(terminal, data, columns);
};

export const get = async (context: Context, reference: string): Promise<void> =>
  show(context, await context.client.get<ModelDetails>(at(reference)));

export const versions = async ({ client, terminal, fields }: Context, name: string): Promise<void> => {
  const { data } = await client.get<{ data: Model[] }>(`${at(name)}/versions`);
  if (fields) printJson(terminal, data, fields);
  else printTable(terminal, data, { ...columns, since: (model) => (model.status_at === null ? null : when(Math.floor(model.status_at))) });
};

export interface AliasOptions {
  history?: boolean;
  rollback?: boolean;
  remove?: boolean;
}

const aliasColumns: Columns<ModelAlias> = {
  alias: ({ alias }) => alias,
  version: ({ version }) => version,
  moved: ({ moved_at }) => when(moved_at),
  by: ({ moved_by }) => moved_by,
};

const moveColumns: Columns<ModelAliasMove> = {
  at: (move) => when(move.at),
  by: (move) => move.by,
  from: (move) => move.from,
  to: (move) => move.to,
  rollback: (move) => (move.rollback ? 'rollback' : move.rolled_back ? 'rolled back' : ''),
};

/** Lists a model's aliases, shows one, or makes it mean a version. */
export const alias = async (
  { client, terminal, fields }: Context,
  name: string,
  word: string | undefined,
  version: string | undefined,
  { history, rollback, remove }: AliasOptions,
): Promise<void> => {
  const all = `${at(name)}/aliases`;
  const one = `${all}/${encodeURIComponent(word ?? '')}`;
  const rows = <T>(items: T[], shown: Columns<T>): void =>
    fields ? printJson(terminal, items, fields) : printTable(terminal, items, shown);
  if (word === undefined) return rows((await client.get<{ data: ModelAlias[] }>(all)).data, aliasColumns);
  if (history) return rows((await client.get<{ data: ModelAliasMove[] }>(`${one}/history`)).data, moveColumns);
  if (remove) {
    await client.delete(one);
    return say(terminal, `${name}@${word} is gone.`);
  }
  const found = rollback
    ? await client.post<ModelAlias>(`${one}/rollback`)
    : version === undefined
      ? await client.get<ModelAlias>(one)
      : ((await (await client.call('PUT', one, { body: { version } })).json()) as ModelAlias);
  if (fields) printJson(terminal, found, fields);
  else
    printFields(terminal, {
      alias: `${name}@${found.alias}`,
      version: found.version,
      moved: `${when(found.moved_at)} by ${found.moved_by}`,
    });
};

/** A version; by a name alone, all of the model's that are ready. */
export const archive = async (context: Context, reference: string, { restore }: { restore?: boolean }): Promise<void> => {
  const [name, version] = reference.split('@');
  if (restore && version === undefined) throw new Exit(exitCodes.error, 'Which version is to be restored?', `Write ${name}@1.0.0.`);
  const path = version === undefined ? at(name!) : versionAt(name!, version);
  show(context, await context.client.post<ModelDetails>(`${path}/${restore ? 'restore' : 'archive'}`));
};

/** One row, answered at once. */
export const predict = async ({ client, terminal, fields }: Context, reference: string, inputs: string): Promise<void> => {
  const text = inputs.startsWith('@') ? await readFile(inputs.slice(1), 'utf8') : inputs;
  const answer = await client.post<{ outputs?: unknown }>(
    '/v1/predict',
    { model: reference, inputs: parsed('the inputs', text) },
    { repeat: true },
  );
  printJson(terminal, fields ? answer : (answer.outputs ?? answer), fields ?? true);
};
