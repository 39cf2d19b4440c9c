import type { ReactNode } from 'react';
import { compact, count, duration, none, percent } from '../../lib/format.ts';
import { Sparkline } from '../../ui/charts/lines.tsx';
import type { Overview } from './overview.tsx';
import css from './dashboard.module.css';

interface Tile {
  title: string;
  /** The list it is a figure of. */
  to: string;
  search?: Record<string, string>;
  show: (now: Overview) => ReactNode;
}

const Figure = ({ value, note, bad }: { value: string; note?: ReactNode; bad?: boolean }) => (
  <>
    <span className={css.value} data-bad={bad || undefined}>
      {value}
    </span>
    {note !== undefined && <span className={css.note}>{note}</span>}
  </>
);

const shareOf = (part: number, whole: number): string => (whole === 0 ? none : percent(part, whole));

/** Each can be left out and put elsewhere; the names are kept with the user. */
export const tiles = {
  work: {
    title: 'Running and queued',
    to: '/batches',
    search: { status: 'in_progress' },
    show: ({ requests: { running, queued, waiting } }) => (
      <Figure
        value={`${compact(running)} / ${compact(queued)}`}
        note={waiting > 0 ? `${count(waiting)} wait for a retry` : 'requests, jobs among them'}
      />
    ),
  },
  pace: {
    title: 'Requests a minute',
    to: '/batches',
    show: ({ per_minute: pace, sparkline }) => (
      <>
        <Figure value={compact(Math.round(pace))} />
        <Sparkline values={sparkline} label="Requests settled in each of the last 60 minutes" />
      </>
    ),
  },
  failed: {
    title: 'Failed, 24 h',
    to: '/batches',
    search: { status: 'failed' },
    show: ({ failed_24h: { failed, settled } }) => (
      <Figure
        value={shareOf(failed, settled)}
        note={`${count(failed)} of ${count(settled)}`}
        bad={settled > 0 && failed / settled > 0.05}
      />
    ),
  },
  sla: {
    title: 'Deadlines met, 7 d',
    to: '/batches',
    show: ({ sla_7d: { met, breached } }) => (
      <Figure value={shareOf(met, met + breached)} note={`${count(breached)} missed`} bad={breached > 0} />
    ),
  },
  oldest: {
    title: 'Oldest queued',
    to: '/batches',
    search: { status: 'in_progress', sort: 'created_at' },
    show: ({ oldest_queued_seconds: age }) => (
      <Figure value={duration(age)} note={age === null ? 'nothing waits' : 'since it was created'} />
    ),
  },
  eta: {
    title: 'Queue done in',
    to: '/batches',
    search: { status: 'in_progress' },
    show: ({ queue_eta_seconds: eta, requests: { queued } }) => (
      <Figure value={duration(eta)} note={eta === null ? (queued === 0 ? 'nothing waits' : 'not known yet') : 'at even odds'} />
    ),
  },
  risk: {
    title: 'At risk',
    to: '/batches',
    search: { sla: 'at_risk' },
    show: ({ batches: { at_risk: risk, in_progress: running } }) => (
      <Figure value={count(risk)} note={`of ${count(running)} running`} bad={risk > 0} />
    ),
  },
  workers: {
    title: 'Workers busy',
    to: '/workers',
    show: ({ workers: { ready, busy, lost } }) => (
      <Figure value={`${count(busy)} / ${count(ready)}`} note={lost > 0 ? `${count(lost)} lost` : 'of those ready'} bad={lost > 0} />
    ),
  },
} satisfies Record<string, Tile> as Record<'work' | 'pace' | 'failed' | 'sla' | 'oldest' | 'eta' | 'risk' | 'workers', Tile>;

export type TileId = keyof typeof tiles;

export const shownAtFirst: readonly TileId[] = ['work', 'pace', 'failed', 'sla', 'oldest', 'eta'];
