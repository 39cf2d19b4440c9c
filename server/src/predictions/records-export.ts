import type { PredictionRecord } from '@sluice/contract';
import type { ExportedRecord } from './records-read.ts';

/** A record a line, with its bodies as they were kept, digits and all. */
export async function* toJsonl(pages: AsyncIterable<ExportedRecord[]>): AsyncGenerator<string> {
  for await (const records of pages)
    yield records
      .map(
        ({ record, input, output }) => `${JSON.stringify(record).slice(0, -1)},"input":${input ?? 'null'},"output":${output ?? 'null'}}\n`,
      )
      .join('');
}

const columns: Record<string, (exported: ExportedRecord) => string | number | null> = {
  ...Object.fromEntries(
    (
      [
        'id',
        'created_at',
        'user',
        'model',
        'status_code',
        'input_hash',
        'input_bytes',
        'cache',
        'queue_ms',
        'batch_ms',
        'compute_ms',
        'total_ms',
        'request_id',
      ] as const satisfies (keyof PredictionRecord)[]
    ).map((name) => [name, ({ record }: ExportedRecord) => record[name]]),
  ),
  error_code: ({ record }) => record.error?.code ?? null,
  error_message: ({ record }) => record.error?.message ?? null,
  input: ({ input }) => input,
  output: ({ output }) => output,
};

/**
 * One field. Text that a spreadsheet would take for a formula gets an apostrophe before it, as OWASP has it: what was
 * asked is anybody's text, and is opened by somebody else. Numbers are left as they are.
 */
export const csvField = (value: string | number | null): string => {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) && !/^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

/** RFC 4180, with a heading. */
export async function* toCsv(pages: AsyncIterable<ExportedRecord[]>): AsyncGenerator<string> {
  yield `${Object.keys(columns).join(',')}\r\n`;
  const cells = Object.values(columns);
  for await (const records of pages) yield records.map((record) => `${cells.map((cell) => csvField(cell(record))).join(',')}\r\n`).join('');
}
