import css from './charts.module.css';

interface HistogramProps {
  label: string;
  /** One more than there are counts. */
  edges: readonly number[];
  counts: readonly number[];
  /** A bar is pressed: from its lower edge to its upper one, which only the last bar includes. */
  choose?: (from: number, to: number, last: boolean) => void;
}

const digits = (value: number): string => String(Number(value.toPrecision(3)));

/** How values are spread; bars are buttons, so that a range can be chosen without a mouse. */
export const Histogram = ({ label, edges, counts, choose }: HistogramProps) => {
  const most = Math.max(1, ...counts);
  return (
    <figure className={css.histogram} aria-label={label}>
      <div className={css.bars}>
        {counts.map((n, i) => {
          const [from, to] = [edges[i]!, edges[i + 1]!];
          return (
            <button
              key={from}
              type="button"
              className={css.bar}
              disabled={choose === undefined || n === 0}
              onClick={() => choose?.(from, to, i === counts.length - 1)}
              title={`${digits(from)} to ${digits(to)}: ${n}`}
              aria-label={`${digits(from)} to ${digits(to)}: ${n}`}
            >
              <span style={{ height: `${n === 0 ? 0 : Math.max(2, (100 * n) / most)}%` }} />
            </button>
          );
        })}
      </div>
      <div className={css.edges} aria-hidden>
        <span>{edges.length > 0 ? digits(edges[0]!) : ''}</span>
        <span>{edges.length > 1 ? digits(edges.at(-1)!) : ''}</span>
      </div>
    </figure>
  );
};
