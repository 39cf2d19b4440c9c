import type { ErrorCode } from '@sluice/contract';

/** Whether a reply of this status may go better at another attempt: OpenAI's own clients repeat the same ones. */
export const retryableStatus = (status: number): boolean => status === 408 || status === 409 || status === 429 || status >= 500;

/** The registry's code for a model server's reply that is no success. */
export const codeOfStatus = (status: number): ErrorCode => {
  if (status === 408 || status === 504) return 'request_timeout';
  if (status === 429) return 'rate_limited';
  return status >= 500 || status === 409 ? 'upstream_error' : 'upstream_rejected';
};
