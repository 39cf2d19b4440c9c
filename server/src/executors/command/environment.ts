import type { CommandOptions } from './options.ts';

/** All that a program sees of the environment: what its options name, and a folder of its own for HOME and TMPDIR. */
export const environmentOf = (
  { env = {}, pass_env: passed = [], gpu_env: gpus = [] }: Pick<CommandOptions, 'env' | 'pass_env' | 'gpu_env'>,
  dir: string,
): Record<string, string> => {
  const seen: Record<string, string> = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LANG: process.env['LANG'] ?? 'C.UTF-8' };
  for (const name of ['TZ', ...passed, ...gpus]) {
    const value = process.env[name];
    if (value !== undefined) seen[name] = value;
  }
  return { ...seen, ...env, HOME: dir, TMPDIR: dir };
};
