import {
  IconAlertTriangle,
  IconBan,
  IconCircleCheck,
  IconCircleDashed,
  IconCircleX,
  IconClockX,
  IconLoader2,
  IconRotateClockwise,
  IconSkull,
  type TablerIcon,
} from '@tabler/icons-react';
import { count, percent } from '../lib/format.ts';
import css from './status.module.css';

export type Tone = 'ok' | 'bad' | 'warn' | 'run' | 'still';

interface Look {
  word: string;
  tone: Tone;
  icon: TablerIcon;
  turns?: boolean;
}

/** Every state of batches, requests, jobs, operations and models: a word, a colour and a shape, so that none is needed alone. */
const looks: Record<string, Look> = {
  validating: { word: 'Validating', tone: 'run', icon: IconLoader2, turns: true },
  in_progress: { word: 'Running', tone: 'run', icon: IconLoader2, turns: true },
  finalizing: { word: 'Finalizing', tone: 'run', icon: IconLoader2, turns: true },
  cancelling: { word: 'Cancelling', tone: 'warn', icon: IconLoader2, turns: true },
  completed: { word: 'Completed', tone: 'ok', icon: IconCircleCheck },
  failed: { word: 'Failed', tone: 'bad', icon: IconCircleX },
  expired: { word: 'Expired', tone: 'warn', icon: IconClockX },
  cancelled: { word: 'Cancelled', tone: 'still', icon: IconBan },
  queued: { word: 'Queued', tone: 'still', icon: IconCircleDashed },
  running: { word: 'Running', tone: 'run', icon: IconLoader2, turns: true },
  waiting: { word: 'Waiting to retry', tone: 'warn', icon: IconRotateClockwise },
  dead_lettered: { word: 'Dead letter', tone: 'bad', icon: IconSkull },
  stopping: { word: 'Stopping', tone: 'warn', icon: IconLoader2, turns: true },
  stopped: { word: 'Stopped', tone: 'still', icon: IconBan },
  ready: { word: 'Ready', tone: 'ok', icon: IconCircleCheck },
  pending: { word: 'Pending', tone: 'still', icon: IconCircleDashed },
  uploaded: { word: 'Uploaded', tone: 'still', icon: IconCircleDashed },
  archived: { word: 'Archived', tone: 'still', icon: IconBan },
  on_track: { word: 'On track', tone: 'ok', icon: IconCircleCheck },
  at_risk: { word: 'At risk', tone: 'warn', icon: IconAlertTriangle },
  met: { word: 'Met', tone: 'ok', icon: IconCircleCheck },
  breached: { word: 'Missed', tone: 'bad', icon: IconClockX },
};

export const lookOf = (status: string): Look => looks[status] ?? { word: status, tone: 'still', icon: IconCircleDashed };

interface StatusProps {
  of: string;
  /** Said instead of the state's own word. */
  word?: string;
  tone?: Tone;
  chip?: boolean;
}

export const Status = ({ of, word, tone, chip }: StatusProps) => {
  const look = lookOf(of);
  const Icon = tone === 'bad' && look.tone === 'ok' ? IconAlertTriangle : look.icon;
  return (
    <span className={`${css.status} ${css[tone ?? look.tone]} ${chip ? css.chip : ''} ${look.turns ? css.turn : ''}`}>
      <Icon size={14} stroke={2} aria-hidden />
      {word ?? look.word}
    </span>
  );
};

export interface Parts {
  total: number;
  ok: number;
  bad?: number;
  running?: number;
  still?: number;
}

interface ProgressProps {
  of: Parts;
  label: string;
  /** What it says to those who do not see it; absent: how many succeeded, and failed. */
  value?: string;
}

/** How much of a whole has come to which end. */
export const Progress = ({ of: { total, ok, bad = 0, running = 0, still = 0 }, label, value }: ProgressProps) => {
  const share = (part: number) => ({ width: `${total > 0 ? (100 * part) / total : 0}%` });
  const done = ok + bad + still;
  return (
    <span
      className={css.track}
      role="progressbar"
      aria-valuemin={0}
      aria-valuemax={Math.max(1, total)}
      aria-valuenow={Math.min(value === undefined ? done : done + running, Math.max(1, total))}
      aria-label={label}
      aria-valuetext={
        value ?? `${percent(done, total)}: ${count(ok)} of ${count(total)} succeeded${bad > 0 ? `, ${count(bad)} failed` : ''}`
      }
    >
      {ok > 0 && <i className={css.barOk} style={share(ok)} />}
      {bad > 0 && <i className={css.barBad} style={share(bad)} />}
      {still > 0 && <i className={css.barStill} style={share(still)} />}
      {running > 0 && <i className={css.barRun} style={share(running)} />}
    </span>
  );
};
