import { rename } from 'node:fs/promises';
import type { DeadLetter, DeadLetterCause, DeadLetterDetails, DiscardedDeadLetters } from '@sluice/contract';
import { confirm } from '../confirm.ts';
import type { Context } from '../context.ts';
import { Exit, exitCodes } from '../exit.ts';
import { count, printFields, printJson, printTable, say, when, type Columns } from '../output.ts';
import { toFile } from '../spool.ts';
import { filterOf, type FilterOptions } from './bulk.ts';

const columns: Columns<DeadLetter> = {
  id: (letter) => letter.id,
  'custom id': (letter) => letter.custom_id,
  model: (letter) => letter.model,
  attempts: (letter) => letter.attempts,
  died: (letter) => when(letter.died_at),
  status: (letter) => letter.status,
  code: (letter) => letter.code,
  message: (letter) => letter.message,
};

const causes: Columns<DeadLetterCause> = {
  count: (row) => row.count,
  batches: (row) => row.batches,
  code: (row) => row.code,
  cause: (row) => row.cause,
  first: (row) => when(row.first_seen),
  last: (row) => when(row.last_seen),
  sample: (row) => row.sample,
};

export interface ListOptions extends FilterOptions {
  status?: string;
  causes?: boolean;
  out?: string;
  limit: number;
}

/** The letters; with `--causes` counted by why they died, with `--out` whole, with what was sent. */
export const list = async (context: Context, { status, causes: grouped, out, limit, ...options }: ListOptions): Promise<void> => {
  const { client, terminal, fields } = context;
  const query = { ...filterOf(options), status };
  if (out !== undefined) return download(context, query, out);
  const most = Math.min(limit, 100);
  if (grouped) {
    const { data } = await client.get<{ data: DeadLetterCause[] }>('/v1/dead_letters', { ...query, group: 'cause', limit: most });
    return fields ? printJson(terminal, data, fields) : printTable(terminal, data, causes);
  }
  const letters: DeadLetter[] = [];
  for await (const letter of client.list<DeadLetter>('/v1/dead_letters', { ...query, limit: most })) {
    letters.push(letter);
    if (letters.length >= limit) break;
  }
  if (fields) printJson(terminal, letters, fields);
  else printTable(terminal, letters, columns);
};

const download = async ({ client, terminal }: Context, query: Record<string, string | number | undefined>, out: string): Promise<void> => {
  const reply = await client.call('GET', '/v1/dead_letters/download', { query, headers: { accept: 'application/x-ndjson' } });
  if (out === '-') for await (const chunk of reply.body ?? []) terminal.out.write(chunk);
  else {
    await toFile(reply.body, `${out}.part`);
    await rename(`${out}.part`, out);
  }
};

export const show = async ({ client, terminal, fields }: Context, id: string): Promise<void> => {
  const letter = await client.get<DeadLetterDetails>(`/v1/dead_letters/${id}`);
  if (fields) return printJson(terminal, letter, fields);
  printFields(terminal, {
    id: letter.id,
    'custom id': letter.custom_id,
    batch: `${letter.batch_id}, line ${letter.line}`,
    model: letter.model,
    status: letter.status,
    died: when(letter.died_at),
    error: `${letter.code}: ${letter.message}`,
    cause: letter.cause,
    'run again as': letter.redriven_as,
    discarded: letter.discarded_at === null ? null : `${when(letter.discarded_at)} by ${letter.discarded_by}: ${letter.discard_reason}`,
    input: letter.input === null ? null : JSON.stringify(letter.input),
  });
  for (const attempt of letter.history)
    terminal.out.write(`attempt ${attempt.number}\t${attempt.kind}\t${attempt.code}\t${attempt.message}\n`);
};

export interface DiscardOptions extends FilterOptions {
  reason: string;
  exclude?: string[];
  yes?: boolean;
}

/** Gives dead letters up: they are marked, and left out of lists. */
export const discard = async (context: Context, ids: string[], { reason, exclude, yes, ...options }: DiscardOptions): Promise<void> => {
  const filter = filterOf(options);
  if (ids.length === 0 && Object.keys(filter).length === 0)
    throw new Exit(exitCodes.error, 'Nothing was chosen.', 'Name ids, or filter: --code upstream_error, --batch batch_….');
  await confirm(
    ids.length > 0 ? `Discard ${count(ids.length)} dead letters?` : `Discard all dead letters of ${JSON.stringify(filter)}?`,
    yes,
  );
  const body = { ...(ids.length > 0 ? { ids } : { filter }), ...(exclude && { exclude }), reason };
  const done = await context.client.post<DiscardedDeadLetters>('/v1/dead_letters/discard', body, { repeat: true });
  if (context.fields) printJson(context.terminal, done, context.fields);
  else say(context.terminal, `${count(done.discarded)} discarded, ${count(done.skipped)} skipped.`);
};
