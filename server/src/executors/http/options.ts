import { file, oneOf, text, whole, type Option } from '../options.ts';
import { httpUrl, remoteOptions } from '../remote/options.ts';

/** What `options` of a model with `executor: http` may hold. */
export const httpOptions = {
  base_url: { ...httpUrl('http://localhost:8000'), required: true },
  /** Whose API the server has. */
  api: { ...oneOf('nim-boltz2'), required: true },
  /** Where predictions are asked for; absent: as the API has it. */
  path: {
    expected: 'a path such as /biology/mit/boltz2/predict',
    is: (value): value is string => typeof value === 'string' && /^\/[\w./-]*$/.test(value),
  },
  /** Where a call that was accepted with 202 is asked after: its id comes behind it. */
  status_url: httpUrl('https://api.nvcf.nvidia.com/v2/nvcf/pexec/status'),
  /** Milliseconds between two questions; with a callback they may be far apart. */
  poll_ms: whole(10, 3_600_000),
  /** Milliseconds after which a call is given up. */
  call_timeout_ms: whole(1, 7 * 24 * 3_600_000),
  /** The address of this Sluice as that server reaches it: it is told where to report a call that has ended. */
  callback_url: httpUrl('https://sluice.example.com'),
  /** Signs those reports: `whsec_` and base64, as Standard Webhooks has it. */
  callback_secret_file: file,
  /** Recorded with results. */
  tool_version: text,
  ...remoteOptions,
} satisfies Record<string, Option>;
