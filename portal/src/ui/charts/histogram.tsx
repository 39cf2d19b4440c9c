import { Button, TextInput } from '@mantine/core';
import type { MouseEvent, SubmitEvent } from 'react';
import css from './charts.module.css';

interface HistogramProps {
  label: string;
  /** One more than there are counts. */
  edges: readonly number[];
  counts: readonly number[];
  /** A range is chosen: null leaves an end open; `to` is included only where `last` says so. */
  choose?: (from: number | null, to: number | null, last: boolean) => void;
}

const digits = (value: number): string => String(Number(value.toPrecision(3)));

const numberOf = (form: FormData, name: string): number | null => {
  const text = form.get(name);
  const value = typeof text === 'string' && text.trim() !== '' ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : null;
};

/** How values are spread. A range is chosen by pressing a bar, or by its ends, which needs no mouse. */
export const Histogram = ({ label, edges, counts, choose }: HistogramProps) => {
  const most = Math.max(1, ...counts);
  const press = ({ clientX, currentTarget }: MouseEvent) => {
    const { left, width } = currentTarget.getBoundingClientRect();
    const bar = Math.max(0, Math.min(counts.length - 1, Math.floor((counts.length * (clientX - left)) / width)));
    if (counts[bar]! > 0) choose?.(edges[bar]!, edges[bar + 1]!, bar === counts.length - 1);
  };
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const [from, to] = [numberOf(form, 'from'), numberOf(form, 'to')];
    if (from !== null || to !== null) choose?.(from, to, true);
  };
  const ends = edges.length < 2 ? ['', ''] : [digits(edges[0]!), digits(edges.at(-1)!)];
  return (
    <figure className={css.histogram}>
      <div className={css.bars} role="img" aria-label={`${label}, from ${ends[0]} to ${ends[1]}`} onClick={choose && press}>
        {counts.map((n, i) => (
          <span key={edges[i]} className={css.bar} title={`${digits(edges[i]!)} to ${digits(edges[i + 1]!)}: ${n}`}>
            <i style={{ height: `${n === 0 ? 0 : Math.max(2, (100 * n) / most)}%` }} />
          </span>
        ))}
      </div>
      <div className={css.edges} aria-hidden>
        <span>{ends[0]}</span>
        <span>{ends[1]}</span>
      </div>
      {choose && (
        <form className={css.range} onSubmit={submit}>
          <TextInput
            size="xs"
            name="from"
            aria-label={`${label}: at least`}
            placeholder={`at least ${ends[0]}`}
            inputMode="decimal"
            w={112}
          />
          <TextInput size="xs" name="to" aria-label={`${label}: at most`} placeholder={`at most ${ends[1]}`} inputMode="decimal" w={112} />
          <Button type="submit" variant="default">
            Show these
          </Button>
        </form>
      )}
    </figure>
  );
};
