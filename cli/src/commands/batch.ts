import { randomUUID } from 'node:crypto';
import { rename } from 'node:fs/promises';
import type { Batch, BatchPreview, BatchRepair, CompletionRepair, DryRun, Explanation } from '@sluice/contract';
import { confirm } from '../confirm.ts';
import type { Context } from '../context.ts';
import { Exit, exitCodes } from '../exit.ts';
import { collect, judge, summary, untilEnd } from '../follow.ts';
import { fromUrl } from './run.ts';
import { fileOrStdin, toFile } from '../spool.ts';
import { isUrl, prepare } from '../input.ts';
import { count, duration, printFields, printJson, printLine, printTable, say, when, type Columns } from '../output.ts';
import { settled } from '../progress.ts';
import { bodyOf, type Settings } from '../settings.ts';
import { formatOf } from '../table.ts';
import { upload } from '../upload.ts';

const columns: Columns<Batch> = {
  id: (batch) => batch.id,
  name: (batch) => batch.name,
  status: (batch) => batch.status,
  done: ({ request_counts: c, ...batch }) => (c.total === 0 ? '' : `${settled({ request_counts: c, ...batch })}/${c.total}`),
  failed: (batch) => batch.request_counts.failed,
  model: (batch) => batch.model ?? batch.models.join(','),
  created: (batch) => when(batch.created_at),
  by: (batch) => batch.created_by,
};

const show = ({ terminal, fields }: Context, batch: Batch): void => {
  if (fields) return printJson(terminal, batch, fields);
  const { total, completed, failed, cancelled, expired } = batch.request_counts;
  printFields(terminal, {
    id: batch.id,
    name: batch.name,
    status: batch.status,
    requests: `${count(total)} in all, ${count(completed)} completed, ${count(failed)} failed, ${count(cancelled)} cancelled, ${count(expired)} expired`,
    endpoint: batch.endpoint,
    models: batch.models.join(', '),
    route: batch.route === null ? null : `${batch.route.target}${batch.route.series === null ? '' : `/${batch.route.series}`}`,
    'part of': batch.parent,
    batches: batch.children.map(({ id, label, status }) => `${label} ${status} (${id})`).join(', '),
    priority: batch.priority,
    created: `${when(batch.created_at)} by ${batch.created_by}`,
    started: when(batch.in_progress_at),
    deadline: `${when(batch.expires_at)} (${batch.completion_window})`,
    ended: when(batch.completed_at ?? batch.failed_at ?? batch.cancelled_at ?? batch.expired_at),
    input: batch.input_file_id,
    output: batch.output_file_id,
    errors: batch.error_file_id,
    continues: batch.continues,
    'continued by': batch.continued_by.join(', '),
    refused: batch.errors?.data.map(({ line, message }) => `${line === null ? '' : `line ${line}: `}${message}`).join('; '),
  });
};

export interface ListOptions {
  status?: string;
  user?: string;
  limit: number;
}

export const list = async ({ client, terminal, fields }: Context, { limit, ...filter }: ListOptions): Promise<void> => {
  const batches: Batch[] = [];
  for await (const batch of client.list<Batch>('/v1/batches', { ...filter, limit: Math.min(limit, 100) })) {
    batches.push(batch);
    if (batches.length >= limit) break;
  }
  if (fields) printJson(terminal, batches, fields);
  else printTable(terminal, batches, columns);
};

export const get = async (context: Context, id: string): Promise<void> =>
  show(context, await context.client.get<Batch>(`/v1/batches/${id}`));

/** Repeats are safe: a reply that was lost does not make a second batch. */
const create = (context: Context, body: Record<string, unknown>, path = '/v1/batches') =>
  context.client.post<Batch>(path, body, { headers: { 'idempotency-key': randomUUID() } });

export const createFrom = async (context: Context, input: string, settings: Settings & { model?: string }): Promise<void> => {
  const fields = bodyOf({ window: '24h', ...settings });
  if (input.startsWith('file-')) {
    if (!settings.endpoint && !settings.model && !settings.models && !settings.route)
      throw new Exit(exitCodes.error, 'The endpoint of the file is not known.', 'Say so: --endpoint /v1/predict');
    const model = settings.model === undefined ? {} : { model: settings.model };
    return show(context, await create(context, { ...fields, ...model, input_file_id: input }));
  }
  if (isUrl(input)) return show(context, await create(context, { ...fromUrl(input, settings), ...fields }));
  await fileOrStdin(input, async (path) => {
    const prepared = await prepare(path, settings);
    const file = await upload(context.client, prepared, { purpose: 'batch' });
    const model = prepared.table && settings.model ? { model: settings.model } : {};
    show(context, await create(context, { endpoint: prepared.endpoint, ...model, ...fields, input_file_id: file.id }));
  });
};

/** What a table was taken for, and how many of its rows are not as they should be. */
const tableWords = ({ format, columns, refused, duplicates }: NonNullable<DryRun['table']>): string => {
  const read = Object.entries(columns).map(([input, from]) => `${input} from ${String(from)}`);
  return `${[format, ...read].join(', ')}; rows with a problem: ${count(refused)}, that repeat an earlier one: ${count(duplicates)}`;
};

