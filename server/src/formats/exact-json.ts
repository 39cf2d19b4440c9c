/** Text in which a number may be more than a double holds: 16 digits in a row, or a three-digit exponent. */
const suspicious = /\d{16}|\d[eE][+-]?\d{3}/;

/**
 * Parses JSON so that what is written again says the same: a number that a double would round (2^53 + 1, say) is kept
 * as its own text (`JSON.rawJSON`), which `JSON.stringify` puts out as it came. Costs nothing where no number is long.
 */
export const parseExactly = (text: string): unknown => {
  if (!suspicious.test(text)) return JSON.parse(text);
  const revive = (_key: string, value: unknown, { source }: { source?: string }): unknown =>
    typeof value === 'number' && source !== undefined && rounds(value, source) ? rawJson(source) : value;
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown);
};

// Newer than the compiler's own types of JSON.
const { rawJSON: rawJson } = JSON as unknown as { rawJSON: (text: string) => object };

/** Whether the double may be another number than was written: 15 significant digits always survive. */
const rounds = (value: number, source: string): boolean => {
  if (!Number.isFinite(value)) return true;
  const digits = source
    .replace(/[eE].*$/, '')
    .replace(/\D/g, '')
    .replace(/^0+/, '');
  return digits.length > 15 && String(value) !== source;
};
