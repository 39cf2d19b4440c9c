import { text, type Option } from '../options.ts';
import { httpUrl, remoteOptions } from '../remote/options.ts';

const flag: Option<boolean> = { expected: 'true or false', is: (value): value is boolean => typeof value === 'boolean' };

export const oipOptions = {
  base_url: { ...httpUrl('http://localhost:8000'), required: true },
  /** The model's name there. */
  model: text,
  /** Its version there; without it the server chooses. */
  version: text,
  /** Whether tensors go as bytes, which every server but MLServer takes. */
  binary: flag,
  ...remoteOptions,
};
