import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { ErrorBody, FileObject, Upload } from '@sluice/contract';
import type { Pool } from '../../src/db/db.ts';
import { fileRoutes } from '../../src/files/routes.ts';
import { buildServer } from '../../src/http/server.ts';
import { silent } from '../../src/lib/log.ts';
import { openMemory } from '../../src/storage/memory.ts';
import type { Storage } from '../../src/storage/storage.ts';

export interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  json: () => unknown;
  file: () => FileObject;
  upload: () => Upload;
  error: () => ErrorBody['error'];
}

export interface Sent {
  method?: string;
  key?: string;
  headers?: Record<string, string | number>;
  /** Pieces are written one by one, each in a packet of its own where it can be had. */
  body?: Iterable<Uint8Array | string> | AsyncIterable<Uint8Array | string>;
}

/** The files room behind the real HTTP server, on a port: tenants `lab` (users ada, bob) and `other` (eve). */
export const serveFiles = async (db: Pool, options: { storage?: Storage; limits?: { maxFileBytes?: number; openai?: boolean } } = {}) => {
  const storage = options.storage ?? openMemory();
  const app = await buildServer({
    keys: [
      { key: 'ada', tenant: 'lab', user: 'ada' },
      { key: 'bob', tenant: 'lab', user: 'bob' },
      { key: 'eve', tenant: 'other', user: 'eve' },
    ],
    log: silent,
    checkReplies: true,
    routes: (app) => fileRoutes(app, { db, storage, limits: { maxFileBytes: 2 ** 40, openai: false, ...options.limits } }),
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });

  const send = async (path: string, { method = 'GET', key = 'ada', headers = {}, body }: Sent = {}): Promise<Reply> => {
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const request = httpRequest(`${url}${path}`, { method, headers: { authorization: `Bearer ${key}`, ...headers }, agent: false });
    request.setNoDelay(true);
    request.on('error', reject);
    request.on('response', (response) => {
      buffer(response).then((bytes) => {
        const json = () => JSON.parse(bytes.toString()) as unknown;
        resolve({
          status: response.statusCode!,
          headers: response.headers,
          body: bytes,
          json,
          file: () => json() as FileObject,
          upload: () => json() as Upload,
          error: () => (json() as ErrorBody).error,
        });
      }, reject);
    });
    const room = () =>
      new Promise<void>((resolve) => {
        const done = () => {
          request.off('drain', done).off('close', done);
          resolve();
        };
        request.on('drain', done).on('close', done);
      });
    const write = async () => {
      for await (const piece of body ?? []) {
        if (request.destroyed) return;
        if (!request.write(piece)) await room();
      }
      request.end();
    };
    write().catch((error: unknown) => request.destroy(error as Error));
    return promise;
  };
  const post = (path: string, body: unknown, key?: string): Promise<Reply> =>
    send(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: [JSON.stringify(body)],
      ...(key !== undefined && { key }),
    });
  return { app, url, db, storage, send, post, [Symbol.asyncDispose]: () => app.close() };
};

export type FilesServer = Awaited<ReturnType<typeof serveFiles>>;

export const boundary = 'sluice-test-boundary';
export const multipart = { 'content-type': `multipart/form-data; boundary=${boundary}` };

export const field = (name: string, value: string): string =>
  `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;

export const filePart = (
  content: Uint8Array | string,
  { name = 'file', filename = 'input.jsonl' }: { name?: string; filename?: string | null } = {},
): Buffer =>
  Buffer.concat([
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${filename === null ? '' : `; filename="${filename}"`}\r\nContent-Type: application/octet-stream\r\n\r\n`,
    ),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ]);

export const end = `--${boundary}--\r\n`;

/** A form of these parts, closed. */
export const form = (...parts: (Uint8Array | string)[]): Buffer => Buffer.concat([...parts, end].map((part) => Buffer.from(part)));

export const upload = (server: FilesServer, body: Uint8Array, more: Omit<Sent, 'body'> = {}): Promise<Reply> =>
  server.send('/v1/files', { method: 'POST', ...more, headers: { ...multipart, ...more.headers }, body: [body] });

export const keysOf = async (storage: Storage): Promise<string[]> => {
  const keys: string[] = [];
  for await (const { key } of storage.list('')) keys.push(key);
  return keys;
};
