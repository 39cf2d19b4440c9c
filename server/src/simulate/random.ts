/** Numbers that look random and are the same for the same seed. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Exponential with this mean. */
  exponential(mean: number): number;
  /** Lognormal with this median; `sigma` is the deviation of its logarithm. */
  lognormal(median: number, sigma: number): number;
  /** A generator of its own: what one part draws does not move what another part draws. */
  fork(name: string): Random;
}

/** Source: mulberry32 (Tommy Ettinger, public domain), seeded through an FNV-1a hash. */
export const seeded = (seed: number | string): Random => {
  const name = String(seed);
  let state = hash(name);
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const exponential = (mean: number): number => -mean * Math.log(1 - next());
  // Box and Muller, one of the two numbers.
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  return {
    next,
    exponential,
    lognormal: (median, sigma) => median * Math.exp(sigma * normal()),
    fork: (part) => seeded(`${name}/${part}`),
  };
};

const hash = (text: string): number => {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value;
};
