import type { PoolConfig } from '../policy/pools.ts';
import { readGiven } from '../requests/turns.ts';
import { record } from '../batches/events.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { desiredWorkers, spread } from '../policy/backlog.ts';
import { forecast } from '../policy/forecast.ts';
import { guardSeconds, shareWorkers, type Demand, type Guard, type Kind, type Market, type Mode, type Supply } from '../policy/market.ts';
import { pressure } from '../policy/demand.ts';
import { decideTargets, defaultLine, type Line, type Targets } from '../policy/targets.ts';
import { unmeasured, type Estimates } from './estimates.ts';
import { adaptWidths } from './widths.ts';
import { alone } from './alone.ts';
import { readDemand, readFleet, readJobs, type DemandRow, type Fleet } from './reading.ts';

/**
 * The controller: reads what is open and who works, asks the policy, and writes down what it decides: targets for each
 * model, desired workers for each pool, and for each batch whether it is at risk and when it will end. Nobody is told;
 * planner, autoscaler and API read the same rows. Several schedulers may do it: each round is one transaction under a
 * lock, and a round that is lost only leaves the last one's decisions standing.
 */
export interface ControllerOptions {
  mode: Mode;
  pools: readonly PoolConfig[];
  /** Seconds between two rounds. */
  tick: number;
  leaseSeconds: number;
  /** Requests a second of one worker of a model: as measured, or the prior. */
  rateOf: (model: string) => { rate: number; measured: boolean };
  /** Requests one worker runs at a time. */
  concurrencyOf: (model: string) => number;
  /** The rest of what was measured; absent: nothing was. */
  estimates?: Estimates;
}

export interface Round {
  models: { model: string; targets: Targets }[];
  pools: { name: string; desired: number; reason: string }[];
  escalated: string[];
  /** A batch may have more or fewer requests in flight than before. */
  rewidened: boolean;
}

/** The line, with the safety factor that the errors of the estimates ask for. */
export const lineOf = ({ estimates = unmeasured }: Pick<ControllerOptions, 'estimates'>): Line => ({
  ...defaultLine,
  factor: estimates.factor,
});

/** Any number, the same everywhere: one round at a time. */
const lock = 7_305_814_913;

export const round = (db: Db, options: ControllerOptions): Promise<Round> =>
  db.transaction(async (tx) => {
    await alone(tx, lock);
    const { now } = await tx.one<{ now: number }>(sql`select extract(epoch from now())::float8 as now`);
    const fleet = await readFleet(tx, options.leaseSeconds);
    const rows = await readDemand(tx);
    const before = await readTargets(tx);
    const line = lineOf(options);
    const asked = [...Map.groupBy(rows, (row) => row.model)].map(([model, own]): Asked => {
      const { rate, measured } = options.rateOf(model);
      return { model, rows: own, demands: own.map((row) => toDemand(row, rate)), market: marketOf(model, fleet, options, measured) };
    });
    const decided = divided(now, asked, line.factor).map(({ model, rows: own, demands, market }): Decided => {
      const targets = decideTargets({ now, mode: options.mode, line, market, demands, previous: before.get(model) ?? null });
      const queue = own.map((row, i) => ({ ...demands[i]!, tenant: row.tenant_id, weight: row.weight }));
      return { model, rows: own, targets, forecasts: forecast({ now, market, targets, queue, factor: line.factor }) };
    });
    await writeTargets(tx, decided);
    const escalated = await writeBatches(tx, now, decided, options);
    const pools = await writePools(tx, decided, options);
    // At least two heartbeats come in a lease, and usually one with each round.
    const beat = Math.min(options.tick, options.leaseSeconds / 2);
    const rewidened = await adaptWidths(
      tx,
      rows,
      now,
      (model) => beat + Math.min(60, (options.estimates ?? unmeasured).request(model).p99),
    );
    return { rewidened, models: decided.map(({ model, targets }) => ({ model, targets })), pools, escalated };
  });

interface Asked {
  model: string;
  rows: DemandRow[];
  demands: Demand[];
  market: Market;
}

