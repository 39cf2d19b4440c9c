/**
 * How values are spread: counts by classes that grow by a fifth of an octave, from 1 to 2^27 (milliseconds: a day and a
 * half). Plain arrays that can be added, so that any number of processes may count into one.
 */
export const classes = 136;

const perOctave = 5;

/** The class of a value; what is below 1 is in the first, what is above all in the last. */
export const classOf = (value: number): number => (value <= 1 ? 0 : Math.min(classes - 1, Math.ceil(Math.log2(value) * perOctave - 1e-9)));

export const newSpread = (): number[] => Array.from({ length: classes }, () => 0);

/**
 * The value that `share` of all are not above, up to 15 % too high: the upper end of its class.
 *
 * @returns null: fewer than `least` values are in
 */
export const quantile = (counts: readonly number[], share: number, least = 1): number | null => {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total < least || total === 0) return null;
  let seen = 0;
  const at = counts.findIndex((count) => (seen += count) >= share * total - 1e-9);
  return 2 ** ((at < 0 ? classes - 1 : at) / perOctave);
};
