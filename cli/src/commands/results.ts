import type { QueriedResults, ResultColumn, ResultsSummary, ResultsTop } from '@sluice/contract';
import type { Context } from '../context.ts';
import { Exit, exitCodes } from '../exit.ts';
import { count, printJson, printTable, say } from '../output.ts';
import { downloadTable, formatOf, tableReply } from '../table.ts';

const ask = async <T>({ client }: Context, path: string, query: Record<string, string | number | undefined>): Promise<T> =>
  (await (await tableReply(client, path, query)).json()) as T;

export interface ResultsOptions {
  format?: string;
  out?: string;
  columns?: string;
  where?: string;
  smarts?: string;
  sort?: string;
  limit?: number;
  offset?: number;
  keepFormulas?: boolean;
}

/** The table of results in a file, or on standard output. */
export const download = async (context: Context, id: string, { out, format, keepFormulas, ...query }: ResultsOptions): Promise<void> => {
  const { client, terminal, quiet } = context;
  if (format === 'parquet' && out === undefined)
    throw new Exit(exitCodes.error, 'Parquet is no text.', 'Say where it goes: --out r.parquet');
  const path = out ?? '-';
  const asked = { ...query, format: format ?? formatOf(path) ?? 'csv', ...(keepFormulas && { formulas: 'keep' }) };
  await downloadTable(client, id, path, asked, terminal.out);
  if (path !== '-' && !quiet) say(terminal, `The results of ${id} are in ${path}.`);
};

const figure = (value: number | null): string => (value === null ? '' : String(Number(value.toPrecision(5))));

export const summary = async (context: Context, id: string, query: { where?: string; properties?: string }): Promise<void> => {
  const found = await ask<ResultsSummary>(context, `/v1/batches/${id}/results/summary`, { ...query });
  if (context.fields) return printJson(context.terminal, found, context.fields);
  const { completed, failed, cancelled, expired } = found.counts;
  if (!context.quiet)
    say(
      context.terminal,
      `${count(found.rows)} rows: ${count(completed)} completed, ${count(failed)} failed, ${count(cancelled)} cancelled, ${count(expired)} expired`,
    );
  printTable(context.terminal, found.properties, {
    property: ({ name }) => name,
    count: (each) => each.count,
    mean: ({ mean }) => figure(mean),
    sd: ({ sd }) => figure(sd),
    min: ({ min }) => figure(min),
    p25: ({ quantiles }) => figure(quantiles.p25),
    median: ({ quantiles }) => figure(quantiles.p50),
    p75: ({ quantiles }) => figure(quantiles.p75),
    max: ({ max }) => figure(max),
  });
  if (found.failures.length > 0)
    printTable(context.terminal, found.failures, {
      failure: ({ status, code }) => code ?? status,
      count: (each) => each.count,
      line: ({ example }) => example.line,
      message: ({ example }) => example.message?.slice(0, 80),
    });
};

const cellOf = (value: unknown): string =>
  value === null || value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);

export interface TopOptions {
  property?: string;
  objective?: string;
  order?: string;
  where?: string;
  columns?: string;
  diverse?: boolean;
  n?: number;
}

export const top = async (context: Context, id: string, { diverse, ...query }: TopOptions): Promise<void> => {
  if ((query.property === undefined) === (query.objective === undefined))
    throw new Exit(exitCodes.error, 'Say what is best.', 'Give either --property logS or --objective logS:1,p_bbb:-0.5');
  const found = await ask<ResultsTop>(context, `/v1/batches/${id}/results/top`, { ...query, ...(diverse && { diverse: 'scaffold' }) });
  if (context.fields) return printJson(context.terminal, found.data, context.fields);
  const columns = found.columns as ResultColumn[];
  const shown = query.columns === undefined ? columns.filter(({ role }) => role !== 'error' && role !== 'status') : columns;
  printTable(context.terminal, found.data, {
    rank: ({ rank }) => rank,
    value: ({ value }) => figure(value),
    ...Object.fromEntries(shown.map(({ name }) => [name, ({ row }: ResultsTop['data'][number]) => cellOf(row[name])])),
  });
};

export const query = async (context: Context, id: string, sql: string, { limit }: { limit?: number }): Promise<void> => {
  const found = await context.client.post<QueriedResults>(
    `/v1/batches/${id}/results/query`,
    { sql, ...(limit !== undefined && { limit }) },
    { query: { wait: 30 }, repeat: true },
  );
  if (!('rows' in found)) throw new Exit(exitCodes.error, 'The table is still being made.', 'Ask again in a moment.');
  if (context.fields)
    return printJson(
      context.terminal,
      found.rows.map((row) => Object.fromEntries(found.columns.map(({ name }, i) => [name, row[i]]))),
      context.fields,
    );
  printTable(
    context.terminal,
    found.rows,
    Object.fromEntries(found.columns.map(({ name }, i) => [name, (row: readonly unknown[]) => cellOf(row[i])])),
  );
  if (found.truncated && !context.quiet) say(context.terminal, 'There is more: give --limit, 10,000 at most, or ask for less.');
};
