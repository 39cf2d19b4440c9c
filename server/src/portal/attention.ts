import type { PortalAttention, PortalLink } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import { planAge, planLimit, readStandings, stallOf } from '../completion/standing.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { deadLetterConditions } from '../deadletters/filter.ts';
import { quotasOf, type Quotas } from '../policy/quotas.ts';
import { readOpen, readQueue } from '../quotas/quotas.ts';
import type { OverviewDeps } from './overview.ts';

type Item = PortalAttention['data'][number];

export interface AttentionDeps extends OverviewDeps {
  quotas: Quotas;
}

/** What is counted up to here; beyond, it is "more than". */
const most = 1_000;
/** Open batches that are looked at for standing still, oldest first. */
const looked = 200;
/** Seconds without progress after which a batch stands still. */
const patience = 600;

const item = (
  kind: Item['kind'],
  severity: Item['severity'],
  title: string,
  link: PortalLink,
  { detail = null, count = null, since = null, at_least = false }: Partial<Pick<Item, 'detail' | 'count' | 'since' | 'at_least'>> = {},
): Item => ({ kind, severity, title, detail, count, at_least, since, link });

const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

const named = (batches: readonly { id: string; name: string | null }[]): string | null =>
  batches
    .slice(0, 3)
    .map(({ id, name }) => name ?? id)
    .join(', ') || null;

/** Where one is meant the page goes to it, where several are to their list. */
const linkTo = (ids: readonly string[], filter: Record<string, string>): PortalLink =>
  ids.length === 1 ? { screen: 'batch', id: ids[0]!, filter: {} } : { screen: 'batches', filter };

interface OpenBatch {
  id: string;
  name: string | null;
  late: boolean;
}

const promises = async (db: Db, tenant: string): Promise<Item[]> => {
  const rows = await db.many<OpenBatch>(sql`
    select id, name, deadline < now() as late from batches
    where tenant_id = ${tenant} and parent_no is null and status in ('in_progress', 'finalizing') and (at_risk or deadline < now())
    order by deadline limit ${most + 1}`);
  const part = (late: boolean, kind: 'sla_missed' | 'sla_at_risk', title: (count: number) => string): Item[] => {
    const found = rows.filter((row) => row.late === late);
    if (found.length === 0) return [];
    const ids = found.map(({ id }) => id);
    const link = linkTo(ids, { sla: late ? 'breached' : 'at_risk', status: 'in_progress,finalizing', sort: 'deadline' });
    const count = Math.min(most, found.length);
    return [item(kind, late ? 'critical' : 'warning', title(count), link, { count, at_least: found.length > most, detail: named(found) })];
  };
  return [
    ...part(
      true,
      'sla_missed',
      (count) => `${plural(count, 'batch has', 'batches have')} missed ${count === 1 ? 'its' : 'their'} deadline`,
    ),
    ...part(false, 'sla_at_risk', (count) => `${plural(count, 'batch', 'batches')} may miss ${count === 1 ? 'its' : 'their'} deadline`),
  ];
};

const stalled = async (db: Db, tenant: string, leaseSeconds: number): Promise<Item[]> => {
  const [age, standings] = await Promise.all([planAge(db), readStandings(db, { tenant, limit: looked }, leaseSeconds)]);
  const alive = age !== null && age < planLimit;
  // What stands still for want of a scheduler is one trouble, and told as that.
  const stalls = standings.flatMap((standing) => {
    const reason = stallOf(standing, patience, alive);
    return reason === null || reason.code === 'no_scheduler' ? [] : [{ ...standing, reason }];
  });
  if (stalls.length === 0) return [];
  // Of several models: one batch, however many of its own stand still, for the reason that one of those has.
  const found = [...Map.groupBy(stalls, ({ no, parent_no }) => parent_no ?? no)].map(([top, own]) => {
    const { id, name } = standings.find(({ no }) => no === top) ?? own[0]!;
    const { reason } = own.find(({ parent_no }) => parent_no !== null) ?? own[0]!;
    return { id, name, reason, last_progress_at: Math.min(...own.map(({ last_progress_at }) => last_progress_at)) };
  });
  const ids = found.map(({ id }) => id);
  return [
    item(
      'stalled',
      'critical',
      `${plural(found.length, 'batch stands', 'batches stand')} still`,
      linkTo(ids, { status: 'in_progress', sort: 'created_at' }),
      {
        count: found.length,
        detail: found.length === 1 ? found[0]!.reason.text : named(found),
        since: Math.min(...found.map(({ last_progress_at }) => last_progress_at)),
      },
    ),
  ];
};

interface Spike {
  failed: number;
  settled: number;
  before_failed: number;
  before_settled: number;
}

/** Failures of the last quarter of an hour, where they are many and several times what the day before had. */
const spikes = async (db: Db, tenant: string): Promise<Item[]> => {
  const row = await db.one<Spike>(sql`
    select coalesce(sum(failed) filter (where recent), 0)::bigint as failed, coalesce(sum(completed + failed) filter (where recent), 0)::bigint as settled,
      coalesce(sum(failed) filter (where not recent), 0)::bigint as before_failed, coalesce(sum(completed + failed) filter (where not recent), 0)::bigint as before_settled
    from (select *, at > now() - interval '15 minutes' as recent from figures where tenant_id = ${tenant} and minutes = 5 and at > now() - interval '24 hours') f`);
  const [now, before] = [row.failed / Math.max(1, row.settled), row.before_failed / Math.max(1, row.before_settled)];
  if (row.failed < 10 || now < 0.02 || now < 3 * before) return [];
  const causes = await db.many<{ code: string; cause: string; count: number }>(sql`
    select code, cause, sum(count)::bigint as count from failure_causes
    where tenant_id = ${tenant} and last_seen > now() - interval '15 minutes' group by 1, 2 order by 3 desc limit 3`);
  const title = `${Math.round(now * 100)} % of requests failed in the last 15 minutes`;
  const detail = causes.map(({ code, cause, count }) => `${count} × ${code}: ${cause}`).join('; ') || null;
  return [
    item(
      'failure_spike',
      now > 0.5 ? 'critical' : 'warning',
      title,
      { screen: 'batches', filter: { sort: '-failed', from: '24h' } },
      { count: row.failed, detail },
    ),
  ];
};

