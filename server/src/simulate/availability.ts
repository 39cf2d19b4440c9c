import type { Random } from './random.ts';

/** A time for which a spot slot can hold a worker, in seconds. */
export interface Up {
  readonly from: number;
  readonly to: number;
}

/** Hours that a zone's spot capacity is there, and is gone, on average. */
export interface Zone {
  readonly name: string;
  readonly up: number;
  readonly down: number;
}

/**
 * Nine zones from almost never to almost always. Availability (.17 to .91) is what was computed from the published traces
 * of one-node spot instances; up-runs are set inside the published range of means (0.7 to 10.4 h), so that the down-runs
 * that follow lie in theirs (0.8 to 3.6 h). Only these means are used: no trace is shipped. Source: scheduling.md 1.2.
 */
export const zones: readonly Zone[] = [
  ['us-east-1a', 0.17, 0.7],
  ['us-east-1c', 0.47, 1.4],
  ['us-east-1d', 0.45, 1.6],
  ['us-east-1f', 0.59, 2.4],
  ['us-east-2a', 0.76, 4.2],
  ['us-east-2b', 0.68, 3.1],
  ['us-west-2a', 0.88, 7.2],
  ['us-west-2b', 0.91, 10.4],
  ['us-west-2c', 0.89, 8.1],
].map(([name, share, up]) => ({
  name: name as string,
  up: up as number,
  down: ((up as number) * (1 - (share as number))) / (share as number),
}));

export type Availability =
  | {
      readonly kind: 'zone';
      readonly zone: Zone;
      /** Share of the slots that come and go together; the others each by themselves, with the same means. */
      readonly correlated: number;
    }
  /** Up-times of each slot, written out; slots beyond the list repeat it. */
  | { readonly kind: 'given'; readonly slots: readonly (readonly Up[])[] };

/**
 * Up-times of each slot until `until` seconds: exponential up and down runs with the zone's means, from their stationary
 * state.
 */
export const spotSlots = (availability: Availability, slots: number, until: number, random: Random): Up[][] => {
  if (availability.kind === 'given') {
    const { slots: given } = availability;
    return Array.from({ length: slots }, (_, slot) => (given.length === 0 ? [] : [...given[slot % given.length]!]));
  }
  const { zone, correlated } = availability;
  const together = runs(zone, until, random.fork('together'));
  const shared = Math.round(correlated * slots);
  return Array.from({ length: slots }, (_, slot) => (slot < shared ? together : runs(zone, until, random.fork(`slot ${slot}`))));
};

const runs = ({ up, down }: Zone, until: number, random: Random): Up[] => {
  const found: Up[] = [];
  let is = random.next() < up / (up + down);
  let at = 0;
  while (at < until) {
    const end = at + random.exponential((is ? up : down) * 3_600);
    if (is) found.push({ from: at, to: end });
    [at, is] = [end, !is];
  }
  return found;
};
