import type { BatchError, BatchSource } from '@sluice/contract';
import type { Chemistry } from '../chemistry/chemistry.ts';
import type { Config } from '../config.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { neededInputs, takesFeatures, type ModelSpec } from '../models/models.ts';
import { convert, faultOf, type ConvertDeps, type Converted, type Refused } from '../tables/convert.ts';
import { tableLimits, type RowFormat, type SourceSettings, type TableLimits } from '../tables/facts.ts';
import type { Need } from '../tables/mapping.ts';
import { recognise } from '../tables/recognise.ts';
import { defaultUnpack, unpack } from '../tables/unpack.ts';
import { carriedNames } from '../tables/write.ts';
import { NotFound, putFile, type Storage } from '../storage/storage.ts';
import type { AllErrors } from './end.ts';
import { namedBy } from './pinned.ts';
import type { BatchRow } from './rows.ts';
import type { OnChecked } from './validation.ts';

export interface TableDeps {
  limits?: Partial<TableLimits>;
  /** Where tables lie while they are read; absent: among the system's temporary files. */
  scratch?: string;
  chemistry?: Chemistry;
  sources?: SourceSettings;
}

interface Deps {
  db: Db;
  storage: Storage;
  limits: Pick<Config['limits'], 'maxLines' | 'maxErrors' | 'openai'> & { maxFileBytes?: number };
  tables?: TableDeps | undefined;
}

/** The lines of a batch, whatever they were made of. */
export interface Input {
  key: string;
  bytes: number;
  /** Rows of the table that the lines were made of; null: they came as they are. */
  rowsKey: string | null;
  source: BatchSource | null;
  /** Lines that are not run, and why. */
  refused: ReadonlyMap<number, { code: string; message: string }>;
}

/** Rows with a problem that one batch may have: more are a file that was mistaken for another. */
const mostRefused = 1_000_000;

/** As much of a file as tells what it is. */
export const headBytes = 64 << 10;

export const limitsOf = ({ limits, tables }: Pick<Deps, 'limits' | 'tables'>): TableLimits => ({
  ...tableLimits,
  rows: limits.maxLines,
  ...(limits.maxFileBytes !== undefined && { bytes: limits.maxFileBytes }),
  ...tables?.limits,
});

export const convertDeps = (deps: Pick<Deps, 'storage' | 'limits' | 'tables'>): ConvertDeps => {
  const { storage, tables: { limits: _, sources: __, ...rest } = {} } = deps;
  return { storage, limits: limitsOf(deps), ...rest };
};

/** What the input of a batch is; `requests`: lines, as they are or packed. */
export const inputKind = async (
  { storage, limits }: Pick<Deps, 'storage' | 'limits'>,
  key: string,
  { filename, model }: { filename: string; model: boolean },
): Promise<NonNullable<ReturnType<typeof recognise>>> => {
  const requests = { format: 'requests' as const, compression: null };
  if (limits.openai) return requests;
  const found = recognise(await storage.read(key, { end: headBytes }), filename);
  if (found === null) return requests;
  // Without a model these are more likely requests of which the first is wrong.
  return found.format === 'jsonl' && !model ? { ...found, format: 'requests' } : found;
};

export const problemOf = (message: string): BatchError => ({ code: 'invalid_table', message, param: null, line: null });

/** What the rows of a table must have for those who are to answer them. */
export const needsOf = (models: readonly ModelSpec[]): Need[] =>
  models.map((model) => ({ model: model.name, inputs: neededInputs(model) }));

/** What is wrong with a table before it is read: nothing would answer its rows. */
export const unanswered = (format: string): BatchError => ({
  code: 'invalid_table',
  message: `The input is a table (${format}), whose rows name no model: name the 'model' of the batch, or 'models', or a 'route'.`,
  param: 'model',
  line: null,
});

/**
 * The lines that a batch's input holds, or those that are made of the table that it is.
 *
 * @param models that answer its rows, as far as the batch names them
 * @param here they run on this host: what is computed for them now, they need not compute
 */
