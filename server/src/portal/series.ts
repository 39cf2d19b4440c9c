import type { PortalOverview, PortalRange } from '@sluice/contract';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { newSpread, quantile } from '../policy/spread.ts';
import type { Step } from '../requests/figures.ts';

/** Of each range: the step it is kept in, and how many steps of which seconds are shown. */
const ranges: Record<PortalRange, { step: Step; seconds: number; count: number }> = {
  '1h': { step: 1, seconds: 60, count: 60 },
  '6h': { step: 5, seconds: 300, count: 72 },
  '24h': { step: 5, seconds: 900, count: 96 },
  '7d': { step: 60, seconds: 3_600, count: 168 },
};

interface StepRow {
  at: number;
  completed: number;
  failed: number;
  output_tokens: number;
  /** Classes of the spread with something in them (from 1), and how much. */
  places: number[] | null;
  counts: number[] | null;
}

const readSteps = (db: Db, tenant: string, range: PortalRange): Promise<StepRow[]> => {
  const { step, seconds, count } = ranges[range];
  const bin = sql`make_interval(secs => ${seconds})`;
  return db.many<StepRow>(sql`
    with rows as materialized (
      select date_bin(${bin}, at, 'epoch') as at, completed, failed, output_tokens, spread from figures
      where tenant_id = ${tenant} and minutes = ${step} and at >= date_bin(${bin}, now(), 'epoch') - ${count - 1} * ${bin}),
    sums as (select at, sum(completed)::bigint as completed, sum(failed)::bigint as failed, sum(output_tokens)::bigint as output_tokens from rows group by 1),
    spreads as (
      select at, array_agg(place::int order by place) as places, array_agg(n order by place) as counts
      from (select at, place, sum(n)::bigint as n from rows, unnest(spread) with ordinality u (n, place) where n > 0 group by 1, 2) s
      group by 1)
    select extract(epoch from s.at)::bigint as at, s.completed, s.failed, s.output_tokens, p.places, p.counts
    from sums s left join spreads p on p.at = s.at`);
};

interface MinuteRow {
  /** Minutes ago; the one under way is 0. */
  ago: number;
  model: string;
  settled: number;
  busy_ms: number;
}

const readMinutes = (db: Db, tenant: string): Promise<MinuteRow[]> =>
  db.many<MinuteRow>(sql`
    select (extract(epoch from date_trunc('minute', now()) - at) / 60)::int as ago, model, completed + failed as settled, busy_ms
    from figures where tenant_id = ${tenant} and minutes = 1 and at > now() - interval '60 minutes'`);

interface Day {
  now: number;
  failed: number;
  settled: number;
}

const readDay = (db: Db, tenant: string): Promise<Day> =>
  db.one<Day>(sql`
    select extract(epoch from now())::bigint as now, coalesce(sum(failed), 0)::bigint as failed, coalesce(sum(completed + failed), 0)::bigint as settled
    from figures where tenant_id = ${tenant} and minutes = 5 and at > now() - interval '24 hours'`);

export interface Series {
  columns: PortalOverview['series'];
  sparkline: number[];
  perMinute: number;
  day: { failed: number; settled: number };
  /** Keys of models, with what they did over the last minutes that are over. */
  models: { model: string; per_minute: number; busy: number }[];
}

/** Minutes that are over, by which it is said what is done now. */
const lately = 5;

/** What was settled: over the range, the last hour by minute, the last day, and by model just now. */
export const readSeries = async (db: Db, tenant: string, range: PortalRange): Promise<Series> => {
  const [steps, minutes, { now, ...day }] = await Promise.all([readSteps(db, tenant, range), readMinutes(db, tenant), readDay(db, tenant)]);
  const { seconds, count } = ranges[range];
  const last = now - (now % seconds);
  const at = Array.from({ length: count }, (_, i) => last - (count - 1 - i) * seconds);
  const byTime = new Map(steps.map((row) => [row.at, row]));
  const column = (value: (row: StepRow) => number): number[] => at.map((time) => (byTime.has(time) ? value(byTime.get(time)!) : 0));
  const spreads = at.map((time) => spreadOf(byTime.get(time)));
  const quantiles = (of: number): (number | null)[] => spreads.map((spread) => spread && quantile(spread, of));
  const recent = minutes.filter(({ ago }) => ago >= 1 && ago <= lately);
  const sum = (rows: readonly MinuteRow[], field: 'settled' | 'busy_ms'): number => rows.reduce((total, row) => total + row[field], 0);
  return {
    columns: {
      step_seconds: seconds,
      at,
      completed: column((row) => row.completed),
      failed: column((row) => row.failed),
      p50_ms: quantiles(0.5),
      p95_ms: quantiles(0.95),
      output_tokens: column((row) => row.output_tokens),
    },
    sparkline: Array.from({ length: 60 }, (_, i) =>
      sum(
        minutes.filter(({ ago }) => ago === 59 - i),
        'settled',
      ),
    ),
    perMinute: sum(recent, 'settled') / lately,
    day,
    models: [...Map.groupBy(recent, ({ model }) => model)].map(([model, rows]) => ({
      model,
      per_minute: sum(rows, 'settled') / lately,
      busy: sum(rows, 'busy_ms') / (lately * 60_000),
    })),
  };
};

const spreadOf = (row: StepRow | undefined): number[] | null => {
  if (!row?.places || !row.counts) return null;
  const spread = newSpread();
  row.places.forEach((place, i) => (spread[place - 1] = row.counts![i]!));
  return spread;
};