/**
 * Models that share pools are promised a part of them each, in proportion to what their deadlines need: each by itself
 * would count on all of them.
 */
const divided = (now: number, asked: Asked[], factor: number): Asked[] => {
  if (asked.length < 2) return asked;
  const share = (kind: Kind): (Supply | null)[] => {
    const most = asked[0]!.market[kind]?.max ?? 0;
    if (most === 0) return asked.map(({ market }) => market[kind]);
    const needed = asked.map(({ demands, market: { [kind]: supply, guard, concurrency } }) => {
      const at = { now, guard: guardSeconds(guard), rate: supply?.rate ?? 1, max: most, concurrency, factor };
      // Spot does all of the work, promised or not.
      return pressure(kind === 'spot' ? demands.map((demand) => ({ ...demand, admitted: true })) : demands, at).needed;
    });
    const shares = shareWorkers(most, needed);
    return asked.map(({ market: { [kind]: supply } }, i) => supply && { ...supply, max: Math.max(1, shares[i]!) });
  };
  const [dedicated, spot] = [share('dedicated'), share('spot')];
  return asked.map((entry, i) => ({ ...entry, market: { ...entry.market, dedicated: dedicated[i]!, spot: spot[i]! } }));
};

interface Decided {
  model: string;
  rows: DemandRow[];
  targets: Targets;
  forecasts: { batch: string; p50: number | null; p90: number | null }[];
}

export const toDemand = (row: DemandRow, rate: number): Demand => ({
  batch: row.batch_id,
  deadline: row.deadline,
  work: row.requests / rate,
  requests: row.requests,
  width: row.width,
  admitted: row.admitted,
});

export const marketOf = (model: string, fleet: Fleet, options: ControllerOptions, measured: boolean): Market => {
  const { estimates = unmeasured } = options;
  const supply = (kind: Kind): Supply | null => {
    const pools = options.pools.filter((pool) => pool.preemptible === (kind === 'spot'));
    if (pools.length === 0) return null;
    return {
      price: Math.min(...pools.map((pool) => pool.price)),
      min: pools.reduce((sum, pool) => sum + pool.minimum, 0),
      max: pools.reduce((sum, pool) => sum + pool.maximum, 0),
      ready: fleet.ready(kind, model),
      coldStart: Math.max(...pools.map((pool) => pool.startupSeconds)),
      // Costs are in seconds of one worker of this model, so that its rate is one of them a second, but for what is
      // known of its kind.
      rate: estimates.speed(model, kind),
      measured,
    };
  };
  const dedicated = supply('dedicated');
  const guard: Guard = {
    coldStart: dedicated?.coldStart ?? 0,
    tick: options.tick,
    lease: options.leaseSeconds,
    request: estimates.request(model).p999,
    finalize: estimates.finalize,
  };
  return { spot: supply('spot'), dedicated, preemptions: estimates.preemptions, concurrency: options.concurrencyOf(model), guard };
};

const readTargets = async (tx: Db): Promise<Map<string, Targets>> => {
  const rows = await tx.many<{ model: string; decided: Targets & { needed: number | null } }>(sql`select model, decided from targets`);
  // JSON has no Infinity; null stands for it.
  return new Map(rows.map(({ model, decided }) => [model, { ...decided, needed: decided.needed ?? Infinity }]));
};

const writeTargets = async (tx: Db, decided: readonly Decided[]): Promise<void> => {
  await tx.run(sql`
    insert into targets (model, decided)
    select * from unnest(${decided.map((d) => d.model)}::text[], ${decided.map((d) => JSON.stringify(d.targets))}::jsonb[])
    on conflict (model) do update set decided = excluded.decided, decided_at = now()`);
  await tx.run(
    sql`delete from targets where not model = any(${decided.map((d) => d.model)}::text[]) and decided_at < now() - interval '1 day'`,
  );
};

/**
 * How far a forecast has moved, by what is worth writing: a fiftieth of what is left, or ten seconds. It moves a little in every
 * round, and writing all of 2,000 batches anew each time was two thirds of a round.
 */
