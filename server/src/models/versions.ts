/** A semantic version (semver.org, 2.0.0) without build metadata, which has no place in the order. */
export const semantic =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(\.(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?$/;

export const isVersion = (text: string): boolean => text.length <= 64 && semantic.test(text);

/** Digits by their value, however many: a time stamp as a number of a version may be beyond 2^53. */
const compareDigits = (a: string, b: string): number => {
  const [x, y] = [a.replace(/^0+(?=\d)/, ''), b.replace(/^0+(?=\d)/, '')];
  return x.length - y.length || (x < y ? -1 : x > y ? 1 : 0);
};

const split = (version: string): { numbers: string[]; pre: string[] } => {
  const dash = version.indexOf('-');
  const core = dash < 0 ? version : version.slice(0, dash);
  return { numbers: core.split('.'), pre: dash < 0 ? [] : version.slice(dash + 1).split('.') };
};

/**
 * Semantic order: 1.10.0 after 1.9.0; a pre-release before its release. Negative where `a` comes first.
 * Source: semver.org, 2.0.0, section 11.
 */
export const compareVersions = (a: string, b: string): number => {
  const [x, y] = [split(a), split(b)];
  for (let i = 0; i < 3; i++) {
    const order = compareDigits(x.numbers[i] ?? '0', y.numbers[i] ?? '0');
    if (order !== 0) return order;
  }
  if (x.pre.length === 0 || y.pre.length === 0) return y.pre.length - x.pre.length;
  for (let i = 0; i < Math.max(x.pre.length, y.pre.length); i++) {
    const [l, r] = [x.pre[i], y.pre[i]];
    if (l === undefined || r === undefined) return l === undefined ? -1 : 1;
    if (l === r) continue;
    const [ln, rn] = [/^\d+$/.test(l), /^\d+$/.test(r)];
    const order = ln && rn ? compareDigits(l, r) : ln !== rn ? (ln ? -1 : 1) : l < r ? -1 : 1;
    if (order !== 0) return order;
  }
  return 0;
};

/** The newest of some versions; null of none. */
export const newestOf = <T extends { version: string }>(versions: Iterable<T>): T | null => {
  let newest: T | null = null;
  for (const each of versions) if (newest === null || compareVersions(each.version, newest.version) >= 0) newest = each;
  return newest;
};
