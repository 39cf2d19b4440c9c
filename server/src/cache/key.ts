import { hash } from 'node:crypto';

/** Changed when what a key is made of changes: answers under older keys are then found no more, and go with their time. */
const version = 'sluice answer 1';

/**
 * What one answer is kept under: SHA-256, as 64 hexadecimal digits, over the digest of the model version that gives it, what
 * it is asked in the types in which the model sees it, and whatever else the answer depends on or may not be shared across.
 * Each part goes in with its length, so that no two lists of parts make one text.
 */
export const answerKey = (digest: string, input: string | Uint8Array, ...parameters: readonly (string | Uint8Array)[]): string => {
  const parts = [version, digest, input, ...parameters].map((part) => (typeof part === 'string' ? Buffer.from(part) : part));
  return hash('sha256', Buffer.concat(parts.flatMap((part) => [Buffer.from(`${part.length}:`), part])), 'hex');
};
