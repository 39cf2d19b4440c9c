import { text } from '../options.ts';
import { httpUrl, remoteOptions } from '../remote/options.ts';

export const openaiOptions = {
  base_url: { ...httpUrl('http://localhost:8000/v1'), required: true },
  ...remoteOptions,
  upstream_model: text,
};
