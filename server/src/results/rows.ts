import { rowText } from './replies.ts';
import type { ReadyTable, ResultReader } from './reader.ts';
import { parseColumns, parseSort, tableOf, whereSql, type Question, type Selection } from './select.ts';
import { parseWhere, type Condition } from './where.ts';

/** The rows of these lines, as JSON, by line. */
export const rowsAt = async (
  results: ResultReader,
  path: string,
  columns: readonly string[],
  lines: readonly number[],
): Promise<Map<number, string>> => {
  if (lines.length === 0) return new Map();
  const chosen: Question = {
    sql: `select ${columns.join(', ')} from ${tableOf(path)} where line in (${lines.join(', ')}) order by line`,
    values: [],
  };
  const found = await results.ask(rowText(chosen));
  return new Map(lines.toSorted((a, b) => a - b).map((line, i) => [line, found[i]!['row'] as string]));
};

/** How many rows of a table with so many in all a filter lets pass. */
export const totalOf = async (results: ResultReader, path: string, all: number, where: readonly Condition[]): Promise<number> => {
  const { sql, values } = whereSql(where);
  if (sql === '') return all;
  const counted = await results.ask({ sql: `select count(*)::double as total from ${tableOf(path)} ${sql}`, values });
  return counted[0]!['total'] as number;
};

/** What of a table a query asks for: all of it but for what it names. */
export const selectionOf = (
  { columns: all }: Pick<ReadyTable, 'columns'>,
  query: { columns?: string; where?: string; sort?: string; offset?: number; limit?: number },
): Selection => ({
  columns: query.columns === undefined ? all : parseColumns(query.columns, all),
  where: query.where === undefined ? [] : parseWhere(query.where, all),
  sort: query.sort === undefined ? [] : parseSort(query.sort, all),
  offset: query.offset ?? 0,
  limit: query.limit ?? null,
});
