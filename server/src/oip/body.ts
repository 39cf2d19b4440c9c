import type { IncomingMessage } from 'node:http';
import { ApiError } from '../lib/errors.ts';

const tooLarge = (most: number) =>
  new ApiError(
    'payload_too_large',
    most === maxJson
      ? `JSON of more than ${maxJson} bytes is not accepted; send tensors as bytes behind it (binary_data_size).`
      : `The body is larger than the ${most} bytes this server accepts (\`oip.max_bytes\`).`,
  );

/** Bytes of JSON: reading so much takes 0.1 s, during which all other requests wait. */
const maxJson = 32 * 1024 * 1024;

/** How much a request may send, by how many bytes of it are JSON; null: all of them. Throws `payload_too_large`. */
export const limitOf = (most: number, json: number | null): number => {
  if (json !== null && json > maxJson) throw tooLarge(maxJson);
  return json === null ? Math.min(most, maxJson) : most;
};

/**
 * The body of a request, written once as it comes into memory that begins where what follows its first `head` bytes is
 * at a multiple of 8: tensors there are looked at in place. Throws `payload_too_large`.
 */
export const readBody = async (request: IncomingMessage, most: number, head = 0): Promise<Buffer> => {
  if (!/^(identity)?$/.test(request.headers['content-encoding'] ?? ''))
    throw new ApiError('invalid_request', 'Bodies are taken as they are: send no Content-Encoding.', { status: 415 });
  const announced = request.headers['content-length'];
  if (Number(announced ?? 0) > most) throw tooLarge(most);
  if (announced === undefined) {
    const parts: Buffer[] = [];
    let size = 0;
    for await (const part of request as AsyncIterable<Buffer>) {
      if ((size += part.length) > most) throw tooLarge(most);
      parts.push(part);
    }
    return Buffer.concat(parts);
  }
  const length = Number(announced);
  const from = (8 - (head % 8)) % 8;
  // Pages that nothing is written to cost nothing, whatever was announced.
  const body = Buffer.allocUnsafeSlow(length + 8).subarray(from, from + length);
  let at = 0;
  for await (const part of request as AsyncIterable<Buffer>) at += part.copy(body, at);
  return body.subarray(0, at);
};
