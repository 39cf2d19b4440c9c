import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { lift, type Account } from '../policy/accounts.ts';
import type { Kind } from '../policy/market.ts';
import { defaultAgeing, planTurns, type Backlog, type Desk } from '../policy/turns.ts';
import { dropOldTurns, readClock, readRisk, readWaiting, replaceTurns, type PlannedTurn, type Waiting } from '../requests/turns.ts';

export interface PlannerOptions {
  order: 'fair' | 'strict_priority';
  /** Seconds of waiting worth one step of priority. */
  ageing?: number;
  /** Kinds of pools there are. */
  kinds: readonly Kind[];
  /** Seconds before its deadline in which spot takes nothing more of a batch; 0: no dedicated pool can take over. */
  tail: number;
  /** Worker-seconds of one request of a model, as measured or guessed. */
  costOf: (model: string) => number;
  /** Requests in flight a tenant, and a user of it, may have; null: any number. */
  capOf?: (tenant: string) => number | null;
}

/** Claims that are planned ahead for each kind and model: a plan lasts until the next, half a second later or sooner. */
const ahead = 256;

/** Any number, the same everywhere: one scheduler plans at a time. */
const lock = 7_305_814_912;

/**
 * Plans whose turn it is: reads what waits, lets the policy say in which order it is to be served, and writes that down
 * for the workers to take. All of it under a lock and in one transaction, so that any number of schedulers may plan.
 *
 * @returns how many turns there are now, and how many groups of chunks wait
 */
export const plan = async (db: Db, options: PlannerOptions): Promise<{ turns: number; waiting: number }> => {
  const made = await db.transaction(async (tx) => {
    await tx.run(sql`select pg_advisory_xact_lock(${lock})`);
    const waiting = await readWaiting(tx, ahead);
    const [now, risk] = [await readClock(tx), await readRisk(tx)];
    const accounts = await openAccounts(tx, waiting, options);
    const turns = [...Map.groupBy(waiting, (group) => group.model)].flatMap(([model, groups]) =>
      options.kinds.flatMap((kind) => turnsOf(model, groups, kind, accounts, { ...options, now, risk: risk.get(model) ?? [] })),
    );
    await replaceTurns(tx, turns);
    return { turns: turns.length, waiting: waiting.length };
  });
  await dropOldTurns(db);
  return made;
};

const turnsOf = (
  model: string,
  groups: Waiting[],
  kind: Kind,
  accounts: ReadonlyMap<string, Account>,
  options: PlannerOptions & { now: number; risk: readonly string[] },
): PlannedTurn[] => {
  const byBatch = new Map(groups.map((group) => [group.batch_id, group]));
  const cost = options.costOf(model);
  const backlog = groups.map((group): Backlog => ({
    batch: group.batch_id,
    tenant: group.tenant_id,
    user: group.user,
    lane: group.lane,
    priority: group.priority,
    createdAt: group.created_at,
    deadline: group.deadline,
    chunks: group.chunks,
    running: group.running,
    width: group.width,
    takes: group.takes,
    work: group.takes * cost,
  }));
  const desk: Desk = {
    now: options.now,
    order: options.order,
    ageing: options.ageing ?? defaultAgeing,
    backlog,
    accounts,
    users: new Map(),
    atRisk: new Map(options.risk.map((batch, place) => [batch, place])),
    tail: options.tail,
    lanes: null,
  };
  return planTurns(desk, kind, ahead).map(({ batch, tenant, work, why }) => ({
    kind,
    model,
    batchNo: byBatch.get(batch)!.batch_no,
    tenant,
    work,
    why,
  }));
};

interface AccountRow {
  tenant_id: string;
  counter: number;
  weight: number;
  active: boolean;
}

/** The accounts of who has work waiting; those who come back with work are lifted to the others. */
const openAccounts = async (tx: Db, waiting: readonly Waiting[], options: PlannerOptions): Promise<Map<string, Account>> => {
  const tenants = [...new Set(waiting.map((group) => group.tenant_id))];
  await tx.run(sql`insert into accounts (tenant_id) select unnest(${tenants}::text[]) on conflict do nothing`);
  const rows = await tx.many<AccountRow>(
    sql`select tenant_id, counter, weight, active from accounts where tenant_id = any(${tenants}::text[]) or active`,
  );
  const present = rows.filter((row) => tenants.includes(row.tenant_id));
  const served = Math.max(0, ...rows.filter((row) => row.active).map((row) => row.counter));
  const busy = present.filter((row) => row.active).map((row) => row.counter);
  const raised = present.filter((row) => !row.active).map((row) => ({ ...row, counter: lift(row.counter, busy, served) }));
  if (raised.length > 0)
    await tx.run(sql`
      update accounts a set counter = u.counter, active = true
      from unnest(${raised.map((row) => row.tenant_id)}::text[], ${raised.map((row) => row.counter)}::float8[]) u (tenant_id, counter)
      where a.tenant_id = u.tenant_id`);
  await tx.run(sql`update accounts set active = false where active and not tenant_id = any(${tenants}::text[])`);
  const counters = new Map([...present, ...raised].map((row) => [row.tenant_id, row]));
  const running = new Map<string, number>();
  for (const group of waiting) running.set(group.tenant_id, (running.get(group.tenant_id) ?? 0) + group.running);
  return new Map(
    [...counters].map(([tenant, { counter, weight }]) => [
      tenant,
      { counter, weight, running: running.get(tenant) ?? 0, cap: options.capOf?.(tenant) ?? null },
    ]),
  );
};
