import type { Column } from './layout.ts';

/** A table that cannot be made, or a question that cannot be answered; the message is for whoever asked. */
export class BadQuestion extends Error {}

export interface BuildTask {
  do: 'build';
  /** Where its files go: the table, and what is needed on the way. */
  folder: string;
  total: number;
  /** The lines of the requests; or the rows they were made of, as Parquet. */
  input: { lines: string } | { rows: string };
  output: string | null;
  errors: string | null;
  /** Where inputs and outputs lie in a line: those of predictions, or all that was sent and answered. */
  shape: 'predictions' | 'bodies';
  /** Rows name their models. */
  models: boolean;
  /** Bytes that a line may have. */
  lineBytes: number;
}

export interface Built {
  path: string;
  columns: Column[];
  counts: Record<'completed' | 'failed' | 'cancelled' | 'expired', number>;
}

/** A question, with the values of its question marks. */
export interface RowsTask {
  do: 'rows';
  sql: string;
  values: readonly string[];
}

/** Writes the rows of a question to the standard output. */
export interface CopyTask {
  do: 'copy';
  sql: string;
  values: readonly string[];
  /** As DuckDB's COPY has it, without brackets. */
  as: string;
}

export type Ask = BuildTask | RowsTask | CopyTask;

/** What a process is told first: the megabytes of DuckDB, and the folder for what is more; null: nothing goes to disk. */
export interface Start {
  duckMb: number;
  folder: string | null;
}

export type Told = { id: number } & ({ ok: true; result: unknown } | { ok: false; bad: boolean; message: string });
