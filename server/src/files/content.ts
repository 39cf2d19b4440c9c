import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from '../lib/errors.ts';
import type { Storage } from '../storage/storage.ts';
import type { FileRow } from './queries.ts';

/**
 * The one range of a `Range` header, as `[start, end)`. Null where the whole is meant: no header, other units, several
 * ranges (which a server may ignore), or a header that makes no sense; `'outside'` where none of it lies in the file.
 * Source: RFC 9110, section 14.
 */
export const parseRange = (header: string | undefined, size: number): { start: number; end: number } | 'outside' | null => {
  const match = /^bytes=(\d*)-(\d*)$/i.exec((header ?? '').replaceAll(/[ \t]/g, ''));
  if (!match || (match[1] === '' && match[2] === '')) return null;
  const [first, last] = [match[1]!, match[2]!];
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? 'outside' : { start: size - length, end: size };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return null;
  if (start >= size) return 'outside';
  return { start, end: last === '' ? size : Math.min(Number(last) + 1, size) };
};

/** Names outside ASCII in RFC 8187's form too; the plain form has no character that could end the quotes. */
export const disposition = (filename: string): string => {
  const plain = filename.replaceAll(/[^\x20-\x7e]|["\\%;]/g, '_');
  const exact = encodeURIComponent(filename.toWellFormed()).replaceAll(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"${plain === filename ? '' : `; filename*=UTF-8''${exact}`}`;
};

const matches = (header: string | undefined, etag: string): boolean =>
  header !== undefined && header.split(',').some((each) => each.trim().replace(/^W\//, '') === etag || each.trim() === '*');

/** What is to be sent, under which name and as what. */
export interface Content {
  key: string;
  bytes: number;
  sha256: string;
  filename: string;
  type: string;
}

/** Sends a file's bytes, or the range that was asked for. They never change, so their digest is a strong ETag. */
export const sendContent = (request: FastifyRequest, reply: FastifyReply, storage: Storage, file: FileRow): Promise<FastifyReply> =>
  sendBytes(request, reply, storage, { ...file, key: file.storage_key, type: 'application/octet-stream' });

/** The same for any object in storage. */
export const sendBytes = async (request: FastifyRequest, reply: FastifyReply, storage: Storage, file: Content): Promise<FastifyReply> => {
  const etag = `"${file.sha256}"`;
  reply.headers({ etag, 'accept-ranges': 'bytes', 'x-content-type-options': 'nosniff' });
  if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send();
  // A range of another version of the file would be of no use to whoever holds the rest.
  const ifRange = request.headers['if-range'];
  const wanted = ifRange === undefined || ifRange === etag ? request.headers.range : undefined;
  const range = parseRange(wanted, file.bytes);
  if (range === 'outside')
    throw new ApiError('range_not_satisfiable', `The range '${wanted}' lies outside the ${file.bytes} bytes of the file.`, {
      headers: { 'content-range': `bytes */${file.bytes}` },
    });
  const { start, end } = range ?? { start: 0, end: file.bytes };
  reply.code(range ? 206 : 200).headers({
    'content-type': file.type,
    'content-disposition': disposition(file.filename),
    'content-length': end - start,
    ...(range && { 'content-range': `bytes ${start}-${end - 1}/${file.bytes}` }),
  });
  if (request.method === 'HEAD') return reply.send();
  return reply.send(await storage.stream(file.key, { start, end }));
};
