/** Seconds a completion window lasts: `15m`, `6h`, `7d`. Null where it is none. */
export const windowSeconds = (window: string): number | null => {
  const match = /^([1-9]\d{0,5})(m|h|d)$/.exec(window);
  if (!match) return null;
  const seconds = Number(match[1]) * { m: 60, h: 3_600, d: 86_400 }[match[2] as 'm' | 'h' | 'd'];
  return seconds <= longest ? seconds : null;
};

/** A year: longer than any file is kept. */
const longest = 366 * 86_400;
