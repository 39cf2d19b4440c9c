import type { Readable } from 'node:stream';
import { parse, type Info } from 'csv-parse';
import { BadTable, mostColumns } from './facts.ts';
import { columnNames, textOf, type Row } from './rows.ts';

export interface CsvOptions {
  /** Absent: the one that the first line has most of. */
  delimiter?: string;
  /** Whether the first line names the columns. Absent: true. */
  header?: boolean;
}

/** Characters one row may have. */
const mostCharacters = 16 << 20;

const delimiters = [',', '\t', ';', '|'];

/** The delimiter of which the first line, outside of quotes, has most; `,` where it has none. */
export const delimiterOf = (line: string): string => {
  const bare = line.replaceAll(/"(?:[^"]|"")*"?/g, '');
  const count = (delimiter: string) => bare.split(delimiter).length;
  return delimiters.reduce((best, next) => (count(next) > count(best) ? next : best));
};

/**
 * Rows of a CSV or TSV file, one for each record, whatever it looks like: a record of the wrong length and one whose
 * quotes do not close are rows with a problem, and the rows after them keep their places. Line ends may be mixed.
 */
export async function* csvRows(input: Readable, firstLine: string, options: CsvOptions = {}): AsyncGenerator<Row> {
  const parser = parse({
    delimiter: options.delimiter ?? delimiterOf(firstLine),
    bom: true,
    info: true,
    relax_column_count: true,
    relax_quotes: true,
    record_delimiter: ['\r\n', '\n', '\r'],
    skip_empty_lines: true,
    max_record_size: mostCharacters,
    skip_records_with_error: true,
    // An error would take with it the records that stand before it and have not been handed on.
    on_skip: (error) => {
      if (error?.code === 'CSV_QUOTE_NOT_CLOSED') unclosed = true;
      else if (error !== undefined) parser.destroy(error);
    },
  });
  let unclosed = false as boolean;
  input.once('error', (error) => parser.destroy(error));
  input.pipe(parser);
  let columns: string[] | null = null;
  /** The line of the file in which the last whole record ended. */
  let ended = 0;
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: Info }>) {
      if (columns === null) {
        ended = info.lines;
        if (record.length > mostColumns)
          throw new BadTable(
            `The table has ${record.length.toLocaleString('en')} columns; ${mostColumns.toLocaleString('en')} are allowed.`,
          );
        columns = options.header === false ? columnNames(record.map(() => '')) : columnNames(record);
        if (options.header !== false) continue;
      }
      yield rowOf(record, columns, info.lines);
      ended = info.lines;
    }
    if (unclosed)
      yield {
        values: {},
        problem: `A quote is never closed in the row that begins behind line ${ended}: all that follows in the file was read as part of it.`,
      };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'CSV_MAX_RECORD_SIZE')
      throw new BadTable(`A row has more than ${mostCharacters.toLocaleString('en')} characters, or a quote is never closed.`, {
        cause: error,
      });
    throw error;
  } finally {
    input.destroy();
  }
}

const rowOf = (record: readonly string[], columns: readonly string[], line: number): Row => {
  const values = Object.fromEntries(columns.map((column, i) => [column, textOf(record[i] ?? '')]));
  // Delimiters behind the last value are a habit of some writers, and DuckDB takes them too.
  if (record.length >= columns.length && record.slice(columns.length).every((value) => value === '')) return { values };
  const problem = `Line ${line} has ${record.length} ${record.length === 1 ? 'value' : 'values'}, and the table ${columns.length} columns.`;
  return { values, problem };
};
