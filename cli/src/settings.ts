import { Exit, exitCodes } from './exit.ts';

/** Options that `batch create`, `run`, `validate` and `clone` share. */
export interface Settings {
  /** Each line is run by each of them. */
  models?: string[];
  /** TARGET or TARGET/SERIES. */
  route?: string;
  endpoint?: string;
  window?: string;
  priority?: string;
  name?: string;
  metadata?: string[];
  /** Of a table: which column is which input. */
  column?: string[];
  invalid?: string;
  maxAttempts?: number;
}

const pair = (option: string, text: string, example: string): [string, string] => {
  const at = text.indexOf('=');
  if (at < 1) throw new Exit(exitCodes.error, `${option} ${text}: a name and a value were expected.`, `Write ${option} ${example}.`);
  return [text.slice(0, at), text.slice(at + 1)];
};

/** A route as people write it: `solubility`, or `solubility/amides`. */
export const targetOf = (route: string): { target: string; series?: string } => {
  const [target, series, ...rest] = route.split('/');
  if (!target || series === '' || rest.length > 0) throw new Exit(exitCodes.error, `${route}: a target, or TARGET/SERIES, was expected.`);
  return { target, ...(series !== undefined && { series }) };
};

/** `smiles=SMILES`; `x=f1,f2` makes a list. */
const columnOf = (text: string): [string, string | string[]] => {
  const [input, from] = pair('--column', text, 'smiles=SMILES');
  return [input, from.includes(',') ? from.split(',') : from];
};

/** The same as fields of the request's body; what was not given is left out. */
export const bodyOf = ({
  endpoint,
  window,
  priority,
  name,
  metadata,
  models,
  route,
  column,
  invalid,
  maxAttempts,
}: Settings): Record<string, unknown> => ({
  ...(endpoint === undefined ? {} : { endpoint }),
  ...(models === undefined ? {} : { models }),
  ...(route === undefined ? {} : { route: targetOf(route) }),
  ...(window === undefined ? {} : { completion_window: window }),
  ...(priority === undefined ? {} : { priority: /^\d+$/.test(priority) ? Number(priority) : priority }),
  ...(name === undefined ? {} : { name }),
  ...(metadata === undefined ? {} : { metadata: Object.fromEntries(metadata.map((text) => pair('--metadata', text, 'target=kinase'))) }),
  ...(column === undefined ? {} : { columns: Object.fromEntries(column.map(columnOf)) }),
  ...(invalid === undefined ? {} : { invalid }),
  ...(maxAttempts === undefined ? {} : { max_attempts: maxAttempts }),
});

/** A whole number of an option, at least `min`. */
export const whole =
  (option: string, min = 0) =>
  (text: string): number => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < min)
      throw new Exit(exitCodes.error, `${option} ${text}: a whole number from ${min} was expected.`);
    return value;
  };

export const commaList = (text: string): string[] => text.split(',').map((part) => part.trim());

/** A number of an option, above 0. */
export const positive =
  (option: string) =>
  (text: string): number => {
    const value = Number(text);
    if (!(value > 0) || !Number.isFinite(value)) throw new Exit(exitCodes.error, `${option} ${text}: a number above 0 was expected.`);
    return value;
  };

/** A time as people write one, in seconds since the epoch: `2026-11-22`, `2026-11-22T06:00Z`, or those seconds. */
export const timeOf = (option: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  const seconds = /^\d+$/.test(text) ? Number(text) : Math.floor(Date.parse(text) / 1_000);
  if (Number.isNaN(seconds))
    throw new Exit(exitCodes.error, `${option} ${text}: a time was expected.`, 'Write 2026-11-22T06:00Z, or seconds since the epoch.');
  return seconds;
};
