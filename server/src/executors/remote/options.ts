import { readFileSync } from 'node:fs';
import { messageOf } from '../../lib/errors.ts';
import { LoadError } from '../executor.ts';
import { commonOptions, file, whole, type Given, type Option } from '../options.ts';

/** An address that takes `what` as its example. */
export const httpUrl = (example: string): Option<string> => ({
  expected: `an http or https URL without credentials, such as ${example}`,
  is: (value): value is string => {
    if (typeof value !== 'string' || !URL.canParse(value)) return false;
    const url = new URL(value);
    return (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.password === '';
  },
});

/** What HTTP takes as a header's value. */
const header: Option<string> = {
  expected: 'a non-empty string of plain characters, without line breaks',
  is: (value): value is string => typeof value === 'string' && /^[\x20-\x7e]+$/.test(value),
};

const headers: Option<Record<string, string>> = {
  expected: 'a mapping of header names to plain strings',
  is: (value): value is Record<string, string> =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.entries(value).every(([name, text]) => /^[\w!#$%&'*+.^`|~-]+$/.test(name) && header.is(text)),
};

const milliseconds = whole(1, 24 * 3_600_000);

/** What every model that is served elsewhere takes, beside its `base_url`. */
export const remoteOptions = {
  ...commonOptions,
  api_key: header,
  api_key_file: file,
  max_concurrency: whole(1, 10_000),
  connect_timeout_ms: milliseconds,
  first_byte_timeout_ms: milliseconds,
  total_timeout_ms: milliseconds,
  headers,
  breaker_failures: whole(0, 1_000_000),
  breaker_open_ms: whole(1, 60_000),
};

export type RemoteOptions = Given<typeof remoteOptions>;

/** Of these a model has one at most. */
export const exclusive = ['api_key', 'api_key_file'];

const keyOf = (path: string): string => {
  let key: string;
  try {
    key = readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new LoadError(`option 'api_key_file': ${messageOf(error)}`);
  }
  if (!header.is(key)) throw new LoadError(`option 'api_key_file': ${path} must hold one line of plain characters`);
  return key;
};

/** The headers of every call: the key, and what the options add, under lower-case names. */
export const headersOf = (options: RemoteOptions): Record<string, string> => {
  const key = options.api_key_file ? keyOf(options.api_key_file) : options.api_key;
  const own = Object.entries(options.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  return { 'user-agent': 'sluice', ...(key ? { authorization: `Bearer ${key}` } : {}), ...Object.fromEntries(own) };
};
