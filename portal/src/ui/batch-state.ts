import { count } from '../lib/format.ts';
import type { Tone } from './status.tsx';

interface Batch {
  status: string;
  request_counts: { total: number; completed: number; failed: number };
}

/** What a batch's state is called: one with failures is never plainly green. */
export const stateOf = ({ status, request_counts: { total, completed, failed } }: Batch): { word?: string; tone?: Tone } => {
  if (status === 'completed' && failed > 0)
    return completed === 0
      ? { word: `Completed · ${count(failed)} of ${count(total)} failed`, tone: 'bad' }
      : { word: 'Completed, some failed', tone: 'warn' };
  if (status === 'failed') return { word: 'Invalid file' };
  return {};
};
