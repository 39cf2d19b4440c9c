import { createReadStream, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { App } from '../lib/app.ts';

const require = createRequire(import.meta.url);

/** The bundle of Scalar's that needs no build: one script, from the package as installed. */
const bundle = (): string => join(dirname(require.resolve('@scalar/api-reference')), 'browser/standalone.js');

// Scalar's defaults fetch fonts, report use, send "try it" through a proxy of theirs and offer services of theirs;
// air-gapped servers hit that.
const settings = {
  url: '/openapi.json',
  withDefaultFonts: false,
  telemetry: false,
  agent: { disabled: true },
  mcp: { disabled: true },
  showDeveloperTools: 'never',
  hideClientButton: true,
  hideModels: true,
  authentication: { preferredSecurityScheme: 'key' },
};

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Sluice API</title>
    <link rel="icon" href="data:,">
  </head>
  <body>
    <div id="app"></div>
    <script src="/docs/scalar.js"></script>
    <script src="/docs/page.js"></script>
  </body>
</html>
`;

/** The page may load and call this server only; what slips through the settings stops here. Scalar styles inline. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The API's reference at /docs, made from /openapi.json by Scalar; it loads nothing from elsewhere. */
export const docsPage = (app: App): void => {
  const hide = { schema: { hide: true } };
  app.get('/docs', hide, (_request, reply) => reply.header('content-security-policy', policy).type('text/html; charset=utf-8').send(page));
  app.get('/docs/page.js', hide, (_request, reply) =>
    reply.type('text/javascript; charset=utf-8').send(`Scalar.createApiReference('#app', ${JSON.stringify(settings)});\n`),
  );
  app.get('/docs/scalar.js', hide, (request, reply) => {
    const path = bundle();
    const { size, mtimeMs } = statSync(path);
    const etag = `"${size.toString(36)}-${Math.round(mtimeMs).toString(36)}"`;
    reply.header('etag', etag).header('cache-control', 'no-cache');
    if (request.headers['if-none-match'] === etag) return reply.code(304).send();
    return reply.type('text/javascript; charset=utf-8').header('content-length', size).send(createReadStream(path));
  });
};
