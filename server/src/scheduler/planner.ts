import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { lift, type Account } from '../policy/accounts.ts';
import type { Kind } from '../policy/market.ts';
import { kindOf, lanesOf, type PoolConfig } from '../policy/pools.ts';
import { defaultAgeing, inFlight, planTurns, type Backlog, type Desk, type LaneUse } from '../policy/turns.ts';
import type { Quotas } from '../policy/quotas.ts';
import { alone } from './alone.ts';
import { capWaiting, openFlight, userKey, withWaiting, type Flight } from './flight.ts';
import { readFleet, type Fleet } from './reading.ts';
import {
  dropLimitedTurns,
  dropOldTurns,
  readClock,
  readLanes,
  readPooled,
  readRisk,
  readWaiting,
  replaceTurns,
  type PlannedTurn,
  type Waiting,
} from '../requests/turns.ts';

export interface PlannerOptions {
  order: 'fair' | 'strict_priority';
  /** Seconds of waiting worth one step of priority. */
  ageing?: number;
  pools: readonly PoolConfig[];
  /** Seconds before its deadline in which spot takes nothing more of a batch of this model, while a dedicated worker is there to take it. */
  tailOf?: (model: string) => number;
  /** Worker-seconds of one request of a model, as measured or guessed. */
  costOf: (model: string) => number;
  /** How many requests may be in flight; absent: any number. */
  quotas?: Quotas;
  /** Seconds without a word after which a worker counts as gone. */
  leaseSeconds?: number;
}

/** Claims that are planned ahead for each kind and model: a plan lasts until the next, half a second later or sooner. */
const ahead = 256;

/** Of them, those for chunks that only one pool runs, of each pool. */
const pooled = 16;

/** Any number, the same everywhere: one scheduler plans at a time. */
const lock = 7_305_814_912;

/** What all markets of one plan share. */
interface Table {
  now: number;
  accounts: ReadonlyMap<string, Account>;
  flight: Flight;
  fleet: Fleet;
  /** Requests of each batch in flight, those planned included, by its number. */
  running: Map<number, number>;
  /** Requests in flight by lane; null: only one lane has work. */
  lanes: Awaited<ReturnType<typeof readLanes>> | null;
}

/** Chunks that a worker holds: what its room is reckoned by where lanes have a share of it. */
const held = 2;

/**
 * Plans whose turn it is: reads what waits, lets the policy say in which order it is to be served, and writes that down
 * for the workers to take. All of it under a lock and in one transaction, so that any number of schedulers may plan.
 *
 * @returns how many turns there are now, whether interactive batches have some of them, and how many groups of chunks wait
 */
export const plan = async (db: Db, options: PlannerOptions): Promise<{ turns: number; interactive: boolean; waiting: number }> => {
  const made = await db.transaction(async (tx) => {
    await alone(tx, lock);
    const counted = await openFlight(tx, options.quotas);
    await dropLimitedTurns(tx);
    const waiting = await capWaiting(tx, [...(await readWaiting(tx, ahead)), ...(await readPooled(tx, pooled))], options.quotas);
    const flight = withWaiting(counted, waiting, options.quotas);
    const [now, risk, fleet] = [await readClock(tx), await readRisk(tx), await readFleet(tx, options.leaseSeconds ?? 30)];
    const running = new Map(waiting.map((group) => [group.batch_no, group.running]));
    const lanes = new Set(waiting.map(({ lane }) => lane)).size > 1 ? await readLanes(tx) : null;
    const table: Table = { now, accounts: await openAccounts(tx, waiting, flight), flight, fleet, running, lanes };
    const groups = Map.groupBy(waiting, (group) => group.model);
    const kinds = [...new Set(options.pools.map(kindOf))];
    const markets = [...groups.keys()].flatMap((model) => kinds.map((kind) => ({ model, kind })));
    const limited = flight.capped || waiting.some(({ width }) => width !== null);
    const turns = (limited ? shareOut(markets, fleet) : markets).flatMap(({ model, kind }) =>
      turnsOf(model, groups.get(model)!, kind, table, { ...options, risk: risk.get(model) ?? [] }),
    );
    await replaceTurns(tx, turns);
    return { turns: turns.length, interactive: turns.some(({ lane }) => lane === 'interactive'), waiting: waiting.length };
  });
  await dropOldTurns(db);
  return made;
};

/**
 * What one market is given of a limit, another is not: none goes to where nobody would take it while somebody else does,
 * and each market comes first by turns, so that one with slow workers does not keep the others waiting for ever.
 */
const shareOut = <M extends { model: string; kind: Kind }>(markets: readonly M[], fleet: Fleet): M[] => {
  const manned = markets.filter(({ model, kind }) => fleet.ready(kind, model) > 0);
  return (manned.length > 0 ? manned : markets)
    .map((market) => ({ market, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ market }) => market);
};

