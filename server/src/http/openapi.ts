import swagger from '@fastify/swagger';
import type { FastifySchema } from 'fastify';
import type { App } from '../lib/app.ts';

const openai = { name: 'OpenAI', description: 'Calls that go on to the upstream of their model, and come back as it answers.' };

/** What the document calls each part of the API, by the first name of the path. */
const tags: Record<string, { name: string; description: string }> = {
  files: { name: 'Files', description: 'Bytes with a purpose: inputs that were uploaded, outputs and errors that batches wrote.' },
  uploads: { name: 'Uploads', description: 'Files that arrive in parts.' },
  batches: { name: 'Batches', description: 'A file of requests in, a file of results out, by the deadline it names.' },
  requests: { name: 'Requests', description: 'One line of a batch: its state, attempts, input and output.' },
  dead_letters: { name: 'Dead letters', description: 'Requests that used up their attempts: why, what was sent, and running them again.' },
  bulk: { name: 'Bulk', description: 'One action on many batches or requests: previewed, paced, stopped, and accounted for.' },
  models: { name: 'Models', description: 'What can be asked.' },
  routes: { name: 'Routes', description: 'Which models are recommended for a target and a series of molecules.' },
  chat: openai,
  completions: openai,
  embeddings: openai,
  responses: openai,
  v2: { name: 'Inference', description: 'The Open Inference Protocol v2, for ONNX models: clients of Triton and KServe work as they are.' },
  predict: { name: 'Predict', description: 'One request, answered at once.' },
  events: { name: 'Events', description: 'What happened to batches, as Server-Sent Events that resume from a number.' },
  predictions: { name: 'Predict', description: 'One request, answered at once.' },
  jobs: { name: 'Jobs', description: 'One request, answered in the background.' },
  screens: { name: 'Screens', description: 'A protein against ligands: one batch, a record and files for each, the best of all.' },
  archive: { name: 'Screens', description: 'A protein against ligands: one batch, a record and files for each, the best of all.' },
  molecules: { name: 'Molecules', description: 'What RDKit makes of a SMILES: checked, matched, drawn.' },
  depict: { name: 'Molecules', description: 'What RDKit makes of a SMILES: checked, matched, drawn.' },
  callbacks: { name: 'Workers', description: 'Who runs requests, and the pools they belong to.' },
  workers: { name: 'Workers', description: 'Who runs requests, and the pools they belong to.' },
  pools: { name: 'Workers', description: 'Who runs requests, and the pools they belong to.' },
  completion: { name: 'Completion', description: 'Which batches stand still, why, and putting it right.' },
  cache: { name: 'Cache', description: 'Answers that are kept, so that the same question is computed once.' },
  usage: { name: 'Usage', description: 'What quotas allow, and what of it is in use.' },
  portal: { name: 'Portal', description: 'What pages ask: sessions of browsers, figures kept ready, lists made to be scrolled.' },
  analytics: { name: 'Analytics', description: 'Counts, durations and failures by model, user and day.' },
};

const tagOf = (url: string): string | undefined => (/^\/v2(\/|$)/.test(url) ? tags['v2'] : tags[url.split('/')[2] ?? ''])?.name;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Says by reference what a schema says again: rooms give their routes the schemas themselves, for their types. */
const byReference = (schema: unknown, known: ReadonlySet<string>): unknown => {
  if (Array.isArray(schema)) return schema.map((item) => byReference(item, known));
  if (!isObject(schema)) return schema;
  if (typeof schema['$id'] === 'string' && known.has(schema['$id'])) return { $ref: `${schema['$id']}#` };
  const entries = Object.entries(schema).map(([key, value]) => {
    if (key === '$ref' && typeof value === 'string' && known.has(value)) return [key, `${value}#`];
    return [key, byReference(value, known)];
  });
  return Object.fromEntries(entries) as unknown;
};

/** `$id` inside a component would change what its references are relative to. */
const withoutIds = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutIds);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => (key === '$id' && typeof inner === 'string' ? [] : [[key, withoutIds(inner)]])),
  );
};

const titleOfRest = (params: unknown): { name: string; params: object } | null => {
  if (!isObject(params) || !isObject(params['properties'])) return null;
  const { '*': rest, ...others } = params['properties'];
  if (!isObject(rest) || typeof rest['title'] !== 'string') return null;
  return { name: rest['title'], params: { type: 'object', properties: { ...others, [rest['title']]: rest } } };
};

const camel = (words: string[]): string => words.map((word, i) => (i === 0 ? word : word[0]!.toUpperCase() + word.slice(1))).join('');