const movement = (now: number, before: number | null, after: number | null): number => {
  if (before === null || after === null) return before === after ? 0 : Infinity;
  return Math.abs(before - after) / Math.max(10, 0.02 * (after - now));
};

/** Forecasts that one round writes at most, those that moved most: where nobody works, all of them move by the same. */
const forecastsTogether = 500;

/** What a round says of one batch. */
interface Verdict {
  before: DemandRow;
  risk: boolean;
  p50: number | null;
  p90: number | null;
  reason: string;
}

/** A batch of several models ends when the last of them does, and is at risk with any of them. */
const verdictsOf = (decided: readonly Decided[]): Map<string, Verdict> => {
  const later = (a: number | null, b: number | null) => (a === null || b === null ? null : Math.max(a, b));
  const verdicts = new Map<string, Verdict>();
  for (const { rows, targets, forecasts } of decided) {
    const atRisk = new Set(targets.atRisk);
    rows.forEach((before, i) => {
      const { p50, p90 } = forecasts[i]!;
      const risk = atRisk.has(before.batch_id);
      const other = verdicts.get(before.batch_id);
      if (other === undefined) verdicts.set(before.batch_id, { before, risk, p50, p90, reason: targets.reason });
      else {
        if (risk && !other.risk) other.reason = targets.reason;
        other.risk ||= risk;
        [other.p50, other.p90] = [later(other.p50, p50), later(other.p90, p90)];
      }
    });
  }
  return verdicts;
};

/** Writes each batch's risk and forecast; tells of those whose work moves to dedicated workers, and why. */
const writeBatches = async (tx: Db, now: number, decided: readonly Decided[], { pools }: ControllerOptions): Promise<string[]> => {
  const verdicts = verdictsOf(decided);
  // Nobody else writes these, and another round waits for this one: what was read still holds.
  const turned = ({ before, risk }: Verdict): boolean => risk !== before.at_risk;
  const changed = [...verdicts.values()].filter(turned);
  const moved = [...verdicts.values()]
    .filter((verdict) => !turned(verdict))
    .map((verdict) => {
      const { before, p50, p90 } = verdict;
      return { verdict, by: Math.max(movement(now, before.forecast_p50, p50), movement(now, before.forecast_p90, p90)) };
    })
    .filter(({ by }) => by > 1)
    .sort((a, b) => (a.by === b.by ? 0 : b.by - a.by));
  for (const { verdict } of moved.slice(0, forecastsTogether)) changed.push(verdict);
  const rows =
    changed.length === 0
      ? []
      : await tx.many<{ no: number; id: string; tenant_id: string; moved: boolean }>(sql`
          update batches b
          set at_risk = u.risk, forecast_p50 = to_timestamp(u.p50), forecast_p90 = to_timestamp(u.p90),
              escalated_at = case when u.risk and u.turned then now() else b.escalated_at end,
              pool_history = case when not u.turned or not ${pools.some(({ preemptible }) => preemptible)} or b.options ->> 'pool' is not null
                then b.pool_history
                else b.pool_history || jsonb_build_object('at', extract(epoch from now()), 'pool', case when u.risk then 'dedicated' else 'spot' end, 'reason', u.reason) end
          from unnest(${changed.map(({ before }) => before.batch_id)}::text[], ${changed.map(({ risk }) => risk)}::boolean[],
            ${changed.map(turned)}::boolean[], ${changed.map(({ p50 }) => p50)}::float8[],
            ${changed.map(({ p90 }) => p90)}::float8[], ${changed.map(({ reason }) => reason)}::text[]) u (id, risk, turned, p50, p90, reason)
          where b.id = u.id and b.status = 'in_progress'
          returning b.no, b.id, b.tenant_id, u.risk and u.turned as moved`);
  // Of all, not of those that changed: where a child has ended, its parent is what the others are.
  await writeParents(tx, [...new Set([...verdicts.values()].flatMap(({ before }) => before.parent_no ?? []))]);
  const escalated = rows.filter((row) => row.moved);
  for (const batch of escalated) await record(tx, batch, 'batch.escalated', { reason: verdicts.get(batch.id)!.reason });
  return escalated.map((batch) => batch.id);
};