const deadLetters = async (db: Db, tenant: string): Promise<Item[]> => {
  const { count, since } = await db.one<{ count: number; since: number | null }>(sql`
    select count(*)::int as count, extract(epoch from min(settled_at))::float8 as since
    from (select r.settled_at from requests r join batches b on b.no = r.batch_no
      where b.tenant_id = ${tenant} and ${deadLetterConditions({})} limit ${most + 1}) dead`);
  if (count === 0) return [];
  const shown = Math.min(most, count);
  return [
    item(
      'dead_letters',
      'warning',
      `${count > most ? 'More than ' : ''}${plural(shown, 'dead letter')}`,
      { screen: 'dead-letters', filter: {} },
      {
        count: shown,
        at_least: count > most,
        since,
      },
    ),
  ];
};

const lostWorkers = async (db: Db, leaseSeconds: number): Promise<Item[]> => {
  const rows = await db.many<{ id: string; pool: string; seen: number }>(sql`
    select id, pool, extract(epoch from seen_at)::float8 as seen from workers
    where state <> 'stopped' and seen_at < now() - make_interval(secs => ${leaseSeconds}) and seen_at > now() - interval '1 hour' order by seen_at desc`);
  if (rows.length === 0) return [];
  const pools = [...new Set(rows.map(({ pool }) => pool))].join(', ');
  return [
    item(
      'worker_lost',
      'warning',
      `${plural(rows.length, 'worker')} of ${pools} lost in the last hour`,
      { screen: 'workers', filter: { state: 'lost' } },
      {
        count: rows.length,
        since: rows.at(-1)!.seen,
      },
    ),
  ];
};

const quotaWords = { maxBatches: 'batches', maxQueuedRequests: 'queued requests', maxQueuedBytes: 'bytes of inputs' } as const;

/** Quotas of the user and the tenant of which nine tenths are in use; what is in flight is meant to come up to its limit. */
const fullQuotas = async (db: Db, identity: Identity, quotas: Quotas): Promise<Item[]> => {
  const limits = quotasOf(quotas, identity.tenant);
  const scopes = ['user', 'tenant'] as const;
  const what = Object.keys(quotaWords) as (keyof typeof quotaWords)[];
  if (scopes.every((scope) => what.every((field) => limits[scope][field] === null))) return [];
  const [open, queue] = [await readOpen(db, identity), await readQueue(db, identity)];
  return scopes.flatMap((scope) => {
    const used = { maxBatches: open.batches[scope], maxQueuedRequests: queue.queued[scope], maxQueuedBytes: open.bytes[scope] };
    return what.flatMap((field) => {
      const limit = limits[scope][field];
      if (limit === null || used[field] <= 0.9 * limit) return [];
      const whose = scope === 'user' ? 'Your quota' : 'The quota of the tenant';
      const percent = Math.floor((100 * used[field]) / limit);
      return [
        item(
          'quota',
          used[field] >= limit ? 'critical' : 'warning',
          `${whose} of ${quotaWords[field]} is ${percent} % used`,
          { screen: 'usage', filter: {} },
          {
            count: used[field],
            detail: `${used[field]} of ${limit}`,
          },
        ),
      ];
    });
  });
};

const away = async ({ db, dependencies }: OverviewDeps): Promise<Item[]> => {
  const [states, age] = await Promise.all([dependencies(), planAge(db)]);
  const link: PortalLink = { screen: 'workers', filter: {} };
  const scheduler =
    age !== null && age < planLimit
      ? []
      : [
          item('dependency', 'critical', 'No scheduler has been heard of', link, {
            detail: 'Nothing is taken in, retried or finished until one runs.',
          }),
        ];
  return [
    ...scheduler,
    ...states.flatMap(({ name, status, message }) =>
      status === 'ok'
        ? []
        : [item('dependency', status === 'error' ? 'critical' : 'warning', `The ${name} does not answer`, link, { detail: message })],
    ),
  ];
};

/** What somebody should look at, the worst first. */
export const attentionOf = async (deps: AttentionDeps, identity: Identity): Promise<PortalAttention> => {
  const { db, leaseSeconds, quotas } = deps;
  const { tenant } = identity;
  const found = await Promise.all([
    away(deps),
    promises(db, tenant),
    stalled(db, tenant, leaseSeconds),
    spikes(db, tenant),
    deadLetters(db, tenant),
    lostWorkers(db, leaseSeconds),
    fullQuotas(db, identity, quotas),
  ]);
  const { now } = await db.one<{ now: number }>(sql`select extract(epoch from now())::float8 as now`);
  const data = found.flat();
  return {
    object: 'portal.attention',
    now,
    data: [...data.filter(({ severity }) => severity === 'critical'), ...data.filter(({ severity }) => severity === 'warning')],
  };
};
