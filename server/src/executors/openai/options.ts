import { commonOptions, file, text, whole, type Option } from '../options.ts';

const httpUrl: Option<string> = {
  expected: 'an http or https URL without credentials, such as http://localhost:8000/v1',
  is: (value): value is string => {
    if (typeof value !== 'string' || !URL.canParse(value)) return false;
    const url = new URL(value);
    return (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.password === '';
  },
};

/** What HTTP takes as a header's value. */
export const header: Option<string> = {
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

export const openaiOptions = {
  ...commonOptions,
  base_url: { ...httpUrl, required: true },
  upstream_model: text,
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