export const prepareInput = async (
  deps: Deps,
  batch: BatchRow & { token: number },
  key: string,
  { models, here, onChecked }: { models: readonly ModelSpec[]; here: boolean; onChecked: OnChecked },
  signal: AbortSignal,
): Promise<Input | { errors: BatchError[]; all?: AllErrors } | 'missing' | 'lost'> => {
  const { db, storage, limits } = deps;
  const asIs: Input = { key, bytes: batch.input_bytes, rowsKey: null, source: null, refused: new Map() };
  try {
    const { filename } = (await db.maybe<{ filename: string }>(sql`select filename from files where id = ${batch.input_file_id}`)) ?? {
      filename: '',
    };
    const { format, compression } = await inputKind(deps, key, { filename, model: namedBy(batch).model !== undefined });
    const under = (name: string): string => `${batch.tenant_id}/${batch.id}/${name}.${batch.token}`;
    if (format === 'requests') {
      if (compression === null) return asIs;
      const unpacked = under('requests');
      const { bytes } = await storage.put(
        unpacked,
        unpack(await storage.stream(key), compression, { ...defaultUnpack, maxBytes: limitsOf(deps).bytes }),
        { signal },
      );
      return { ...asIs, key: unpacked, bytes };
    }
    if (namedBy(batch).model === undefined) return { errors: [unanswered(format)] };
    const source = { key, bytes: batch.input_bytes, format, compression };
    const features = here && models.some(takesFeatures);
    const asked = { columns: batch.options.columns, url: batch.endpoint, needs: needsOf(models), features, onChecked };
    return await convert(convertDeps(deps), source, asked, signal, async (converted) => {
      if (converted.refused > 0 && batch.options.invalid === 'refuse') return refusal(converted, limits.maxErrors);
      if (converted.refused > mostRefused)
        return {
          errors: [
            problemOf(`More than ${mostRefused.toLocaleString('en')} rows have a problem; the first: ${await firstProblem(converted)}`),
          ],
        };
      const [requests, rows] = [under('requests'), under('rows')];
      const { bytes } = await putFile(storage, requests, converted.requests, { signal });
      await putFile(storage, rows, converted.rows, { signal });
      return {
        key: requests,
        bytes,
        rowsKey: rows,
        source: { ...(batch.source ?? { kind: 'file' }), ...factsOf(source, converted) },
        refused: new Map((await Array.fromAsync(converted.refusedRows())).map(({ line, ...why }) => [line, why])),
      };
    });
  } catch (error) {
    if (signal.aborted) return 'lost';
    if (error instanceof NotFound && error.key === key) return 'missing';
    const fault = faultOf(error);
    if (fault === null) throw error;
    return { errors: [problemOf(fault)] };
  }
};

export const factsOf = (
  { format, compression }: { format: RowFormat; compression: 'gzip' | 'zstd' | null },
  converted: Converted,
): Omit<BatchSource, 'kind' | 'url'> => {
  const { mapping, look, refused, duplicates, flags } = converted;
  return {
    format,
    compression,
    columns: { ...mapping.inputs, ...(mapping.id !== null && { id: mapping.id }) },
    carried: carriedNames(look.columns.map(({ name }) => name)),
    rows: look.rows,
    refused,
    duplicates,
    flags,
  };
};

export const rowError = ({ line, code, message }: Refused): BatchError => ({ code, message, param: null, line });

const firstProblem = async ({ refusedRows }: Converted): Promise<string> => {
  for await (const { line, message } of refusedRows()) return `row ${line}: ${message}`;
  return '';
};

/** The first problems of rows. */
export const firstProblems = async ({ refusedRows }: Converted, most: number): Promise<BatchError[]> => {
  const errors: BatchError[] = [];
  for await (const refused of refusedRows()) if (errors.push(rowError(refused)) >= most) break;
  return errors;
};

/** A batch that runs all rows or none. Its errors are gathered here, for the folder is gone when they are written down. */
const refusal = async (converted: Converted, most: number): Promise<{ errors: BatchError[]; all: AllErrors }> => {
  const texts: Buffer[] = [];
  for await (const refused of converted.refusedRows()) {
    texts.push(Buffer.from(`${JSON.stringify(rowError(refused))}\n`));
    if (texts.length === mostRefused) break;
  }
  const bytes = async function* (): AsyncGenerator<Buffer> {
    yield* texts;
  };
  return { errors: await firstProblems(converted, most), all: { count: converted.refused, bytes } };
};

/** Removes what was made for a batch that does not come to run. */
export const dropInput = async (storage: Storage, { key, rowsKey }: Input): Promise<void> => {
  if (rowsKey === null) return;
  await storage.delete(key);
  await storage.delete(rowsKey);
};