const turnsOf = (
  model: string,
  groups: Waiting[],
  kind: Kind,
  table: Table,
  options: PlannerOptions & { risk: readonly string[] },
): PlannedTurn[] => {
  const { now, accounts, flight, fleet, running } = table;
  const home = new Map(options.pools.map((pool) => [pool.name, kindOf(pool)]));
  const own = apart(groups.filter(({ pool }) => pool === null || (home.get(pool) ?? kind) === kind));
  const byName = new Map(own.map((group) => [nameOf(group), group]));
  const places = new Map(options.risk.map((batch, place) => [batch, place]));
  const cost = options.costOf(model);
  const backlog = own.map((group): Backlog => {
    // The next chunk of a limited batch counts as the largest that may be it by the time it is taken.
    const takes = group.width === null ? group.takes : group.largest;
    return {
      batch: nameOf(group),
      tenant: group.tenant_id,
      user: userKey(group.tenant_id, group.user),
      lane: group.lane,
      priority: group.priority,
      createdAt: group.created_at,
      deadline: group.deadline,
      chunks: group.chunks,
      running: running.get(group.batch_no) ?? 0,
      width: group.width,
      takes,
      work: takes * cost,
    };
  });
  const desk: Desk = {
    now,
    order: options.order,
    ageing: options.ageing ?? defaultAgeing,
    backlog,
    accounts,
    users: flight.users,
    all: flight.all,
    atRisk: new Map(own.filter((group) => places.has(group.batch_id)).map((group) => [nameOf(group), places.get(group.batch_id)!])),
    // Where no dedicated worker is there, spot is better than nobody.
    tail: fleet.ready('dedicated', model) > 0 ? (options.tailOf?.(model) ?? 0) : 0,
    lanes: lanesIn(model, kind, backlog, table, options.pools),
  };
  const turns = planTurns(desk, kind, ahead);
  for (const { batch } of turns) book(byName.get(batch)!, table);
  return turns.map(({ batch, tenant, lane, work, why }) => {
    const { batch_no: batchNo, pool, chunk_id: chunkId } = byName.get(batch)!;
    return { kind, model, batchNo, lane, tenant, work, why, pool: pool !== null && home.has(pool) ? pool : null, chunkId };
  });
};

/** A chunk that one pool runs stands on the desk beside the rest of its batch, and by its name, all else being equal, before it. */
const nameOf = ({ batch_id: batch, chunk_id: chunk }: Waiting): string => (chunk === null ? batch : `${chunk} ${batch}`);

/**
 * A batch that may have only so much in flight stands there once: two entries would each be given all of its room. Its
 * chunks for one pool come after the others, one at a time.
 */
const apart = (groups: readonly Waiting[]): Waiting[] => {
  const seen = new Set<number>();
  return groups.filter(({ width, batch_no: batch }) => {
    if (width === null) return true;
    const first = !seen.has(batch);
    seen.add(batch);
    return first;
  });
};

/** What the lanes have of the room of a market's workers, and are sure of. */
const lanesIn = (
  model: string,
  kind: Kind,
  backlog: readonly Backlog[],
  { lanes, fleet }: Table,
  pools: readonly PoolConfig[],
): LaneUse | null => {
  if (lanes === null || backlog.length === 0) return null;
  const running = { interactive: 0, jobs: 0, bulk: 0 };
  for (const row of lanes) if (row.model === model && row.kind === kind) running[row.lane] += row.running;
  const each = backlog.reduce((sum, entry) => sum + inFlight(entry), 0) / backlog.length;
  const slots = Math.max(running.interactive + running.jobs + running.bulk, Math.max(1, fleet.ready(kind, model)) * held * each);
  return { slots, reserved: lanesOf(pools, kind), running };
};

/** What is planned for one market is no longer there for the next. */
const book = (group: Waiting, { accounts, flight: { users, all }, running }: Table): void => {
  const takes = inFlight({ takes: group.width === null ? group.takes : group.largest, width: group.width });
  running.set(group.batch_no, (running.get(group.batch_no) ?? 0) + takes);
  for (const room of [accounts.get(group.tenant_id), users.get(userKey(group.tenant_id, group.user)), all]) if (room) room.running += takes;
};

interface AccountRow {
  tenant_id: string;
  counter: number;
  weight: number;
  active: boolean;
}

/** The accounts of who has work waiting; those who come back with work are lifted to the others. */
const openAccounts = async (tx: Db, waiting: readonly Waiting[], flight: Flight): Promise<Map<string, Account>> => {
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
  return new Map(
    [...counters].map(([tenant, { counter, weight }]) => [
      tenant,
      { counter, weight, running: flight.tenants.get(tenant)?.running ?? 0, cap: flight.tenants.get(tenant)?.cap ?? null },
    ]),
  );
};
