/** Where the program writes: data to `out`, everything meant for eyes to `err`. */
export interface Terminal {
  out: NodeJS.WritableStream & { isTTY?: boolean };
  err: NodeJS.WritableStream & { isTTY?: boolean; columns?: number };
  color: boolean;
}

export const terminal = (): Terminal => ({
  out: process.stdout,
  err: process.stderr,
  color: process.stderr.isTTY && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb',
});

export const paint = (terminal: Terminal, code: 1 | 2 | 31 | 32 | 33 | 36, text: string): string =>
  terminal.color ? `\u001B[${code}m${text}\u001B[0m` : text;

/** `--json` and `--json=id,status`: everything, or these fields. */
export type Fields = true | string[];

export const fieldsOf = (option: string | boolean | undefined): Fields | null =>
  option === undefined || option === false
    ? null
    : option === true || option === ''
      ? true
      : option.split(',').map((field) => field.trim());

const at = (value: unknown, path: string): unknown =>
  path
    .split('.')
    .reduce<unknown>(
      (inner, name) => (typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>)[name] : undefined),
      value,
    );

const picked = (value: unknown, fields: Fields): unknown =>
  fields === true ? value : Object.fromEntries(fields.map((field) => [field, at(value, field) ?? null]));

export const printJson = (terminal: Terminal, value: unknown, fields: Fields): void => {
  const shown = Array.isArray(value) ? value.map((item) => picked(item, fields)) : picked(value, fields);
  terminal.out.write(`${JSON.stringify(shown, null, terminal.out.isTTY ? 2 : undefined)}\n`);
};

/** One object a line, for programs that read as it comes. */
export const printLine = (terminal: Terminal, value: unknown, fields: Fields): void => {
  terminal.out.write(`${JSON.stringify(picked(value, fields))}\n`);
};

export type Columns<T> = Record<string, (item: T) => string | number | null | undefined>;

const cell = (value: string | number | null | undefined): string => (value === null || value === undefined ? '' : String(value));

/** A table on a terminal; tab-separated, without a heading, where something else reads it. */
export const printTable = <T>(terminal: Terminal, items: readonly T[], columns: Columns<T>): void => {
  const names = Object.keys(columns);
  const rows = items.map((item) => names.map((name) => cell(columns[name]!(item))));
  if (!terminal.out.isTTY) {
    for (const row of rows) terminal.out.write(`${row.map((text) => text.replaceAll(/[\t\r\n]+/g, ' ')).join('\t')}\n`);
    return;
  }
  const widths = names.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]!.length)));
  const line = (row: string[]) =>
    `${row
      .map((text, i) => text.padEnd(widths[i]!))
      .join('  ')
      .trimEnd()}\n`;
  terminal.out.write(paint(terminal, 2, line(names.map((name) => name.toUpperCase()))));
  for (const row of rows) terminal.out.write(line(row));
};

/** Names and values of one thing, one a line. */
export const printFields = (terminal: Terminal, fields: Record<string, string | number | null | undefined>): void => {
  const width = Math.max(...Object.keys(fields).map((name) => name.length));
  for (const [name, value] of Object.entries(fields)) {
    if (value === null || value === undefined || value === '') continue;
    terminal.out.write(terminal.out.isTTY ? `${paint(terminal, 2, name.padEnd(width))}  ${value}\n` : `${name}\t${value}\n`);
  }
};

export const say = (terminal: Terminal, text: string): void => {
  terminal.err.write(`${text}\n`);
};

export const count = (n: number): string => Math.round(n).toLocaleString('en-US');

export const bytes = (n: number): string => {
  const unit = n < 1e3 ? 0 : n < 1e6 ? 1 : n < 1e9 ? 2 : 3;
  return unit === 0 ? `${n} B` : `${(n / 1000 ** unit).toFixed(1)} ${['', 'kB', 'MB', 'GB'][unit]!}`;
};

export const when = (seconds: number | null | undefined): string =>
  seconds ? new Date(seconds * 1000).toISOString().replace('T', ' ').slice(0, 19) : '';

export const duration = (seconds: number): string => {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
};
