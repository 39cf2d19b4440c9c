import { file, text, textMap, whole, type Option } from '../options.ts';

const httpUrl: Option<string> = {
  expected: 'an http or https URL without credentials, such as http://localhost:8000/v1',
  is: (value): value is string => {
    if (typeof value !== 'string' || !URL.canParse(value)) return false;
    const url = new URL(value);
    return (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.password === '';
  },
};

const milliseconds = whole(1, 24 * 3_600_000);

export const openaiOptions = {
  base_url: { ...httpUrl, required: true },
  upstream_model: text,
  api_key: text,
  api_key_file: file,
  max_concurrency: whole(1, 10_000),
  connect_timeout_ms: milliseconds,
  first_byte_timeout_ms: milliseconds,
  total_timeout_ms: milliseconds,
  headers: textMap,
};