/** The whole validation and an estimate; the file does not stay on the server. */
export const validate = async (context: Context, input: string, settings: Settings & { model?: string }): Promise<void> => {
  const { client, terminal, fields } = context;
  const result = await fileOrStdin(input, async (path) => {
    const prepared = await prepare(path, settings);
    const file = await upload(client, prepared, { purpose: 'batch' });
    try {
      const model = prepared.table && settings.model ? { model: settings.model } : {};
      const body = { endpoint: prepared.endpoint, ...model, ...bodyOf({ window: '24h', ...settings }), input_file_id: file.id };
      return await client.post<DryRun>('/v1/batches', body, { query: { dry_run: true }, repeat: true });
    } finally {
      await client.delete(`/v1/files/${file.id}`);
    }
  });
  if (fields) printJson(terminal, result, fields);
  else {
    for (const { line, code, message } of result.errors?.data ?? []) terminal.out.write(`${line ?? ''}\t${code}\t${message}\n`);
    if (result.valid) {
      const rates = result.models.map(
        ({ model, lines, rate, measured }) => `${model}: ${count(lines)} lines at ${count(rate)}/s${measured ? '' : ' (a guess)'}`,
      );
      printFields(terminal, {
        lines: count(result.lines),
        models: rates.join(', '),
        workers: result.workers,
        table: result.table === null ? null : tableWords(result.table),
        takes: result.estimated_seconds === null ? null : `about ${duration(result.estimated_seconds)}`,
      });
    }
  }
  if (!result.valid)
    throw new Exit(exitCodes.error, `${count(result.errors?.total ?? 0)} of ${count(result.lines)} lines would be refused.`);
};

/** What a create of it would come to; the file does not stay on the server. */
export const preview = async (context: Context, input: string, settings: Settings & { model?: string }): Promise<void> => {
  const { client, terminal, fields } = context;
  const found = await fileOrStdin(input, async (path) => {
    const prepared = await prepare(path, settings);
    const file = await upload(client, prepared, { purpose: 'batch' });
    try {
      const body = { endpoint: prepared.endpoint, ...bodyOf({ window: '24h', ...settings }), input_file_id: file.id };
      return await client.post<BatchPreview>('/v1/batches/preview', body, { repeat: true });
    } finally {
      await client.delete(`/v1/files/${file.id}`);
    }
  });
  if (fields) printJson(terminal, found, fields);
  else {
    for (const { line, code, message } of found.errors?.data ?? []) terminal.out.write(`${line ?? ''}\t${code}\t${message}\n`);
    printFields(terminal, {
      lines: count(found.lines),
      requests: `${count(found.requests)}: ${found.models.map(({ model, requests }) => `${model} ${count(requests)}`).join(', ')}`,
      ...Object.fromEntries(
        found.pools.map(({ pool, worker_seconds, seconds, cost, workers, takes }) => [
          pool,
          takes
            ? `${duration(worker_seconds)} of a worker, cost ${cost.toPrecision(3)}; ${seconds === null ? 'no worker is there' : `${duration(seconds)} with the ${workers} there`}`
            : 'not asked for',
        ]),
      ),
      quotas: found.quotas.map(({ scope, what, left }) => `${scope} ${what.replace('_', ' ')}: ${count(left)} left`).join(', '),
    });
  }
  if (!found.valid) throw new Exit(exitCodes.error, 'It would be refused, or some of its lines would.');
};

/** The batches of one of several models. */
export const children = async ({ client, terminal, fields }: Context, id: string): Promise<void> => {
  const { data } = await client.get<{ data: Batch[] }>(`/v1/batches/${id}/children`);
  if (fields) printJson(terminal, data, fields);
  else printTable(terminal, data, columns);
};

export interface WatchOptions {
  out?: string;
  timeout?: number;
  failOnError?: boolean;
}

/** Progress until the end; with `--json` the events themselves, one a line. */
export const watch = async (context: Context, id: string, { out, timeout, failOnError = false }: WatchOptions): Promise<void> => {
  const { client, terminal, fields } = context;
  const detach = new AbortController();
  process.once('SIGINT', () => detach.abort());
  const seen = new AbortController();
  const events = fields ? follow(context, id, fields, seen.signal) : Promise.resolve();
  try {
    const batch = await untilEnd(client, id, terminal, { timeout, signal: detach.signal, quiet: context.quiet || fields !== null });
    // The stream ends by itself once the batch's last event went out.
    await events;
    if (!context.quiet) say(terminal, summary(batch));
    if (out && batch.status !== 'failed') for (const sentence of await collect(client, batch, out, terminal)) say(terminal, sentence);
    judge(batch, failOnError);
  } finally {
    seen.abort();
    await events.catch(() => {});
  }
};

const last = new Set(['batch.completed', 'batch.failed', 'batch.cancelled', 'batch.expired']);

