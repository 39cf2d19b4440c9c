import { randomBytes } from 'node:crypto';
import type { FileObject, Upload, UploadPart } from '@sluice/contract';
import { type Client, Refused, Unreachable } from '@sluice/contract/client';
import type { Source } from './input.ts';

const MB = 1024 * 1024;

export interface UploadOptions {
  purpose: string;
  /** Called with the bytes that went out so far. */
  onProgress?: (sent: number) => void;
  signal?: AbortSignal;
  /** Tries in all, where another one may go better. */
  tries?: number;
  /** Files above this go in parts. */
  wholeBytes?: number;
  partBytes?: number;
}

const quoted = (name: string): string => name.replaceAll('"', '%22').replaceAll(/[\r\n]/g, ' ');

/** One multipart form as a stream of known length: chunked bodies are what proxies in front of servers stumble over. */
const form = (boundary: string, fields: Record<string, string>, field: string, name: string) => {
  const simple = Object.entries(fields).map(
    ([key, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${key}"\r\n\r\n${value}\r\n`,
  );
  const head = `${simple.join('')}--${boundary}\r\nContent-Disposition: form-data; name="${field}"; filename="${quoted(name)}"\r\nContent-Type: application/octet-stream\r\n\r\n`;
  return { head: Buffer.from(head), tail: Buffer.from(`\r\n--${boundary}--\r\n`) };
};

const multipart = async (
  client: Client,
  path: string,
  {
    fields = {},
    field,
    name,
    bytes,
    open,
    signal,
  }: Source & { fields?: Record<string, string>; field: string; signal: AbortSignal | undefined },
): Promise<Response> => {
  const boundary = `sluice-${randomBytes(12).toString('hex')}`;
  const { head, tail } = form(boundary, fields, field, name);
  async function* body(): AsyncGenerator<Buffer> {
    yield head;
    yield* open();
    yield tail;
  }
  const headers = {
    'content-type': `multipart/form-data; boundary=${boundary}`,
    'content-length': String(head.length + bytes + tail.length),
  };
  return await client.call('POST', path, { headers, raw: ReadableStream.from(body()), repeat: false, signal });
};

/** Whether a second try may go better: the connection broke, or the server said it was busy. */
const worthAnother = (error: unknown): boolean =>
  error instanceof Unreachable || (error instanceof Refused && (error.status === 429 || error.status === 503));

const again = async <T>(work: () => Promise<T>, signal: AbortSignal | undefined, tries = 4): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === tries || signal?.aborted || !worthAnother(error)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** attempt * (0.5 + Math.random() / 2)));
  }
};

async function* counted(chunks: AsyncIterable<Buffer>, count: (bytes: number) => void): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    yield chunk;
    count(chunk.length);
  }
}

/** Buffers of exactly `size` bytes, the last of fewer. */
export async function* parts(chunks: AsyncIterable<Buffer>, size: number): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let length = 0;
  for await (let chunk of chunks) {
    while (length + chunk.length >= size) {
      const rest = size - length;
      yield Buffer.concat([...held, chunk.subarray(0, rest)]);
      chunk = chunk.subarray(rest);
      [held, length] = [[], 0];
    }
    if (chunk.length > 0) held.push(chunk);
    length += chunk.length;
  }
  if (length > 0) yield Buffer.concat(held);
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += MB) yield bytes.subarray(at, at + MB);
}

const inParts = async (
  client: Client,
  source: Source,
  { purpose, onProgress, signal, partBytes = 64 * MB }: UploadOptions,
): Promise<FileObject> => {
  const upload = await client.post<Upload>('/v1/uploads', {
    filename: source.name,
    purpose,
    bytes: source.bytes,
    mime_type: 'application/jsonl',
  });
  try {
    const ids: string[] = [];
    let sent = 0;
    for await (const part of parts(source.open(), partBytes)) {
      const piece = { name: 'part', bytes: part.length, open: () => once(part), field: 'data', signal };
      const reply = await again(() => multipart(client, `/v1/uploads/${upload.id}/parts`, piece), signal);
      ids.push(((await reply.json()) as UploadPart).id);
      onProgress?.((sent += part.length));
    }
    const done = await client.post<Upload>(`/v1/uploads/${upload.id}/complete`, { part_ids: ids });
    if (!done.file) throw new Error(`the upload ${upload.id} completed without a file`);
    return done.file;
  } catch (error) {
    await client.post(`/v1/uploads/${upload.id}/cancel`).catch(() => {});
    throw error;
  }
};

/** Sends a file: whole where it is small enough, otherwise in parts, of which a broken one is sent again. */
export const upload = async (client: Client, source: Source, options: UploadOptions): Promise<FileObject> => {
  const { purpose, onProgress, signal, tries, wholeBytes = 512 * MB } = options;
  if (source.bytes > wholeBytes) return await inParts(client, source, options);
  const reply = await again(
    () => {
      let sent = 0;
      const open = () => counted(source.open(), (bytes) => onProgress?.((sent += bytes)));
      return multipart(client, '/v1/files', { name: source.name, bytes: source.bytes, open, fields: { purpose }, field: 'file', signal });
    },
    signal,
    tries,
  );
  return (await reply.json()) as FileObject;
};
