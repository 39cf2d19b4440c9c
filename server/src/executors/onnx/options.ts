import { commonOptions, file, oneOf, texts, whole } from '../options.ts';

export const onnxOptions = {
  ...commonOptions,
  path: { ...file, required: true },
  preprocess: oneOf('none', 'smiles-morgan2048-desc16'),
  outputs: texts,
  processes: whole(1, 256),
  timeout_ms: whole(10, 24 * 3_600_000),
  slice: whole(1, 65_536),
  // Of address space that may be written to. Node itself reserves 560 MB of it, and RDKit takes 100.
  memory_limit_mb: whole(768, 1_048_576),
};