const follow = async (
  { client, terminal }: Context,
  id: string,
  fields: NonNullable<Context['fields']>,
  signal: AbortSignal,
): Promise<void> => {
  let lastId: string | null = null;
  while (!signal.aborted) {
    for await (const event of client.events(`/v1/batches/${id}/events`, { lastId, signal })) {
      lastId = event.id ?? lastId;
      printLine(terminal, { id: event.id, event: event.event, data: event.data }, fields);
      if (last.has(event.event)) return;
    }
  }
};

export const cancel = async (context: Context, id: string, { abort }: { abort?: boolean }): Promise<void> =>
  show(context, await context.client.post<Batch>(`/v1/batches/${id}/cancel`, abort ? { mode: 'abort' } : {}));

export interface RetryOptions extends Settings {
  states?: string[];
  codes?: string[];
  lines?: string[];
}

export const retry = async (context: Context, id: string, { states, codes, lines, ...settings }: RetryOptions): Promise<void> => {
  const filter = { ...(states ? { states } : {}), ...(codes ? { codes } : {}), ...(lines ? { lines: lines.map(Number) } : {}) };
  show(context, await create(context, { ...bodyOf(settings), ...filter }, `/v1/batches/${id}/retry`));
};

export const clone = async (context: Context, id: string, { file, ...settings }: Settings & { file?: string }): Promise<void> => {
  const clone = (input?: string) =>
    create(context, { ...bodyOf(settings), ...(input ? { input_file_id: input } : {}) }, `/v1/batches/${id}/clone`);
  if (file === undefined || file.startsWith('file-')) return show(context, await clone(file));
  await fileOrStdin(file, async (path) => {
    const { endpoint } = await context.client.get<Batch>(`/v1/batches/${id}`);
    const sent = await upload(context.client, await prepare(path, { endpoint }), { purpose: 'batch' });
    show(context, await clone(sent.id));
  });
};

/** What a batch has written; while it runs, what there is so far. */
export const downloadOf = async ({ client, terminal, quiet }: Context, id: string, { out }: { out: string }): Promise<void> => {
  const batch = await client.get<Batch>(`/v1/batches/${id}`);
  if (batch.completed_at ?? batch.cancelled_at ?? batch.expired_at ?? batch.failed_at) {
    for (const sentence of await collect(client, batch, out, terminal)) if (!quiet) say(terminal, sentence);
    return;
  }
  if (formatOf(out) !== null)
    throw new Exit(
      exitCodes.error,
      'A table is made when the batch has ended.',
      `Until then its lines: sluice batch download ${id} --out results.jsonl`,
    );
  const reply = await client.call('GET', `/v1/batches/${id}/output`, { headers: { accept: 'application/jsonl' } });
  if (out === '-') for await (const chunk of reply.body ?? []) terminal.out.write(chunk);
  else {
    await toFile(reply.body, `${out}.part`);
    await rename(`${out}.part`, out);
  }
  say(terminal, `${id} is ${batch.status}: this is what it has written so far.`);
};

export const remove = async ({ client, terminal, fields, quiet }: Context, id: string, { yes }: { yes?: boolean }): Promise<void> => {
  await confirm(`Delete ${id} and its files?`, yes);
  const deleted = await client.delete<Record<string, unknown>>(`/v1/batches/${id}`);
  if (fields) printJson(terminal, deleted, fields);
  else if (!quiet) say(terminal, `${id} is deleted.`);
};

/** Why it is where it is, and what will move it. */
export const explain = async ({ client, terminal, fields }: Context, id: string): Promise<void> => {
  const found = await client.get<Explanation>(`/v1/batches/${id}/explain`);
  if (fields) return printJson(terminal, found, fields);
  terminal.out.write(`${found.id} is ${found.status}${found.stalled ? ', and stalled' : ''}. ${found.summary}\n`);
  const part = (title: string, lines: readonly string[]) => {
    if (lines.length > 0) terminal.out.write(`${title}:\n${lines.map((line) => `  ${line}\n`).join('')}`);
  };
  part(
    'Why',
    found.reasons.map(({ text }) => text),
  );
  part('Next', found.next);
};

/** One batch, or all of the tenant's that are stuck. */
export const repair = async (
  { client, terminal, fields, quiet }: Context,
  id: string | undefined,
  { allStuck = false }: { allStuck?: boolean },
): Promise<void> => {
  if ((id === undefined) !== allStuck) throw new Exit(exitCodes.error, 'Say which batch to repair.', 'Give either its id or --all-stuck.');
  // Safe to repeat, so that a reply that was lost is asked for again.
  const reply =
    id === undefined
      ? await client.post<CompletionRepair>('/v1/completion/repair', undefined, { repeat: true })
      : await client.post<BatchRepair>(`/v1/batches/${id}/repair`, undefined, { repeat: true });
  if (fields) return printJson(terminal, reply, fields);
  const repaired = reply.object === 'batch.repair' ? [reply] : reply.data;
  for (const batch of repaired) for (const { count: n, text } of batch.done) terminal.out.write(`${batch.id}\t${count(n)}\t${text}\n`);
  if (!quiet && repaired.every(({ done }) => done.length === 0))
    say(
      terminal,
      id === undefined ? 'No batch is stuck.' : `There was nothing to repair; \`sluice batch explain ${id}\` says how it stands.`,
    );
};
