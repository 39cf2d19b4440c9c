import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';

/** A name of a column or of a key, as SQL writes it. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** DuckDB with no more than it needs: two threads, files of one folder, no extensions, and no way to ask for more. */
export const openDuck = async (folder: string, megabytes: number): Promise<DuckDBConnection> => {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '2',
    memory_limit: `${megabytes}MB`,
    temp_directory: folder,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const duck = await instance.connect();
  await duck.run(`set allowed_directories = [${literal(folder)}]`);
  await duck.run('set enable_external_access = false');
  await duck.run('set lock_configuration = true');
  return duck;
};

/**
 * How the Parquet files between two steps are written: in groups so small that threads which each have one in hand stay within
 * the memory. With DuckDB's own of 122,880 rows the step that writes request lines of them waits for itself, and takes twice as long.
 */
export const parquetOfSteps = 'format parquet, row_group_size 20480';

/** The rows of an answer, as values of JSON. */
export const rowsOf = async (duck: DuckDBConnection, sql: string): Promise<Record<string, unknown>[]> =>
  (await duck.runAndReadAll(sql)).getRowObjectsJson();

export const oneOf = async (duck: DuckDBConnection, sql: string): Promise<Record<string, unknown>> => (await rowsOf(duck, sql))[0]!;
