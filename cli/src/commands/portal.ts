import type { BatchFailures, KeyList, PortalAttention, PortalBatchPage, PortalOverview, PortalSearch, RunningWork } from '@sluice/contract';
import type { Context } from '../context.ts';
import { count, duration, printFields, printJson, printTable, say, when } from '../output.ts';

const percent = (share: number | null): string => (share === null ? '–' : `${(100 * share).toFixed(share > 0 && share < 0.01 ? 2 : 1)} %`);

/** What a dashboard shows, in a dozen lines. */
export const overview = async ({ client, terminal, fields }: Context): Promise<void> => {
  const found = await client.get<PortalOverview>('/v1/portal/overview', { range: '1h' });
  if (fields) return printJson(terminal, found, fields);
  const { requests, batches, workers } = found;
  printFields(terminal, {
    requests: `${count(requests.running)} running, ${count(requests.queued)} queued, ${count(requests.waiting)} waiting for a retry`,
    batches: `${batches.in_progress} in progress (${batches.at_risk} at risk), ${batches.validating} validating, ${batches.finalizing} finalizing`,
    'a minute': count(found.per_minute),
    'failed, 24 h': `${percent(found.failed_24h.share)} of ${count(found.failed_24h.settled)}`,
    'deadlines met, 7 d': `${percent(found.sla_7d.share)} of ${count(found.sla_7d.met + found.sla_7d.breached)}`,
    'oldest queued': found.oldest_queued_seconds === null ? '–' : duration(found.oldest_queued_seconds),
    'queue done in': found.queue_eta_seconds === null ? '–' : duration(found.queue_eta_seconds),
    workers: `${workers.busy} of ${workers.ready} busy, ${workers.draining} draining, ${workers.lost} lost`,
    health: found.health.map(({ name, status, message }) => `${name} ${status}${message === null ? '' : ` (${message})`}`).join(', '),
  });
};

export const attention = async ({ client, terminal, fields }: Context): Promise<void> => {
  const { data } = await client.get<PortalAttention>('/v1/portal/attention');
  if (fields) return printJson(terminal, data, fields);
  if (data.length === 0) return say(terminal, 'Nothing needs looking at.');
  printTable(terminal, data, { severity: ({ severity }) => severity, what: ({ title }) => title, more: ({ detail }) => detail ?? '' });
};

export const search = async (
  { client, terminal, fields }: Context,
  words: readonly string[],
  { limit }: { limit: number },
): Promise<void> => {
  const { data, searched } = await client.get<PortalSearch>('/v1/portal/search', { q: words.join(' '), limit });
  if (fields) return printJson(terminal, data, fields);
  if (data.length === 0) return say(terminal, `Nothing found in ${searched}.`);
  printTable(terminal, data, {
    kind: ({ kind }) => kind,
    id: ({ id }) => id,
    title: ({ title }) => title,
    status: ({ status }) => status ?? '',
    more: ({ detail }) => detail ?? '',
  });
};

export interface FindOptions {
  sort: string;
  limit: number;
}

/** As the search box of the portal has it. */
export const find = async (
  { client, terminal, fields }: Context,
  words: readonly string[],
  { sort, limit }: FindOptions,
): Promise<void> => {
  const { data } = await client.get<PortalBatchPage>('/v1/portal/batches', {
    ...(words.length > 0 && { q: words.join(' ') }),
    sort,
    limit,
  });
  if (fields) return printJson(terminal, data, fields);
  printTable(terminal, data, {
    id: ({ id }) => id,
    name: ({ name }) => name ?? '',
    status: ({ status }) => status,
    model: ({ model, models }) => (model === null ? '' : models > 1 ? `${model} +${models - 1}` : model),
    total: ({ total }) => total,
    completed: ({ completed }) => completed,
    failed: ({ failed }) => failed,
    sla: ({ sla }) => sla ?? '',
    owner: ({ owner }) => owner,
    created: ({ created_at }) => when(created_at),
  });
};

export const failures = async ({ client, terminal, fields }: Context, id: string): Promise<void> => {
  const { data, failed } = await client.get<BatchFailures>(`/v1/batches/${encodeURIComponent(id)}/failures`, { limit: 100 });
  if (fields) return printJson(terminal, data, fields);
  if (failed === 0) return say(terminal, 'No request of it failed.');
  printTable(terminal, data, {
    count: (row) => row.count,
    code: ({ code }) => code,
    cause: ({ cause }) => cause,
    first: ({ first_seen }) => when(first_seen),
    last: ({ last_seen }) => when(last_seen),
    example: ({ example }) => example.id,
  });
};

export const running = async ({ client, terminal, fields }: Context): Promise<void> => {
  const { data, now } = await client.get<RunningWork>('/v1/workers/running');
  if (fields) return printJson(terminal, data, fields);
  printTable(terminal, data, {
    worker: ({ worker, lost }) => (lost ? `${worker} (lost)` : worker),
    pool: ({ pool }) => pool,
    kind: ({ kind }) => kind,
    id: ({ id }) => id ?? 'another tenant’s',
    model: ({ model }) => model ?? '',
    requests: ({ requests }) => requests,
    for: ({ since }) => (since === null ? '' : duration(now - since)),
  });
};

export const keys = async ({ client, terminal, fields }: Context): Promise<void> => {
  const { data } = await client.get<KeyList>('/v1/portal/keys');
  if (fields) return printJson(terminal, data, fields);
  printTable(terminal, data, {
    id: ({ id }) => id,
    key: ({ prefix }) => `${prefix}…`,
    user: ({ user }) => user,
    role: ({ role }) => role,
    used: ({ last_used_at }) => when(last_used_at),
    this: ({ current }) => (current ? 'yes' : ''),
  });
};