/** `POST /v1/batches/:id/cancel` → `postBatchesIdCancel`, where the room gave none. */
const operationId = (method: string, url: string): string =>
  camel([
    method.toLowerCase(),
    ...url
      .replace(/^\/v1/, '')
      .split(/[^A-Za-z0-9]+/)
      .filter(Boolean),
  ]);

const description = `The API of a Sluice server. Files, Uploads and Batches are OpenAI's: any client of theirs works with \`base_url\` set
to this server's \`/v1\`. What Sluice adds are fields and routes of its own, which stock clients ignore.`;

const asContent = (type: string, schema: object, text: string) => ({ description: text, content: { [type]: { schema } } });

/** What a route answers: as its schemas say; bytes of the type it produces; or nothing that is described. */
const repliesOf = ({ response, produces, summary = 'Done' }: FastifySchema): Record<string, unknown> => {
  if (isObject(response)) return response;
  const type = produces?.[0];
  return { 200: type ? asContent(type, { type: 'string' }, `${summary}.`) : { description: `${summary}.`, type: 'null' } };
};

/**
 * A body whose fields are all optional may be left out altogether, and so may a parameter that has a default; a reply
 * that is not described is a success.
 */
const finished = (document: unknown): unknown => {
  const paths = isObject(document) && isObject(document['paths']) ? document['paths'] : {};
  for (const operation of Object.values(paths).flatMap((path) => (isObject(path) ? Object.values(path) : []))) {
    if (!isObject(operation)) continue;
    const { requestBody: body, responses, parameters } = operation;
    const json = isObject(body) && isObject(body['content']) ? body['content']['application/json'] : undefined;
    const schema = isObject(json) ? json['schema'] : undefined;
    if (isObject(body) && isObject(schema) && schema['required'] === undefined && schema['$ref'] === undefined) body['required'] = false;
    for (const parameter of Array.isArray(parameters) ? (parameters as unknown[]) : [])
      if (isObject(parameter) && isObject(parameter['schema']) && 'default' in parameter['schema']) parameter['required'] = false;
    for (const reply of isObject(responses) ? Object.values(responses) : [])
      if (isObject(reply) && reply['description'] === 'Default Response') reply['description'] = 'Done.';
  }
  return document;
};

/** Collects the routes that are added from now on, and serves them as OpenAPI 3.1 at /openapi.json. */
export const describeApi = async (app: App, version = '0.1.0'): Promise<void> => {
  await app.register(swagger, {
    convertConstToEnum: false,
    stripBasePath: false,
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Sluice', version, description, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
      servers: [{ url: '/', description: 'This server' }],
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'An API key of this server.' } } },
      // Pools and workers have one between them.
      tags: Object.values(tags).filter(({ name }, i, all) => all.findIndex((tag) => tag.name === name) === i),
    },
    refResolver: { buildLocalReference: (json, _base, _fragment, i) => (typeof json['$id'] === 'string' ? json['$id'] : `def-${i}`) },
    transform: ({ schema, url, route }) => {
      const known = new Set(Object.keys(app.getSchemas()));
      // OpenAPI has no parameter that holds `/`; the name it gets is the title of `*`.
      const rest = titleOfRest(schema?.params);
      const given: FastifySchema = schema ?? {};
      const inference = /^\/v2(\/|$)/.test(url);
      if (!url.startsWith('/v1/') && !inference) return { schema: { ...given, hide: true }, url };
      const tag = tagOf(url);
      const described: FastifySchema = {
        operationId: operationId(String([route.method].flat()[0]), url),
        ...(tag === undefined ? {} : { tags: [tag] }),
        security: [{ key: [] }],
        ...(byReference(given, known) as FastifySchema),
      };
      const full = {
        ...described,
        response: {
          ...repliesOf(described),
          default: asContent('application/json', { $ref: inference ? 'InferenceError#' : 'Error#' }, 'What went wrong.'),
        },
      };
      return rest ? { schema: { ...full, params: rest.params }, url: url.replace('*', `:${rest.name}`) } : { schema: full, url };
    },
    transformObject: (document) => {
      if (!('openapiObject' in document)) throw new Error('an OpenAPI document was expected');
      return finished(withoutIds(document.openapiObject)) as typeof document.openapiObject;
    },
  });
  let text: string | undefined;
  app.get('/openapi.json', { schema: { hide: true } }, (_request, reply) => {
    text ??= JSON.stringify(app.swagger());
    return reply.type('application/json').header('cache-control', 'no-cache').header('access-control-allow-origin', '*').send(text);
  });
};
