import type { BulkItem, BulkOperation, BulkPreview } from '@sluice/contract';
import { confirm } from '../confirm.ts';
import type { Context } from '../context.ts';
import { Exit, exitCodes } from '../exit.ts';
import { count, printFields, printJson, printTable, say, when, type Columns } from '../output.ts';
import { bodyOf, timeOf } from '../settings.ts';

export interface FilterOptions {
  batch?: string;
  model?: string;
  code?: string;
  cause?: string;
  user?: string;
  search?: string;
  since?: string;
  until?: string;
}

/** The options as a filter's fields; what was not given is left out. */
export const filterOf = ({ batch, model, code, cause, user, search, since, until }: FilterOptions): Record<string, string | number> =>
  Object.fromEntries(
    Object.entries({ batch, model, code, cause, user, q: search, since: timeOf('--since', since), until: timeOf('--until', until) }).filter(
      (entry): entry is [string, string | number] => entry[1] !== undefined,
    ),
  );

export interface RunOptions extends FilterOptions {
  on?: 'batches' | 'requests';
  status?: string[];
  state?: string[];
  exclude?: string[];
  perSecond?: number;
  window?: string;
  priority?: string;
  deadline?: string;
  abort?: boolean;
  again?: boolean;
  reason?: string;
  yes?: boolean;
  wait?: boolean;
  dryRun?: boolean;
}

const bodyFor = (action: string, ids: readonly string[], options: RunOptions): Record<string, unknown> => {
  const { on, status, state, exclude, perSecond, window, priority, deadline, abort, again, reason } = options;
  const filter = { ...filterOf(options), ...(status && { status }), ...(state && { state }) };
  if (ids.length === 0 && Object.keys(filter).length === 0)
    throw new Exit(
      exitCodes.error,
      'Nothing was chosen.',
      'Name ids, or filter: --status in_progress, --search nightly, --code upstream_error.',
    );
  const until = timeOf('--deadline', deadline);
  return {
    on: on ?? (action === 'redrive' || ids[0]?.startsWith('batch_req_') ? 'requests' : 'batches'),
    action,
    ...(ids.length > 0 ? { ids } : { filter }),
    ...(exclude && { exclude }),
    options: {
      ...bodyOf({ ...(window && { window }), ...(priority && { priority }) }),
      ...(perSecond && { per_second: perSecond }),
      ...(until !== undefined && { deadline: until }),
      ...(abort && { mode: 'abort' }),
      ...(again && { again }),
    },
    ...(reason && { reason }),
  };
};

const columns: Columns<BulkOperation> = {
  id: (operation) => operation.id,
  action: (operation) => `${operation.action} ${operation.on}`,
  status: (operation) => operation.status,
  done: ({ counts }) => `${counts.done}/${counts.eligible}`,
  skipped: ({ counts }) => counts.skipped,
  failed: ({ counts }) => counts.failed,
  created: (operation) => when(operation.created_at),
  by: (operation) => operation.created_by,
};

const show = ({ terminal, fields }: Context, operation: BulkOperation): void => {
  if (fields) return printJson(terminal, operation, fields);
  const { matched, eligible, done, skipped, failed } = operation.counts;
  printFields(terminal, {
    id: operation.id,
    action: `${operation.action} ${operation.on}`,
    status: operation.status,
    counts: `${count(matched)} matched, ${count(eligible)} eligible; ${count(done)} done, ${count(skipped)} skipped, ${count(failed)} failed`,
    filter: operation.filter === null ? `${count(operation.ids ?? 0)} ids` : JSON.stringify(operation.filter),
    options: JSON.stringify(operation.options),
    reason: operation.reason,
    error: operation.error,
    created: `${when(operation.created_at)} by ${operation.created_by}`,
    ended: when(operation.ended_at),
  });
};

const look = (context: Context, body: Record<string, unknown>): Promise<BulkPreview> =>
  context.client.post<BulkPreview>('/v1/bulk/preview', body, { repeat: true });

const describe = ({ terminal }: Context, { matched, eligible, skipped }: BulkPreview): void => {
  say(terminal, `${count(matched)} matched, ${count(eligible)} eligible`);
  for (const { means, count: n, sample } of skipped)
    say(terminal, `${count(n)} would be skipped: ${means} (${sample.slice(0, 2).join(', ')})`);
};

export const preview = async (context: Context, action: string, ids: string[], options: RunOptions): Promise<void> => {
  const found = await look(context, bodyFor(action, ids, options));
  if (context.fields) printJson(context.terminal, found, context.fields);
  else {
    describe(context, found);
    for (const id of found.sample) context.terminal.out.write(`${id}\n`);
  }
};

/** Previews, asks, and runs what was previewed: nothing that came in between. */
export const run = async (context: Context, action: string, ids: string[], options: RunOptions): Promise<void> => {
  if (options.dryRun) return preview(context, action, ids, options);
  const body = bodyFor(action, ids, options);
  const found = await look(context, body);
  if (!context.quiet) describe(context, found);
  if (found.eligible === 0) throw new Exit(exitCodes.error, 'Nothing of that can be done.');
  await confirm(`${action} ${count(found.eligible)} ${found.on}?`, options.yes);
  const headers = { 'idempotency-key': crypto.randomUUID() };
  const made = await context.client.post<BulkOperation>('/v1/bulk', { ...body, as_of: found.as_of }, { headers });
  show(context, options.wait ? await untilEnd(context, made) : made);
};

const untilEnd = async ({ client }: Context, made: BulkOperation): Promise<BulkOperation> => {
  let operation = made;
  while (operation.ended_at === null) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    operation = await client.get<BulkOperation>(`/v1/bulk/${made.id}`);
  }
  return operation;
};

export const list = async (
  { client, terminal, fields }: Context,
  { limit, ...filter }: { limit: number; status?: string },
): Promise<void> => {
  const operations: BulkOperation[] = [];
  for await (const operation of client.list<BulkOperation>('/v1/bulk', { ...filter, limit: Math.min(limit, 100) })) {
    operations.push(operation);
    if (operations.length >= limit) break;
  }
  if (fields) printJson(terminal, operations, fields);
  else printTable(terminal, operations, columns);
};

/** The operation; with `--items` what it left alone, or could not do. */
export const get = async (context: Context, id: string, { items, limit }: { items?: boolean; limit: number }): Promise<void> => {
  if (!items) return show(context, await context.client.get<BulkOperation>(`/v1/bulk/${id}`));
  const found: BulkItem[] = [];
  for await (const item of context.client.list<BulkItem>(`/v1/bulk/${id}/items`, { limit: Math.min(limit, 100) })) {
    found.push(item);
    if (found.length >= limit) break;
  }
  if (context.fields) printJson(context.terminal, found, context.fields);
  else
    printTable(context.terminal, found, {
      id: (item) => item.id,
      outcome: (item) => item.outcome,
      reason: (item) => item.reason,
      message: (item) => item.message,
    });
};

export const stop = async (context: Context, id: string): Promise<void> =>
  show(context, await context.client.post<BulkOperation>(`/v1/bulk/${id}/stop`, {}));
