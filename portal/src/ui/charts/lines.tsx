import { useId, useState } from 'react';
import { clockOfDay, clockTime } from '../../lib/format.ts';
import css from './charts.module.css';

export interface Series {
  name: string;
  color: string;
  values: readonly (number | null)[];
  /** Filled down to zero. */
  filled?: boolean;
}

interface LinesProps {
  label: string;
  /** Seconds since the epoch, one for each value. */
  at: readonly number[];
  series: readonly Series[];
  format: (value: number) => string;
  height?: number;
}

const box = { width: 600, left: 52, right: 8, top: 8, bottom: 20 };

/** A number of the kind 1, 2, 5 × 10ⁿ that is at least as large. */
export const roundUp = (value: number): number => {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].find((step) => step * power >= value)! * power;
};

/** A path through the values that are there: a hole where one is not. */
export const pathOf = (values: readonly (number | null)[], x: (i: number) => number, y: (value: number) => number): string => {
  let open = false;
  let path = '';
  values.forEach((value, i) => {
    if (value === null) {
      open = false;
      return;
    }
    path += `${open ? 'L' : 'M'}${x(i).toFixed(1)} ${y(value).toFixed(1)}`;
    open = true;
  });
  return path;
};

/** Lines over time, drawn as SVG, with the values as a table for whoever does not see them. */
export const Lines = ({ label, at, series, format, height = 160 }: LinesProps) => {
  const id = useId();
  const [over, setOver] = useState<number | null>(null);
  const top = roundUp(Math.max(0, ...series.flatMap(({ values }) => values.flatMap((value) => (value === null ? [] : [value])))));
  const inner = { width: box.width - box.left - box.right, height: height - box.top - box.bottom };
  const x = (i: number) => box.left + (at.length < 2 ? 0 : (i / (at.length - 1)) * inner.width);
  const y = (value: number) => box.top + inner.height * (1 - value / top);
  // Of whole numbers the half of 1 is written as one of its neighbours: once is enough.
  const ticks = [0, 1, 0.5]
    .map((share) => share * top)
    .filter((tick, i, all) => all.findIndex((each) => format(each) === format(tick)) === i);
  const times = [0, 0.25, 0.5, 0.75, 1].map((share) => Math.round(share * (at.length - 1)));
  // Of a day or less everybody knows which day it is.
  const long = at.length > 1 && at.at(-1)! - at[0]! > 90_000;
  const point = (clientX: number, target: Element) => {
    const { left, width } = target.getBoundingClientRect();
    const place = ((clientX - left) / width) * box.width - box.left;
    setOver(Math.max(0, Math.min(at.length - 1, Math.round((place / inner.width) * (at.length - 1)))));
  };
  return (
    <figure className={css.figure} aria-labelledby={id}>
      <figcaption id={id} className={css.legend}>
        <span className="hidden">{label}</span>
        {series.map(({ name, color, values }) => {
          const value = over === null ? null : values[over];
          return (
            <span key={name}>
              <i style={{ background: color }} aria-hidden />
              {name}
              {over !== null && <b className="num"> {value === null || value === undefined ? '–' : format(value)}</b>}
            </span>
          );
        })}
        {over !== null && at[over] !== undefined && <span className="quiet num">{clockTime(at[over])}</span>}
      </figcaption>
      <svg
        viewBox={`0 0 ${box.width} ${height}`}
        width="100%"
        height={height}
        preserveAspectRatio="none"
        aria-hidden
        onPointerMove={({ clientX, currentTarget }) => point(clientX, currentTarget)}
        onPointerLeave={() => setOver(null)}
      >
        {ticks.map((tick) => (
          <line key={tick} x1={box.left} x2={box.width - box.right} y1={y(tick)} y2={y(tick)} className={css.grid} />
        ))}
        {series.map(({ name, color, values, filled }) => {
          const path = pathOf(values, x, y);
          return path === '' ? null : (
            <g key={name}>
              {filled && values.every((value) => value !== null) && (
                <path d={`${path}L${x(values.length - 1)} ${y(0)}L${x(0)} ${y(0)}Z`} fill={color} opacity={0.14} />
              )}
              {values.map((value, i) =>
                value !== null && (values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null ? (
                  <path
                    key={at[i]}
                    d={`M${x(i)} ${y(value)}h0`}
                    stroke={color}
                    strokeWidth={5}
                    strokeLinecap="round"
                    vectorEffect="non-scaling-stroke"
                  />
                ) : null,
              )}
              <path d={path} fill="none" stroke={color} strokeWidth={1.75} vectorEffect="non-scaling-stroke" strokeLinejoin="round" />
            </g>
          );
        })}
        {over !== null && <line x1={x(over)} x2={x(over)} y1={box.top} y2={height - box.bottom} className={css.cursor} />}
      </svg>
      <div className={css.ticks} style={{ height }} aria-hidden>
        {ticks.map((tick) => (
          <span key={tick} style={{ top: `${(100 * y(tick)) / height}%` }}>
            {format(tick)}
          </span>
        ))}
      </div>
      <div className={css.times} aria-hidden>
        {at.length > 1 && times.map((i) => <span key={i}>{(long ? clockTime : clockOfDay)(at[i]!)}</span>)}
      </div>
      <table className="hidden">
        <caption>{label}</caption>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {series.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {at.map((second, i) =>
            // Two dozen rows say what there is to hear; the API has all of them.
            i % Math.max(1, Math.ceil(at.length / 24)) === 0 ? (
              <tr key={second}>
                <th scope="row">{clockTime(second)}</th>
                {series.map(({ name, values }) => (
                  <td key={name}>{values[i] === null || values[i] === undefined ? '–' : format(values[i])}</td>
                ))}
              </tr>
            ) : null,
          )}
        </tbody>
      </table>
    </figure>
  );
};

/** How a number went lately, without axes. */
export const Sparkline = ({ values, label }: { values: readonly number[]; label: string }) => {
  const top = Math.max(1, ...values);
  const path = pathOf(
    values,
    (i) => (values.length < 2 ? 0 : (100 * i) / (values.length - 1)),
    (value) => 23 - (22 * value) / top,
  );
  return (
    <svg className={css.spark} viewBox="0 0 100 24" preserveAspectRatio="none" role="img" aria-label={label}>
      {path !== '' && <path d={`${path}L100 24L0 24Z`} className={css.sparkArea} />}
      {path !== '' && <path d={path} className={css.sparkLine} vectorEffect="non-scaling-stroke" />}
    </svg>
  );
};
