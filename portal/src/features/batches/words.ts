import { clockTime, duration } from '../../lib/format.ts';
import type { Tone } from '../../ui/status.tsx';
import type { Batch } from './queries.ts';
import { open } from './states.ts';

export const nameOf = ({ name, id }: Pick<Batch, 'name' | 'id'>): string => name ?? id;

export const endedAt = (batch: Batch): number | null => batch.completed_at ?? batch.failed_at ?? batch.expired_at ?? batch.cancelled_at;

/** How the deadline stands, in words that say what to think of it. */
export const slaOf = (batch: Batch, now = Date.now() / 1_000): { word: string; tone: Tone; detail: string } | null => {
  const left = batch.expires_at - now;
  const window = batch.expires_at - batch.created_at;
  const until = `Deadline ${clockTime(batch.expires_at)}`;
  if (!open(batch.status)) {
    if (batch.sla === 'met')
      return {
        word: 'Met',
        tone: 'ok',
        detail: `${until}; ended ${duration(batch.expires_at - (endedAt(batch) ?? batch.expires_at))} before it`,
      };
    if (batch.sla === 'breached') return { word: 'Missed', tone: 'bad', detail: until };
    return null;
  }
  if (left <= 0) return { word: 'Overdue', tone: 'bad', detail: until };
  const late = batch.forecast !== null && batch.forecast.p90 > batch.expires_at;
  const close = left < 0.15 * window;
  return {
    word: `${duration(left)} left`,
    tone: batch.at_risk || batch.sla === 'at_risk' || late || close ? 'warn' : 'still',
    detail: until,
  };
};

/** Requests that are at an end, and how many a second since it began. */
export const paceOf = (batch: Batch, now = Date.now() / 1_000): { done: number; perSecond: number | null } => {
  const { completed, failed, cancelled, expired } = batch.request_counts;
  const done = completed + failed + cancelled + expired;
  const seconds = (endedAt(batch) ?? now) - (batch.in_progress_at ?? now);
  return { done, perSecond: done > 0 && seconds > 0 ? (completed + failed) / Math.max(1, seconds) : null };
};

export const priorityOf = (priority: number): string => ({ 1: 'normal', 5: 'medium', 10: 'high' })[priority] ?? String(priority);
