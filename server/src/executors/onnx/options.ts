import { commonOptions, file, flag, oneOf, texts, whole, type Option } from '../options.ts';

const within = (value: unknown, least: number, most: number): boolean =>
  value === undefined || (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most);

/** Rows that share a run: how many at most, and how long the first waits for others; false: none do. */
const batching: Option<false | { max_rows?: number; delay_ms?: number }> = {
  expected: 'false, or a mapping of max_rows (1 to 65536) and delay_ms (0 to 10000)',
  is: (value): value is false | { max_rows?: number; delay_ms?: number } => {
    if (value === false) return true;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    const { max_rows, delay_ms, ...others } = value as Record<string, unknown>;
    return Object.keys(others).length === 0 && within(max_rows, 1, 65_536) && within(delay_ms, 0, 10_000);
  },
};

export const onnxOptions = {
  ...commonOptions,
  path: { ...file, required: true },
  preprocess: oneOf('none', 'smiles-morgan2048-desc16'),
  outputs: texts,
  processes: whole(1, 256),
  timeout_ms: whole(10, 24 * 3_600_000),
  slice: whole(1, 65_536),
  // What follows is about predictions at once: processes, rows that share a run, and whether it stays loaded.
  replicas: whole(1, 64),
  batching,
  pinned: flag,
  // Of address space that may be written to. Node itself reserves 560 MB of it, and RDKit takes 100.
  memory_limit_mb: whole(768, 1_048_576),
};
