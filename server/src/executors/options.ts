import { didYouMean } from '../lib/suggest.ts';
import { LoadError } from './executor.ts';

/** One option of an executor, as `sluice.yaml` gives it. */
export interface Option<T = unknown> {
  /** Completes "must be …". */
  expected: string;
  is: (value: unknown) => value is T;
  required?: boolean;
  /** What lies at this path; a relative one is meant from the folder of `sluice.yaml`. */
  path?: 'file' | 'folder';
}

export type OptionSet = Readonly<Record<string, Option>>;

/** What the options hold once they are checked; an absent one is undefined. */
export type Given<Set extends OptionSet> = { [Name in keyof Set]?: Set[Name] extends Option<infer T> ? T | undefined : never };

export const text: Option<string> = {
  expected: 'a non-empty string',
  is: (value): value is string => typeof value === 'string' && value !== '',
};

export const file: Option<string> = { ...text, expected: 'the path of a file', path: 'file' };

export const whole = (least: number, most: number): Option<number> => ({
  expected: `a whole number from ${least} to ${most}`,
  is: (value): value is number => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
});

export const flag: Option<boolean> = {
  expected: 'true or false',
  is: (value): value is boolean => typeof value === 'boolean',
};

export const texts: Option<string[]> = {
  expected: 'a list of different non-empty strings',
  is: (value): value is string[] =>
    Array.isArray(value) && value.length > 0 && value.every(text.is) && new Set(value).size === value.length,
};

export const oneOf = <T extends string>(...allowed: T[]): Option<T> => ({
  expected: allowed.map((word) => `'${word}'`).join(' or '),
  is: (value): value is T => allowed.includes(value as T),
});

/** A positive number, such as the part of a GPU that a request takes. */
const share = (most: number): Option<number> => ({
  expected: `a number above 0, up to ${most}`,
  is: (value): value is number => typeof value === 'number' && value > 0 && value <= most,
});

const keeps: ReadonlySet<unknown> = new Set(['none', 'meta', 'full']);

/** What is kept of predictions at once, and for how many days. */
const records: Option<{ keep?: 'none' | 'meta' | 'full'; days?: number }> = {
  expected: "a mapping with keep ('none', 'meta' or 'full'), days (a whole number from 1 to 36500), or both",
  is: (value): value is { keep?: 'none' | 'meta' | 'full'; days?: number } =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries(value).every(([name, inner]) => (name === 'keep' ? keeps.has(inner) : name === 'days' && whole(1, 36_500).is(inner))),
};

/**
 * What every executor takes. `max_attempts` is the worker's to heed: attempts a request of the model gets, in place of
 * `retry.max_attempts`. `prior_rate`: requests a second one worker does, for estimates until that was measured.
 * `request_memory_mb`, `request_gpus`: what one request needs. A worker that has less does not offer the model, and batches
 * with strategy `resource_aware` run as many at once as fit.
 */
export const commonOptions = {
  max_attempts: whole(1, 100),
  prior_rate: share(10_000_000),
  request_memory_mb: whole(1, 100_000_000),
  request_gpus: share(1_024),
  records,
};

/** What is wrong with the options, a sentence each, naming the option; empty where nothing is. */
export const optionProblems = (set: OptionSet, given: Readonly<Record<string, unknown>>): string[] => {
  const known = Object.keys(set);
  const problems: string[] = [];
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(set, name)) continue;
    problems.push(`unknown option '${name}'.${didYouMean(name, known) || ` Known are ${known.join(', ')}.`}`);
  }
  for (const [name, option] of Object.entries(set)) {
    const value = given[name];
    if (value === undefined || value === null) {
      if (option.required) problems.push(`option '${name}' is missing; it must be ${option.expected}.`);
    } else if (!option.is(value)) problems.push(`option '${name}' must be ${option.expected}.`);
  }
  return problems;
};

/** The options by their types. Rejects what `optionProblems` names: a model may come from elsewhere than `sluice.yaml`. */
export const readOptions = <Set extends OptionSet>(set: Set, given: Readonly<Record<string, unknown>>): Given<Set> => {
  const problems = optionProblems(set, given);
  if (problems.length > 0) throw new LoadError(problems.join(' '));
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null)) as Given<Set>;
};
