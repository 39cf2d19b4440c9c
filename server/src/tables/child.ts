/**
 * The process that reads one table: it does what it is asked, one thing after another, and its answers come when they are
 * done. It sees no environment and no file but those of its folder, and has only as much memory as its limit gives it.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import { endWithParent } from '../lib/orphan.ts';
import { literal, openDuck, rowsOf } from './duck.ts';
import { BadTable, type Ask, type Look, type TableLimits, type Told } from './facts.ts';
import { gather } from './gather.ts';
import { typed, type Typed } from './typed.ts';
import { writeTable } from './write.ts';

endWithParent();

/** Rows that are shown of a table. */
const shown = 5;

interface Start {
  folder: string;
  limits: TableLimits;
}

let opened: { duck: DuckDBConnection; start: Start } | null = null;
let table: Typed | null = null;

const read = async (ask: Extract<Ask, { do: 'read' }>): Promise<Look> => {
  const { duck, start } = opened!;
  table = await typed(duck, await gather(duck, start.folder, ask));
  if (table.rows > start.limits.rows)
    throw new BadTable(
      `The table has ${table.rows.toLocaleString('en')} rows; a batch may have ${start.limits.rows.toLocaleString('en')} lines.`,
    );
  const list = table.columns.map((_, i) => `c${i}`).join(', ');
  const first = await rowsOf(duck, `select ${list} from ${table.relation} limit ${shown}`);
  const { columns, rows } = table;
  return {
    columns,
    rows,
    first: first.map((row) =>
      Object.fromEntries(
        columns.map(({ name }, i) => [name, columns[i]!.type === 'VARCHAR' ? (row[`c${i}`] ?? null) : shownValue(row[`c${i}`])]),
      ),
    ),
  };
};

/** Whole numbers come as texts, for they may be longer than a double's. */
const shownValue = (value: unknown): unknown =>
  typeof value === 'string' && /^-?\d{1,15}$/.test(value) && String(Number(value)) === value ? Number(value) : (value ?? null);

const answer = async (ask: Ask): Promise<unknown> => {
  const { duck } = opened!;
  if (ask.do === 'read') return read(ask);
  if (ask.do === 'write') return writeTable(duck, table!, ask);
  const place = table!.columns.findIndex(({ name }) => name === ask.column);
  await duck.run(
    `copy (select line, cast(c${place} as varchar) as text from ${table!.relation} where problem is null) to ${literal(ask.to)} (format json)`,
  );
  return null;
};

process.on('message', (message: Ask | Start) => {
  const work = async (): Promise<Told> => {
    try {
      if ('folder' in message) {
        opened = { duck: await openDuck(message.folder, message.limits.duckMb), start: message };
        return { ok: true, result: null };
      }
      return { ok: true, result: await answer(message) };
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      return { ok: false, bad: error instanceof BadTable || isOfFile(text), message: firstLines(text) };
    }
  };
  void work().then((told) => process.send!(told));
});

/** DuckDB's own errors are about what the file holds, but for those about this machine. */
const isOfFile = (text: string): boolean =>
  /^(Invalid Input|Conversion|Out of Memory|Serialization|IO|Invalid|TransactionContext) Error/i.test(text) && !/No space left/.test(text);

/** What DuckDB says beyond its first lines is how to use it. */
const firstLines = (text: string): string =>
  text
    .split(/\n\s*\n|\nPossible /)[0]!
    .slice(0, 500)
    .toWellFormed();
