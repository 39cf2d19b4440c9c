import { Link } from '@tanstack/react-router';
import { compact, count, duration, none, percent } from '../../lib/format.ts';
import { Lines } from '../../ui/charts/lines.tsx';
import { Card } from '../../ui/page.tsx';
import { kindOf } from '../../ui/pool-kind.ts';
import type { Overview } from './overview.tsx';
import css from './dashboard.module.css';

/** How many requests were settled, and how long they took. */
export const Pace = ({ of: { series } }: { of: Overview }) => {
  const perMinute = (values: readonly number[]) => values.map((value) => (60 * value) / series.step_seconds);
  const seconds = (values: readonly (number | null)[]) => values.map((value) => (value === null ? null : value / 1_000));
  return (
    <Card title="Throughput and latency">
      <div className={css.charts}>
        <Lines
          label="Requests a minute"
          at={series.at}
          format={(value) => compact(Math.round(value))}
          series={[
            { name: 'Completed a minute', color: 'var(--bar-ok)', values: perMinute(series.completed), filled: true },
            { name: 'Failed', color: 'var(--bar-bad)', values: perMinute(series.failed) },
          ]}
        />
        <Lines
          label="How long requests took"
          at={series.at}
          format={(value) => (value === 0 ? '0' : duration(value))}
          series={[
            { name: 'Half within', color: 'var(--bar-run)', values: seconds(series.p50_ms) },
            { name: '95 % within', color: 'var(--warn)', values: seconds(series.p95_ms) },
          ]}
        />
      </div>
    </Card>
  );
};

/** What each model does just now. */
export const Models = ({ of: { models } }: { of: Overview }) => (
  <Card title="Models" flush>
    {models.length === 0 ? (
      <p className={css.fine}>None has had anything to do lately.</p>
    ) : (
      <ul className={css.list}>
        {models.slice(0, 8).map(({ model, running, queued, per_minute: pace, workers }) => (
          <li key={model} className={css.row}>
            <Link to={`/models/${encodeURIComponent(model.replace(/@[^@]*$/, ''))}`} className={`${css.label} cut`} title={model}>
              {model}
            </Link>
            <span className="quiet num" title={`${count(running)} running, ${count(queued)} queued, ${count(workers)} workers`}>
              {compact(running)} / {compact(queued)}
            </span>
            <span className="num">{compact(Math.round(pace))}/min</span>
          </li>
        ))}
      </ul>
    )}
  </Card>
);

/** How much of each pool is there, and busy. */
export const Pools = ({ of: { pools } }: { of: Overview }) => (
  <Card title="Pools" flush>
    <ul className={css.list}>
      {pools.map(({ name, preemptible, desired, actual, busy }) => (
        <li key={name} className={css.row}>
          <Link to="/workers" className={css.label}>
            {name} {kindOf({ name, preemptible }) !== null && <span className="quiet">{kindOf({ name, preemptible })}</span>}
          </Link>
          <span className="quiet num">
            {count(actual)} of {count(desired)} wanted
          </span>
          <span className="num">{actual === 0 ? none : `${percent(busy, actual)} busy`}</span>
        </li>
      ))}
    </ul>
  </Card>
);
