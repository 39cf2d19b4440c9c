import { adapt, newAdaptive, type Adaptive } from './strategy.ts';

/** What is remembered of a batch whose width is being found. Plain data: it is kept in the batch's row. */
export interface Widening {
  readonly state: Adaptive;
  /** Totals when the round began, and when that was. */
  readonly completed: number;
  readonly errors: number;
  readonly at: number;
  /** Until when nothing counts: workers have yet to hear of the width. */
  readonly until: number;
  /** The width, and nothing else, has held it back since then. */
  readonly full: boolean;
  /** Rounds in a row in which something else did. */
  readonly spare: number;
  /** The width at which requests began to fail, and their share then; null: they do not. */
  readonly blamed: { readonly width: number; readonly share: number } | null;
  /** Share of failures that no width mends: an eighth of it did not help. */
  readonly tolerated: number;
}

/** One batch, as it stands. */
export interface Sight {
  readonly now: number;
  /** Requests that completed, and attempts that failed in a way that another may mend, so far. */
  readonly completed: number;
  readonly errors: number;
  /** Requests in flight, queued, and waiting for a retry. */
  readonly running: number;
  readonly queued: number;
  readonly waiting: number;
  /** Requests that the next chunk would put in flight. */
  readonly takes: number;
}

/** Outcomes below which a round says nothing, and seconds after which it says what it can. */
const [enough, longest] = [16, 120];
const errorLimit = 0.05;
/**
 * Share of what is under way that waits to be tried again, above which a batch without a limit gets one. An upstream that
 * is asked for too much refuses most of it; a batch of which a tenth fails once for reasons of its own is not in trouble,
 * and a limit would only make it slow (a million requests took six times as long).
 */
const troubleLimit = 0.5;
/** Rounds in a row with room to spare after which a batch that did not ask for a strategy has no limit any more. */
const spareRounds = 6;

/**
 * Whether a batch that has no limit needs one: more than half of what it has under way waits to be tried again.
 * Looked at before anything is counted, so that a batch without trouble costs nothing.
 */
export const troubled = ({ running, waiting }: Pick<Sight, 'running' | 'waiting'>): boolean =>
  waiting >= enough && waiting > troubleLimit * (running + waiting);

/**
 * One round for a batch with strategy `adaptive`. Where that was asked for (`asked`), it begins with few requests at once
 * and widens while throughput grows. Where it is only the default, it begins as wide as the workers make it, which costs
 * nothing, and gets a limit when requests fail in ways that another attempt may mend; once it has room to spare for a
 * while, the limit goes.
 *
 * Failures are blamed on the width only while a smaller one helps. A batch of which a tenth fails at any width would
 * otherwise be halved until it stands still.
 *
 * @param lag seconds until a new width is what the workers keep to and its requests begin to end
 * @returns null: no limit
 */
export const widen = (before: Widening | null, sight: Sight, asked: boolean, lag = 0): Widening | null => {
  const after = decide(before, sight, asked);
  if (after === null || after === before || after.state.width === before?.state.width) return after;
  return { ...after, until: sight.now + lag };
};

const decide = (before: Widening | null, sight: Sight, asked: boolean): Widening | null => {
  const { now, completed, errors } = sight;
  if (before === null) {
    const begun = { completed, errors, at: now, until: now, full: true, spare: 0, blamed: null, tolerated: 0 };
    if (asked) return { ...begun, state: newAdaptive };
    if (!troubled(sight)) return null;
    const width = Math.max(1, sight.running);
    return { ...begun, state: { width, phase: 'hold', best: { width, throughput: 0 }, rounds: 0 } };
  }
  if (now < before.until) return before;
  if (before.at < before.until) return { ...before, completed, errors, at: now, full: true };
  const full = before.full && sight.queued > 0 && sight.running + sight.takes > before.state.width;
  const seen = { completed: completed - before.completed, errors: errors - before.errors, seconds: now - before.at };
  const done = seen.completed + seen.errors;
  if (seen.seconds <= 0 || (done < Math.max(enough, before.state.width) && seen.seconds < longest)) return { ...before, full };
  const next = { ...before, completed, errors, at: now, full: true };
  const share = done > 0 ? seen.errors / done : 0;
  if (share > Math.max(errorLimit, 1.5 * before.tolerated)) {
    // An eighth of it, because a server that is asked for eight times too much still fails most at half.
    if (before.blamed !== null && before.state.width <= Math.max(1, before.blamed.width / 8) && share > 0.7 * before.blamed.share) {
      const { width } = before.blamed;
      return { ...next, blamed: null, tolerated: share, state: { width, phase: 'hold', best: { width, throughput: 0 }, rounds: 0 } };
    }
    return {
      ...next,
      spare: 0,
      blamed: before.blamed ?? { width: before.state.width, share },
      state: adapt(before.state, { ...seen, full }),
    };
  }
  const spare = full ? 0 : before.spare + 1;
  // What it has learnt to put up with would be forgotten.
  if (!asked && spare > spareRounds && before.tolerated === 0) return null;
  // What fails at any width is no reason to halve.
  return { ...next, spare, blamed: null, state: adapt(before.state, { ...seen, errors: 0, full }) };
};
