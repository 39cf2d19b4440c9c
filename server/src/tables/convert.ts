import { constants, createReadStream, createWriteStream } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Chemistry } from '../chemistry/chemistry.ts';
import type { Storage } from '../storage/storage.ts';
import { checkTexts } from './checked.ts';
import { BadTable, type Look, type Mapping, type RowFormat, type TableLimits, type Written } from './facts.ts';
import { mapColumns, type AskedColumns, type Need } from './mapping.ts';
import { openTableProcess } from './process.ts';
import type { Compression } from './recognise.ts';
import { Bomb, unpack } from './unpack.ts';

/**
 * A table becomes the lines of a batch: `requests`, one request a row, and `rows`, a Parquet file of what the rows hold and
 * what was found out about them. Row i of the table is line i of the one and row i of the other, whatever it holds: a row
 * that cannot run has its line too, and is among `refused`.
 */
export interface Source {
  key: string;
  bytes: number;
  format: RowFormat;
  compression: Compression | null;
}

export interface Refused {
  line: number;
  /** `invalid_row`, or `invalid_input` where the row is fine and what a model would be asked is not. */
  code: string;
  message: string;
}

/** A file that was made; `open` reads it in pieces of a size that costs the least. */
export interface Made {
  path: string;
  bytes: number;
  open: () => Readable;
}

export interface Converted extends Written {
  look: Look;
  mapping: Mapping;
  /** Files of a folder that is gone once `use` has ended. */
  requests: Made;
  rows: Made;
  refusedRows: () => AsyncGenerator<Refused>;
}

export interface ConvertDeps {
  storage: Storage;
  limits: TableLimits;
  /** Where the folder is made; absent: among the system's temporary ones. */
  scratch?: string;
  /** What molecules and proteins are held against; absent: they are taken as they come. */
  chemistry?: Chemistry;
}

export interface Asked {
  columns: AskedColumns | undefined;
  url: string;
  needs?: readonly Need[];
  /** A model on this host will ask for the features of its molecules. */
  features?: boolean;
  /** Told of how many of its rows were checked so far. */
  onChecked?: (rows: number, of: number) => void;
}

/** Milliseconds of a processor that features of a molecule take. */
const featureMs = 1.1;
/** Milliseconds that a table may be checked longer for them: others wait for it to be taken in. */
const longest = 30_000;

/** Whether features of so many molecules may be computed while they are checked, where `keeps` are kept at a time. */
const worthKeeping = (rows: number, keeps: number): boolean =>
  // Of a table that is large beside what is kept, many would be overwritten before they are read.
  rows <= keeps / 4 && (rows * featureMs) / availableParallelism() <= longest;

/** Converts a table and hands over what came of it. Rejects with `BadTable` or `Bomb` where it cannot be read. */
export const convert = async <Result>(
  { storage, limits, scratch = tmpdir(), chemistry }: ConvertDeps,
  source: Source,
  { columns, url, needs = [], features = false, onChecked }: Asked,
  signal: AbortSignal,
  use: (converted: Converted) => Promise<Result>,
): Promise<Result> => {
  await mkdir(scratch, { recursive: true });
  const folder = await mkdtemp(join(scratch, 'sluice-table-'));
  try {
    const path = join(folder, `source.${source.format}`);
    await copyOut(storage, source, path, limits, signal);
    const [requests, rows, refused] = ['requests.jsonl', 'rows.parquet', 'refused.jsonl'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const read = async () => {
      await using table = await openTableProcess(folder, limits, signal);
      const look = await table.ask<Look>({ do: 'read', path, format: source.format });
      if (look.rows === 0) throw new BadTable('The table has no row.');
      const mapping = mapColumns(look.columns, columns, needs);
      let checked: string | null = null;
      if (chemistry !== undefined && mapping.checked !== null) {
        const texts = join(folder, 'texts.jsonl');
        checked = join(folder, 'checked.jsonl');
        await table.ask({ do: 'texts', column: mapping.checked.column, to: texts });
        const kept = features && worthKeeping(look.rows, chemistry.keeps);
        const onRows = (count: number) => onChecked?.(count, look.rows);
        await checkTexts(chemistry, { from: texts, to: checked, as: mapping.checked.as, features: kept, onRows, signal });
        await rm(texts);
      }
      const written = await table.ask<Written>({ do: 'write', mapping, url, checked, rows, requests, refused });
      return { ...written, look, mapping };
    };
    // The process is gone before its files are used: what has become an object, nobody can write to.
    const written = await read();
    const made = async (file: string): Promise<Made> => ({
      path: file,
      bytes: (await stat(file)).size,
      open: () => createReadStream(file, { highWaterMark: 1 << 20 }),
    });
    return await use({
      ...written,
      requests: await made(requests),
      rows: await made(rows),
      refusedRows: () => refusedIn(refused),
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** The source as a file of this machine, unpacked. */
const copyOut = async (
  storage: Storage,
  { key, compression }: Source,
  path: string,
  { bytes: maxBytes }: TableLimits,
  signal: AbortSignal,
): Promise<void> => {
  const own = compression === null ? await storage.file?.(key) : undefined;
  if (own !== undefined) {
    await copyFile(own, path, constants.COPYFILE_FICLONE);
    signal.throwIfAborted();
    return;
  }
  const stored = await storage.stream(key);
  await pipeline(compression === null ? stored : unpack(stored, compression, { maxBytes, maxRatio: 200 }), createWriteStream(path), {
    signal,
  });
};

async function* refusedIn(path: string): AsyncGenerator<Refused> {
  const lines = createInterface({ input: createReadStream(path) });
  for await (const line of lines) {
    yield JSON.parse(line) as Refused;
  }
}

/** Why a table cannot be read, where it is the table's fault; null where it is not. */
export const faultOf = (error: unknown): string | null =>
  error instanceof BadTable || error instanceof Bomb || (error instanceof Error && error.message.startsWith('The file cannot be unpacked'))
    ? error.message
    : null;
