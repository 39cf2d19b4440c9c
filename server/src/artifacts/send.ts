import type { Artifact } from '@sluice/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sendBytes } from '../files/content.ts';
import type { Storage } from '../storage/storage.ts';
import type { ArtifactRow } from './artifacts.ts';

/**
 * Types that are sent as what they are. What a browser would run, or lay out with scripts in it, goes as bytes: what
 * programs leave is no more to be trusted than what users send.
 */
const plain = new Set([
  'application/json',
  'application/jsonl',
  'application/yaml',
  'application/zip',
  'application/vnd.apache.parquet',
  'chemical/x-mmcif',
  'chemical/x-pdb',
  'chemical/x-mdl-sdfile',
  'image/png',
  'text/csv; charset=utf-8',
  'text/plain; charset=utf-8',
  'text/tab-separated-values; charset=utf-8',
]);

export const safeType = (type: string): string => (plain.has(type) ? type : 'application/octet-stream');

/** As clients see it. @param base the address of the list it is in */
export const shown = (row: ArtifactRow, base: string): Artifact => ({
  object: 'artifact',
  name: row.name,
  content_type: row.content_type,
  bytes: row.bytes,
  sha256: row.sha256,
  attempt: row.attempt,
  url: `${base}/${row.name}`,
});

export const sendArtifact = (request: FastifyRequest, reply: FastifyReply, storage: Storage, row: ArtifactRow): Promise<FastifyReply> =>
  sendBytes(request, reply.header('content-security-policy', "sandbox; default-src 'none'"), storage, {
    key: row.storage_key,
    bytes: row.bytes,
    sha256: row.sha256,
    filename: row.name,
    type: safeType(row.content_type),
  });
