/**
 * The process that works on tables of results: builds them, and answers questions about them. It sees no environment, and
 * has only as much memory as its limits give it.
 */
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { endWithParent } from '../lib/orphan.ts';
import { build } from './build.ts';
import { openDuck, rowsOf } from './duck.ts';
import { runSql } from './user-sql.ts';
import { BadQuestion, type Ask, type Start, type Told } from './facts.ts';

endWithParent();
// The parent may not be the one who asks.
process.once('disconnect', () => process.exit());

let opened: Promise<DuckDBInstance> | null = null;

const answer = async (duck: DuckDBConnection, ask: Ask): Promise<unknown> => {
  switch (ask.do) {
    case 'build':
      return build(duck, ask);
    case 'rows':
      return rowsOf(duck, ask.sql, ask.values);
    case 'copy':
      await duck.run(`copy (${ask.sql}) to '/dev/stdout' (${ask.as})`, [...ask.values]);
      return null;
    case 'sdf':
      return (await import('./molecules.ts')).writeSdf(duck, ask);
    case 'scaffolds':
      return (await import('./molecules.ts')).scaffoldsOf(ask.smiles);
    case 'sql':
      return runSql(duck, ask);
  }
};

process.on('message', (message: { start: Start } | { end: true } | { id: number; what: Ask }) => {
  if ('end' in message) process.exit();
  if ('start' in message) {
    opened = openDuck({ folder: message.start.folder, megabytes: message.start.duckMb });
    // It is told of by whoever asks first.
    opened.catch(() => {});
    return;
  }
  const { id, what } = message;
  const work = async (): Promise<Told> => {
    const duck = await (await opened!).connect();
    try {
      return { id, ok: true, result: await answer(duck, what) };
    } catch (error) {
      return {
        id,
        ok: false,
        bad: error instanceof BadQuestion,
        message: firstLines(error instanceof Error ? error.message : String(error)),
      };
    } finally {
      duck.closeSync();
    }
  };
  void work().then((told) => process.send!(told));
});

/** What DuckDB says beyond its first lines is how to use it. */
const firstLines = (text: string): string =>
  text
    .split(/\n\s*\n|\nPossible /)[0]!
    .slice(0, 1_000)
    .toWellFormed();
