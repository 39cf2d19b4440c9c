import type { Column } from './layout.ts';

/** A table that cannot be made, or a question that cannot be answered; the message is for whoever asked. */
export class BadQuestion extends Error {}

export interface AnswerFiles {
  /** What the columns of the model are called after; null: there is one model, and they are called as they are. */
  label: string | null;
  output: string | null;
  errors: string | null;
}

export interface BuildTask {
  do: 'build';
  /** Where its files go: the table, and what is needed on the way. */
  folder: string;
  total: number;
  /** The lines of the requests; or the rows they were made of, as Parquet. */
  input: { lines: string } | { rows: string };
  /** What came of them: of each model, where several answered every line. */
  answers: AnswerFiles[];
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

/**
 * The same as an SDF, one column of which is the SMILES, and one the name of the record. `names` are those of the first columns,
 * which become properties.
 */
export interface SdfTask {
  do: 'sdf';
  sql: string;
  values: readonly string[];
  names: readonly string[];
  /** Places of columns. */
  smiles: number;
  title: number;
}

export interface ScaffoldsTask {
  do: 'scaffolds';
  smiles: readonly unknown[];
}

/** What a user wrote. The process is of no use after it. */
export interface SqlTask {
  do: 'sql';
  text: string;
  /** Where the table is, for this process. */
  table: string;
  limit: number;
  /** Of the rows as JSON. */
  bytes: number;
}

export interface SqlAnswer {
  columns: { name: string; type: string }[];
  rows: unknown[][];
  truncated: boolean;
}

export type Ask = BuildTask | RowsTask | CopyTask | SdfTask | ScaffoldsTask | SqlTask;

/** What a process is told first: the megabytes of DuckDB, and the folder for what is more; null: nothing goes to disk. */
export interface Start {
  duckMb: number;
  folder: string | null;
}

export type Told = { id: number } & ({ ok: true; result: unknown } | { ok: false; bad: boolean; message: string });
