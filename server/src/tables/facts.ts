import type { TableFormat } from './recognise.ts';

/** Formats whose rows are not requests yet. */
export type RowFormat = Exclude<TableFormat, 'requests'>;

export interface TableLimits {
  rows: number;
  /** Bytes that a file written here may have. */
  bytes: number;
  /** Of the process that reads the table, and of DuckDB in it, which puts on disk what is more. */
  memoryMb: number;
  duckMb: number;
  /** Milliseconds for all of it. */
  ms: number;
}

export const tableLimits: TableLimits = { rows: 10_000_000, bytes: 50_000_000_000, memoryMb: 2_048, duckMb: 256, ms: 3_600_000 };

/** What a column holds, as the rows' Parquet has it. */
export interface Column {
  /** Unique, whatever its case. */
  name: string;
  type: string;
}

export interface Look {
  columns: Column[];
  rows: number;
  /** The first rows, by column; values as JSON has them. */
  first: Record<string, unknown>[];
}

/** Inputs of a request by name, each from a column, or several of them in a list. */
export interface Mapping {
  inputs: Record<string, string | string[]>;
  /** The column that names the rows; null: they are named by their places. */
  id: string | null;
  /** What is held against the rules of chemistry before anything runs, and as what; null: nothing is. */
  checked: { input: string; column: string; as: 'smiles' | 'molblock' | 'sequence' } | null;
}

/** What was found out about the text of one row, in the order of rows. */
export interface CheckedText {
  line: number;
  smiles: string | null;
  inchikey: string | null;
  flags: string[] | null;
  problem: string | null;
}

export interface Written {
  /** Rows that have a problem. */
  refused: number;
  duplicates: number;
  flags: Record<string, number>;
}

export type Ask =
  | { do: 'read'; path: string; format: RowFormat; header?: boolean; delimiter?: string }
  | { do: 'texts'; column: string; to: string }
  | { do: 'write'; mapping: Mapping; url: string; checked: string | null; rows: string; requests: string; refused: string };

export type Told = { ok: true; result: unknown } | { ok: false; bad: boolean; message: string };

/** A table that cannot be read; the message is for whoever sent it. */
export class BadTable extends Error {}

/** Columns a table may have. */
export const mostColumns = 10_000;

/** From where inputs may be fetched. */
export interface SourceSettings {
  /** Hosts and ranges of addresses that may be asked although they are private; null: none. */
  hosts: string | null;
  /** Null: Amazon's own. */
  s3Endpoint: string | null;
  s3Region: string | null;
  /** Null: as the environment of the process has them. */
  s3AccessKey: string | null;
  s3SecretKey: string | null;
  /** What may be read; null: nothing. */
  s3Buckets: string | null;
}

/** A source that cannot be read. `final`: trying again would change nothing. */
export class SourceError extends Error {
  readonly final: boolean;

  constructor(message: string, final: boolean) {
    super(message);
    this.final = final;
    this.name = 'SourceError';
  }
}
