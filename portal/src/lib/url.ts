/**
 * What a page shows is in its address, so that every state is a link. A page names its parameters once, each with a
 * codec; a value that does not parse is dropped and named, never an error.
 */
export interface Param<T> {
  /** Undefined: not a value of this parameter. */
  parse: (text: string) => T | undefined;
  format: (value: T) => string;
  /** Absent from the address while it has this value. */
  fallback: T;
}

const list = <T extends string>(values: readonly T[]): Param<readonly T[]> => ({
  parse: (text) => {
    const asked = [...new Set(text.split(','))].filter((each) => (values as readonly string[]).includes(each)) as T[];
    return asked.length === 0 ? undefined : asked;
  },
  format: (value) => [...new Set(value)].join(','),
  fallback: [],
});

const choice = <T extends string>(values: readonly T[], fallback: NoInfer<T>): Param<T> => ({
  parse: (text) => values.find((value) => value === text),
  format: String,
  fallback,
});

const text = (longest = 500): Param<string> => ({
  parse: (value) => (value.length <= longest ? value : undefined),
  format: String,
  fallback: '',
});

const whole = (min: number, max: number, fallback: number | null = null): Param<number | null> => ({
  parse: (value) => (/^\d{1,15}$/.test(value) && Number(value) >= min && Number(value) <= max ? Number(value) : undefined),
  format: String,
  fallback,
});

const sort = <T extends string>(columns: readonly T[], fallback: { by: NoInfer<T>; down: boolean }): Param<{ by: T; down: boolean }> => ({
  parse: (value) => {
    const down = value.startsWith('-');
    const by = columns.find((column) => column === (down ? value.slice(1) : value));
    return by === undefined ? undefined : { by, down };
  },
  format: ({ by, down }) => `${down ? '-' : ''}${by}`,
  fallback,
});

const unit = { m: 60, h: 3_600, d: 86_400, w: 604_800 } as const;

/** `24h` stays 24 hours before whenever it is opened; a moment is ISO 8601. */
const moment = (): Param<string> => ({
  parse: (value) => (/^[1-9]\d{0,4}[mhdw]$/.test(value) || /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?Z)?$/.test(value) ? value : undefined),
  format: String,
  fallback: '',
});

/** The second that a `moment` means. */
export const secondOf = (value: string, now = Date.now() / 1_000): number | null => {
  const relative = /^([1-9]\d{0,4})([mhdw])$/.exec(value);
  if (relative) return Math.floor(now - Number(relative[1]) * unit[relative[2] as keyof typeof unit]);
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : Math.floor(at / 1_000);
};

export const param = { list, choice, text, whole, sort, moment };

export type Raw = Record<string, string>;

export interface Address<V> {
  parse: (raw: Readonly<Raw>) => { values: V; dropped: string[] };
  format: (values: Partial<V>) => Raw;
}

/** The codec of a page's address. */
export const address = <V extends object>(params: { [K in keyof V]: Param<V[K]> }): Address<V> => {
  const entries = Object.entries(params) as [keyof V & string, Param<unknown>][];
  return {
    parse: (raw) => {
      const values: Record<string, unknown> = {};
      const dropped: string[] = [];
      for (const [name, { parse, fallback }] of entries) {
        const given = Object.hasOwn(raw, name) ? String(raw[name]) : '';
        const value = given === '' ? undefined : parse(given);
        if (given !== '' && value === undefined) dropped.push(name);
        values[name] = value === undefined ? fallback : value;
      }
      return { values: values as V, dropped };
    },
    format: (values) => {
      const raw: Raw = {};
      for (const [name, { format, fallback }] of entries) {
        const value = values[name];
        if (value === undefined || value === null) continue;
        const written = format(value);
        if (written !== '' && (fallback === null || written !== format(fallback))) raw[name] = written;
      }
      return raw;
    },
  };
};

/** The part of an address after `?`, with what people read left readable. */
export const writeQuery = (raw: Readonly<Record<string, unknown>>): string => {
  const pairs = Object.entries(raw).filter(([, value]) => value !== undefined && value !== null && value !== '');
  const quote = (each: string) =>
    encodeURIComponent(each).replaceAll('%2C', ',').replaceAll('%3A', ':').replaceAll('%20', '+').replaceAll('%2F', '/');
  return pairs.length === 0 ? '' : `?${pairs.map(([name, value]) => `${quote(name)}=${quote(String(value))}`).join('&')}`;
};

export const readQuery = (query: string): Raw => Object.fromEntries(new URLSearchParams(query));