/** A batch of several models is at risk where one of its children is, and ends when the last of them does. */
const writeParents = async (tx: Db, parents: readonly number[]): Promise<void> => {
  if (parents.length === 0) return;
  await tx.run(sql`
    update batches p set at_risk = c.at_risk, forecast_p50 = c.p50, forecast_p90 = c.p90
    from (
      select parent_no, bool_or(at_risk) as at_risk, case when bool_and(forecast_p50 is not null) then max(forecast_p50) end as p50,
        case when bool_and(forecast_p90 is not null) then max(forecast_p90) end as p90
      from batches
      where status = 'in_progress' and parent_no = any(${parents}::bigint[])
      group by 1) c
    where p.no = c.parent_no and p.status = 'in_progress'
      and (p.at_risk, p.forecast_p50, p.forecast_p90) is distinct from (c.at_risk, c.p50, c.p90)`);
};

const writePools = async (tx: Db, decided: readonly Decided[], { pools }: ControllerOptions): Promise<Round['pools']> => {
  const wanted = pools.map((pool) => ({ ...pool, desired: 0, reason: 'no work' }));
  const [jobs, given] = [await readJobs(tx), await readGiven(tx)];
  for (const kind of ['spot', 'dedicated'] as const) {
    const own = wanted.filter((pool) => pool.preemptible === (kind === 'spot'));
    if (own.length === 0) continue;
    const target = decided.reduce((sum, { targets }) => sum + targets[kind], 0);
    const shares = spread(
      target,
      own.map((pool) => ({ name: pool.name, price: pool.price, rate: 1, min: pool.minimum, max: pool.maximum })),
    );
    const reason = decided.find(({ targets }) => targets[kind] > 0)?.targets.reason ?? 'no work';
    // Work goes to spot where there is spot; what is at risk is queued for dedicated workers.
    const all = wanted.some((pool) => pool.preemptible) && kind === 'dedicated';
    const queued = decided.reduce(
      (sum, { rows, targets }) => sum + rows.reduce((n, row) => n + (!all || targets.atRisk.includes(row.batch_id) ? row.queued : 0), 0),
      // Somebody waits for a job: its workers stay, and stay until it has ended.
      kind === 'dedicated' ? jobs : 0,
    );
    for (const pool of own) {
      const { workers, reason: why } = desiredWorkers({
        queued: Math.max(queued, given.get(pool.name) ?? 0),
        ratio: pool.backlogRatio,
        min: pool.minimum,
        max: pool.maximum,
        target: shares.get(pool.name) ?? 0,
        reason,
      });
      [pool.desired, pool.reason] = [workers, why];
    }
  }
  await tx.run(sql`
    insert into pools (name, preemptible, price, minimum, maximum, backlog_ratio, startup_seconds, desired, reason, memory_gb, gpu_memory_gb, decided_at)
    select *, now() from unnest(${wanted.map((p) => p.name)}::text[], ${wanted.map((p) => p.preemptible)}::boolean[], ${wanted.map((p) => p.price)}::float8[],
      ${wanted.map((p) => p.minimum)}::int[], ${wanted.map((p) => p.maximum)}::int[], ${wanted.map((p) => p.backlogRatio)}::float8[],
      ${wanted.map((p) => p.startupSeconds)}::float8[], ${wanted.map((p) => p.desired)}::int[], ${wanted.map((p) => p.reason)}::text[],
      ${wanted.map((p) => p.memoryGb ?? null)}::float8[], ${wanted.map((p) => p.gpuMemoryGb ?? null)}::float8[])
    on conflict (name) do update set preemptible = excluded.preemptible, price = excluded.price, minimum = excluded.minimum, maximum = excluded.maximum,
      backlog_ratio = excluded.backlog_ratio, startup_seconds = excluded.startup_seconds, desired = excluded.desired, reason = excluded.reason,
      memory_gb = excluded.memory_gb, gpu_memory_gb = excluded.gpu_memory_gb, decided_at = now()`);
  return wanted.map(({ name, desired, reason }) => ({ name, desired, reason }));
};
