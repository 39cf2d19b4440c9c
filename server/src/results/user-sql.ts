import { StatementType, type DuckDBConnection } from '@duckdb/node-api';
import { BadQuestion, type SqlAnswer, type SqlTask } from './facts.ts';
import { literal } from './quoted.ts';

/**
 * Runs what a user wrote, in a process that is thrown away: the table is a descriptor it was started with, and there is
 * nothing else that it may open, load, write or change. One select, so many rows.
 */
export const runSql = async (duck: DuckDBConnection, { text, table, limit, bytes }: SqlTask): Promise<SqlAnswer> => {
  await duck.run(`set allowed_paths = [${literal(table)}]`);
  await duck.run('set enable_external_access = false');
  await duck.run(`create view results as select * from read_parquet(${literal(table)})`);
  await duck.run('set lock_configuration = true');
  try {
    const statements = await duck.extractStatements(text);
    if (statements.count !== 1)
      throw new BadQuestion(statements.count === 0 ? 'There is no statement.' : 'Only one statement is run, and there are several.');
    const statement = await statements.prepare(0);
    if (statement.statementType !== StatementType.SELECT) throw new BadQuestion('Only `select` is run here: the table is for reading.');
    if (statement.parameterCount > 0)
      throw new BadQuestion('Values are written in the statement: there is nothing to fill in parameters with.');
    const result = await statement.stream();
    const columns = result.columnNames().map((name, i) => ({ name, type: String(result.columnType(i)) }));
    const rows: unknown[][] = [];
    let [size, truncated] = [0, false];
    for (;;) {
      const chunk = await result.fetchChunk();
      if (!chunk || chunk.rowCount === 0) break;
      for (const row of chunk.getRows()) {
        const shown = row.map(jsonOf);
        size += JSON.stringify(shown).length;
        truncated = rows.length === limit || size > bytes;
        if (truncated) return { columns, rows, truncated };
        rows.push(shown);
      }
    }
    return { columns, rows, truncated };
  } catch (error) {
    if (error instanceof BadQuestion) throw error;
    const words = error instanceof Error ? error.message : String(error);
    throw new BadQuestion(words.replaceAll(table, 'results'), { cause: error });
  }
};

/** A value of DuckDB's as JSON has it; those that JSON has not are texts. */
const jsonOf = (value: unknown): unknown => {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === 'object' && value !== null && 'items' in value && Array.isArray(value.items)) return value.items.map(jsonOf);
  if (
    typeof value === 'object' &&
    value !== null &&
    'entries' in value &&
    typeof value.entries === 'object' &&
    value.entries !== null &&
    !Array.isArray(value.entries)
  )
    return Object.fromEntries(Object.entries(value.entries).map(([name, inner]) => [name, jsonOf(inner)]));
  // Dates, intervals and the like write themselves as DuckDB would.
  return (value as { toString: () => string }).toString();
};
