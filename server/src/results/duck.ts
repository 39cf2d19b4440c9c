import { DuckDBInstance, type DuckDBConnection, type DuckDBValue } from '@duckdb/node-api';

/** DuckDB in memory, with no more than it needs, and without extensions that are not part of it. */
export const openDuck = ({ folder, megabytes }: { folder: string | null; megabytes: number }): Promise<DuckDBInstance> =>
  DuckDBInstance.create(':memory:', {
    threads: '2',
    // Of so many rows at most, the best are found first, and then all their columns: a page has one more than the 1,000 it may show.
    late_materialization_max_rows: '1001',
    memory_limit: `${megabytes}MB`,
    ...(folder === null ? { temp_directory: '', max_temp_directory_size: '0B' } : { temp_directory: folder }),
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });

export type Row = Record<string, unknown>;

/** The rows of an answer, as values of JSON; whole numbers beyond 32 bits are texts. */
export const rowsOf = async (duck: DuckDBConnection, sql: string, values: readonly DuckDBValue[] = []): Promise<Row[]> =>
  (await duck.runAndReadAll(sql, [...values])).getRowObjectsJson();

export const oneOf = async (duck: DuckDBConnection, sql: string, values: readonly DuckDBValue[] = []): Promise<Row> =>
  (await rowsOf(duck, sql, values))[0]!;
