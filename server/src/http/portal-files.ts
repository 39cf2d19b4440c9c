import fastifyStatic from '@fastify/static';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { App } from '../lib/app.ts';

/** Where `npm start` has the portal built to. */
export const portalFolder = fileURLToPath(new URL('../../../portal/dist', import.meta.url));

/**
 * The portal's pages may load from this server and call it, and nothing else. Its components style inline; drawings and
 * downloads are made in the page; Mol* and the check of files run in workers.
 */
export const portalPolicy = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** What the API has, and answers in JSON also where it has nothing. */
const ofTheApi = /^\/(v1|v2|docs|health|metrics|assets)(?![^/?])|^\/openapi\.json/;

/** Whether a browser asks for a page, not a program for data: a page's address is whatever the portal's router knows. */
const wantsPage = ({ method, url, headers }: FastifyRequest): boolean =>
  (method === 'GET' || method === 'HEAD') && !ofTheApi.test(url) && (headers.accept ?? '').includes('text/html');

/** Serves the built portal at `/`. Returns what answers addresses that only its router knows, or null where nothing is built. */
export const servePortal = async (
  app: App,
  folder: string,
): Promise<((request: FastifyRequest, reply: FastifyReply) => FastifyReply | null) | null> => {
  if (!existsSync(join(folder, 'index.html'))) return null;
  await app.register(fastifyStatic, {
    root: folder,
    // A route for each file there is, so that all other addresses are answered as they were.
    wildcard: false,
    globIgnore: ['**/*.gz', '**/*.br', 'manifest.json'],
    preCompressed: true,
    cacheControl: false,
    etag: true,
    setHeaders: (reply, path) => {
      reply.header('content-security-policy', portalPolicy);
      // Names of assets say what is in them; the page that names them is asked for each time.
      reply.header('cache-control', path.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
  return (request, reply) => (wantsPage(request) ? reply.code(200).sendFile('index.html') : null);
};
