import { hash, randomBytes } from 'node:crypto';

/**
 * Ids a client sees. A batch's id carries 96 bits: 48 of the clock in milliseconds (so that ids made later sort
 * later) and 48 random ones, then 32 bits derived from them, so that a mistyped id is told apart from a missing one.
 * A request's id is the batch's 96 bits followed by its line (1-based, 32 bits): it resolves before anything is
 * stored about the line.
 */
const hex = (bytes: number) => randomBytes(bytes).toString('hex');

/** Random bytes in store: asked for one id at a time they cost as much as a route does. */
let pool = Buffer.alloc(0);
let used = 0;
const pooledHex = (bytes: number): string => {
  if (used + bytes > pool.length) [pool, used] = [randomBytes(8192), 0];
  used += bytes;
  return pool.toString('hex', used - bytes, used);
};

const check = (stem: string) => hash('sha256', stem, 'hex').slice(0, 8);

const stem = () => Date.now().toString(16).padStart(12, '0') + hex(6);

export const newBatchId = (): string => {
  const s = stem();
  return `batch_${s}${check(s)}`;
};

export const requestId = (batchId: string, line: number): string =>
  `batch_req_${batchId.slice(6, 30)}${line.toString(16).padStart(8, '0')}`;

/** The batch and the line a request's id names, or null where it is no such id. */
export const parseRequestId = (id: string): { batchId: string; line: number } | null => {
  const match = /^batch_req_([0-9a-f]{24})([0-9a-f]{8})$/.exec(id);
  if (!match) return null;
  const line = Number.parseInt(match[2]!, 16);
  return line < 1 ? null : { batchId: `batch_${match[1]!}${check(match[1]!)}`, line };
};

const letters = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789';

/** `prefix` and `length` random letters and digits (5.8 bits each), as in OpenAI's `file-` ids. */
const lettered = (prefix: string, length: number): string => {
  let id = prefix;
  while (id.length < prefix.length + length) {
    // Bytes past the last whole multiple of 57 would favour the first letters.
    for (const byte of randomBytes(length)) if (byte < 228 && id.length < prefix.length + length) id += letters[byte % 57];
  }
  return id;
};

export const newFileId = (): string => lettered('file-', 22);
export const newUploadId = (): string => `upload_${hex(16)}`;
export const newPartId = (): string => `part_${hex(16)}`;
export const newViewId = (): string => `view_${hex(12)}`;
export const newOperationId = (): string => `op_${hex(12)}`;
/** Sorts by its time, as a batch's id does. */
export const newJobId = (): string => `job_${stem()}`;
export const newWorkerId = (): string => `worker_${hex(8)}`;
/** The id of one HTTP exchange, sent back as `x-request-id`. */
export const newExchangeId = (): string => `req_${pooledHex(16)}`;
