import { commonOptions, whole, type Option } from '../options.ts';

const sources: Option<('rdkit' | 'openchemlib')[]> = {
  expected: "['rdkit'] or ['rdkit', 'openchemlib']",
  is: (value): value is ('rdkit' | 'openchemlib')[] =>
    Array.isArray(value) && value[0] === 'rdkit' && (value.length === 1 || (value.length === 2 && value[1] === 'openchemlib')),
};

export const descriptorsOptions = {
  ...commonOptions,
  sources,
  processes: whole(1, 256),
  timeout_ms: whole(10, 24 * 3_600_000),
  /** Rows that go to the processes together. */
  slice: whole(1, 4096),
};
