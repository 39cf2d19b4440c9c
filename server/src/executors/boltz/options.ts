import { commandOptions } from '../command/options.ts';
import { commonOptions, oneOf, text, whole, type Given, type Option } from '../options.ts';

const flag: Option<boolean> = { expected: 'true or false', is: (value): value is boolean => typeof value === 'boolean' };

const url: Option<string> = {
  expected: 'an address such as http://msa.internal',
  is: (value): value is string => typeof value === 'string' && /^https?:\/\//.test(value) && URL.canParse(value),
};

const { args, env, pass_env, gpu_env, timeout_ms, memory_mb, cpu_seconds, max_output_bytes, max_concurrency } = commandOptions;

/** What `options` of a model with `executor: boltz` may hold. */
export const boltzOptions = {
  ...commonOptions,
  /** The program; absent: `boltz`, as pip installs it. */
  program: text,
  /** Arguments before `predict`. */
  args,
  env,
  pass_env,
  gpu_env,
  timeout_ms,
  memory_mb,
  cpu_seconds,
  max_output_bytes,
  max_concurrency,
  /** The folder of weights (`--cache`), where it is not in HOME: programs here have none. */
  cache: { ...text, path: 'folder' },
  accelerator: oneOf('gpu', 'cpu', 'tpu'),
  devices: whole(1, 64),
  no_kernels: flag,
  /** Makes alignments for sequences that come without one. Absent: no sequence leaves this machine. */
  msa_server_url: url,
  /** Ligands one process predicts: the model is loaded once for all of them. */
  group_size: whole(1, 1_000),
  /** Recorded with results; absent: what `program --version` says. */
  tool_version: text,
} satisfies Record<string, Option>;

export type BoltzOptions = Given<typeof boltzOptions>;
