import type { Up } from './availability.ts';
import type { Options } from './options.ts';

/** Work that has to be done by a time; worker-seconds and seconds. */
export interface Due {
  readonly at: number;
  readonly deadline: number;
  readonly work: number;
}

/**
 * A lower bound of what any policy must pay, with foresight and work that divides at will: spot does what can be done by
 * earliest deadline first in the time its slots are up (each run shortened by a start), dropping work at its deadline;
 * dedicated workers do the rest, without a start and without idling. For a single batch this is
 * min(W, A)·p_s + max(0, W − A)·p_d. Where spot is not cheaper per unit of work, all is done by dedicated workers.
 *
 * Source: scheduling.md 1.6; earliest deadline first maximises the divisible work that one resource does in time.
 */
export const oracleCost = (
  due: readonly Due[],
  slots: readonly (readonly Up[])[],
  { pools, coldStart }: Pick<Options, 'pools' | 'coldStart'>,
): number => {
  const total = due.reduce((sum, { work }) => sum + work, 0);
  const [spot, dedicated] = [pools.spot.price / pools.spot.rate, pools.dedicated.price / pools.dedicated.rate];
  if (spot >= dedicated) return (total * dedicated) / 3_600;
  const onSpot = doneOnSpot(due, slots, coldStart, pools.spot.rate);
  return (onSpot * spot + (total - onSpot) * dedicated) / 3_600;
};

/** Work that earliest deadline first does on spot, all slots taken together as one resource of changing speed. */
const doneOnSpot = (due: readonly Due[], slots: readonly (readonly Up[])[], coldStart: number, rate: number): number => {
  const changes: { at: number; slots: number }[] = [];
  for (const { from, to } of slots.flat()) {
    if (to - from <= coldStart) continue;
    changes.push({ at: from + coldStart, slots: 1 }, { at: to, slots: -1 });
  }
  const times = [
    ...changes,
    ...due.flatMap(({ at, deadline }) => [
      { at, slots: 0 },
      { at: deadline, slots: 0 },
    ]),
  ].sort((a, b) => a.at - b.at);
  const left = due.map(({ work }) => work);
  const byDeadline = due.map((_, index) => index).sort((a, b) => due[a]!.deadline - due[b]!.deadline);
  let done = 0;
  let up = 0;
  times.forEach(({ at, slots: change }, index) => {
    up += change;
    const next = times[index + 1]?.at;
    if (next === undefined || next <= at || up === 0) return;
    let room = up * rate * (next - at);
    for (const one of byDeadline) {
      if (room <= 0) break;
      if (due[one]!.at > at || due[one]!.deadline < next || left[one]! <= 0) continue;
      const part = Math.min(room, left[one]!);
      left[one]! -= part;
      room -= part;
      done += part;
    }
  });
  return done;
};
