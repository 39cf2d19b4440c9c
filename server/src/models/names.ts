import { isVersion } from './versions.ts';

/**
 * Words that may follow a model's name in a path. A name has none of them after its first part, so that
 * `/v1/models/meta/llama/versions/1.0.0` can be read in one way only.
 */
export const tails = [
  'versions',
  'latest',
  'aliases',
  'upload',
  'archive',
  'predict',
  'schema',
  'ready',
  'infer',
  'config',
  'stats',
  'load',
  'unload',
] as const;

const part = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** What is wrong with a model's name, to follow "name "; null where nothing is. */
export const nameProblem = (name: string): string | null => {
  if (name.length === 0 || name.length > 128 || !/^[A-Za-z0-9._/-]+$/.test(name))
    return `must be 1 to 128 letters, digits, '.', '_', '-' or '/'.`;
  const [first, ...rest] = name.split('/');
  if (![first!, ...rest].every((each) => part.test(each))) return `must begin with a letter or digit, and so must what follows each '/'.`;
  if (first === 'by-name') return `must not begin with 'by-name': its address would be another one.`;
  const taken = rest.find((each) => tails.some((tail) => tail === each));
  return taken === undefined ? null : `must not have '${taken}' behind a '/': its address would be another one.`;
};

/** Always the newest version that is ready; nobody sets it. */
export const latest = 'latest';

/** What is wrong with an alias's name, to follow "alias "; null where nothing is. */
export const aliasProblem = (alias: string): string | null => {
  if (!/^[A-Za-z][A-Za-z0-9_-]{0,62}$/.test(alias)) return `must be 1 to 63 letters, digits, '_' or '-', with a letter first.`;
  return alias === latest ? `must not be '${latest}', which is the newest version that is ready, always.` : null;
};

export interface Reference {
  name: string;
  version?: string;
  alias?: string;
}

/** `name`, `name@version` or `name@alias`; null where it is none of them. */
export const parseReference = (reference: string): Reference | null => {
  const at = reference.indexOf('@');
  const name = at < 0 ? reference : reference.slice(0, at);
  if (nameProblem(name) !== null) return null;
  if (at < 0) return { name };
  const rest = reference.slice(at + 1);
  if (isVersion(rest)) return { name, version: rest };
  if (rest === latest) return { name };
  return aliasProblem(rest) === null ? { name, alias: rest } : null;
};
