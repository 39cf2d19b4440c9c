import type { Db } from '../db/db.ts';
import { prepared, sql, type Statement } from '../db/sql.ts';

/** What is measured by its spread: milliseconds of a request and of writing a batch's files, and thousandths by which a rate was estimated wrong. */
export type SpreadName = 'request' | 'finalize' | 'estimate';

/** Seconds between two reports of a model, whoever makes them. */
const quietSeconds = 0.25;

/** Seconds after which what was counted weighs half. */
const halfLife = 6 * 3_600;

const decayed = (counts: Statement): Statement => sql`array(
      select coalesce(u.old, 0) * power(0.5, least(1000, extract(epoch from now() - s.updated_at) / ${halfLife}))::float8 + coalesce(u.new, 0)
      from unnest(s.counts, ${counts}) with ordinality u (old, new, place) order by place)`;

/** Adds counts (`policy/spread.ts`) to what all processes have counted. */
export const addSpread = (db: Db, what: SpreadName, model: string, counts: readonly number[]): Promise<number> =>
  db.run(sql`
    insert into spreads as s (what, model, counts) values (${what}, ${model}, ${counts}::float8[])
    on conflict (what, model) do update set updated_at = now(), counts = ${decayed(sql`excluded.counts`)}`);

/**
 * The same, unless somebody told of the model just now, or is about to: false, and the counts are better kept for the
 * next time. All workers of a model write to one row; a thousand that wait for it with every heartbeat need all of their
 * connections for that.
 */
export const tellSpread = async (db: Db, what: SpreadName, model: string, counts: readonly number[]): Promise<boolean> =>
  (await db.run(
    prepared(sql`
    with mine as (
      select what, model from spreads
      where what = ${what} and model = ${model} and updated_at <= now() - make_interval(secs => ${quietSeconds})
      for update skip locked),
    told as (
      update spreads s set updated_at = now(), counts = ${decayed(sql`${counts}::float8[]`)} from mine m
      where s.what = m.what and s.model = m.model returning s.what),
    first as (
      insert into spreads (what, model, counts) select ${what}, ${model}, ${counts}::float8[]
      where not exists (select from spreads where what = ${what} and model = ${model})
      on conflict do nothing returning what)
    select what from told union all select what from first`),
  )) > 0;

export interface RateRow {
  model: string;
  /** Null: of all workers. */
  kind: 'spot' | 'dedicated' | null;
  rate: number;
  variance: number;
  settled: number;
}

/** Rates of all models: of all workers, and of those of each kind. */
export const readRates = (db: Db): Promise<RateRow[]> =>
  db.many<RateRow>(sql`
    select model, null as kind, rate, variance, settled from model_rates
    union all select model, kind, rate, variance, settled from pool_rates`);

export const readSpreads = (db: Db): Promise<{ what: SpreadName; model: string; counts: number[] }[]> =>
  db.many(sql`select what, model, counts from spreads`);

/** Weight of a new report among the older ones. */
export const reportWeight = 0.3;

/**
 * Takes in how many requests a second one worker of a kind did. Mean and variance as in `policy/estimate.ts`.
 *
 * @returns the mean before, null where it was the first
 */
export const addRate = async (
  db: Db,
  { model, kind, rate, settled }: { model: string; kind: 'spot' | 'dedicated'; rate: number; settled: number },
): Promise<{ rate: number; settled: number } | null> => {
  const before = await db.maybe<{ rate: number; settled: number }>(sql`select rate, settled from model_rates where model = ${model}`);
  const moved = sql`
    rate = m.rate + ${reportWeight}::float8 * (excluded.rate - m.rate),
    variance = ${1 - reportWeight}::float8 * (m.variance + ${reportWeight}::float8 * power(excluded.rate - m.rate, 2)),
    settled = m.settled + excluded.settled, updated_at = now()`;
  await db.run(sql`
    with kind as (
      insert into pool_rates as m (model, kind, rate, settled) values (${model}, ${kind}, ${rate}::float8, ${settled})
      on conflict (model, kind) do update set ${moved})
    insert into model_rates as m (model, rate, settled) values (${model}, ${rate}::float8, ${settled})
    on conflict (model) do update set ${moved}`);
  return before;
};

/**
 * How often spot workers are taken away, per worker-hour, by those of the last day: the ones that vanished, or were told
 * by a notice. Who was drained by the API or ended by a signal may have been let go.
 */
export const readPreemptions = (db: Db): Promise<{ hours: number; taken: number }> =>
  db.one<{ hours: number; taken: number }>(sql`
    select coalesce(sum(extract(epoch from seen_at - started_at)) / 3600, 0)::float8 as hours,
      count(*) filter (where interrupted_by in ('file', 'endpoint', 'lost'))::int as taken
    from workers where kind = 'spot'`);

/** Who was told to end, or is lost, since somebody counted last; each is counted once, by whichever scheduler. */
export const countInterruptions = (db: Db, leaseSeconds: number): Promise<{ pool: string; by: string; count: number }[]> =>
  db.many(sql`
    with counted as (
      update workers set interruption_counted = true, interrupted_by = coalesce(interrupted_by, 'lost')
      where not interruption_counted
        and (interrupted_by is not null or (state <> 'stopped' and seen_at < now() - make_interval(secs => ${leaseSeconds})))
      returning pool, interrupted_by)
    select pool, interrupted_by as by, count(*)::int as count from counted group by 1, 2`);
