import type { Api } from '../../lib/api.ts';
import { count, duration } from '../../lib/format.ts';
import { kindOf } from '../../ui/pool-kind.ts';
import css from './pools.module.css';

type Pool = Api<'Pool'>;

/** As many marks as a row has room for: one a worker, or a share of them where there are more. */
const marks = 20;

const Gauge = ({ of: { actual, desired, maximum, name } }: { of: Pool }) => {
  const most = Math.max(1, desired, actual);
  const of = Math.min(marks, Math.max(most, maximum));
  const share = (workers: number) => (most <= marks ? workers : Math.ceil((workers * marks) / most));
  return (
    <span
      className={css.gauge}
      role="meter"
      aria-label={`Workers of ${name}`}
      aria-valuemin={0}
      aria-valuemax={Math.max(1, maximum, desired, actual)}
      aria-valuenow={actual}
      aria-valuetext={`${count(actual)} ready, ${count(desired)} wanted, ${count(maximum)} at most`}
    >
      {Array.from({ length: of }, (_, i) => (
        <i key={i} data-on={i < share(actual) || undefined} data-wanted={i < share(desired) || undefined} />
      ))}
    </span>
  );
};

/** Each pool: what it is, how many workers are there, how many are wanted and why. */
export const Pools = ({ pools }: { pools: readonly Pool[] }) => (
  <ul className={css.pools} aria-label="Pools">
    {pools.map((pool) => (
      <li key={pool.name} className={css.pool}>
        <div className={css.line}>
          <h2>{pool.name}</h2>
          {kindOf(pool) !== null && <span className="quiet">{kindOf(pool)}</span>}
          <span className={css.space} />
          <span className="num quiet" title="Price of a worker for an hour">
            {pool.price.toLocaleString('en', { maximumFractionDigits: 4 })} an hour
          </span>
        </div>
        <div className={css.line}>
          <b className="num">{count(pool.actual)}</b>
          <span>ready</span>
          <span className="quiet">·</span>
          <b className="num">{count(pool.desired)}</b>
          <span>wanted</span>
          <span className={css.space} />
          <Gauge of={pool} />
        </div>
        <p className="quiet cut" title={pool.reason}>
          {pool.reason}
        </p>
        <p className="quiet num">
          {count(pool.minimum)} to {count(pool.maximum)} · one for {count(pool.backlog_ratio)} queued · starts in{' '}
          {duration(pool.startup_seconds)}
        </p>
      </li>
    ))}
  </ul>
);
