import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CreateBatch, errors, SetRoute } from '@sluice/contract';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { describeApi } from '../src/roles/describe.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

const sources = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !/test|conformance/.test(name))
    .map((name) => join(folder, name));

interface Operation {
  operationId: string;
  summary?: string;
  tags?: string[];
  security?: object[];
  parameters?: { name: string; in: string; required: boolean; schema?: object; content?: object }[];
  requestBody?: { content: Record<string, { schema: object }> };
  responses: Record<string, { description: string; content?: Record<string, { schema?: object }> }>;
}

interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object>; securitySchemes: object };
}

const document = (await describeApi()) as unknown as Document;
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

describe('the OpenAPI document', () => {
  test('is the one that is committed', () => {
    expect(`${JSON.stringify(document, null, 2)}\n`).toBe(read('server/openapi.json'));
  });

  test('every reference has its target', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1]!);
    expect(references.length).toBeGreaterThan(20);
    for (const reference of new Set(references)) {
      expect(reference).toMatch(/^#\/components\/schemas\/\w+$/);
      expect(Object.keys(document.components.schemas)).toContain(reference.split('/').at(-1));
    }
  });

  test('every schema is one of JSON Schema 2020-12, which 3.1 means', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema({ $id: 'https://sluice.test/openapi', components: document.components });
    const compile = (schema: unknown) =>
      ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"https://sluice.test/openapi#/components')) as object);
    for (const schema of Object.values(document.components.schemas)) expect(compile(schema)).toBeTypeOf('function');
    for (const { operation } of operations) {
      const contents = [operation.requestBody, ...Object.values(operation.responses)].flatMap((part) => Object.values(part?.content ?? {}));
      for (const { schema } of contents) if (schema) expect(compile(schema)).toBeTypeOf('function');
    }
  });

  test('every operation has a name, a summary, a tag and a key, and declares what its path holds', () => {
    expect(document.openapi).toBe('3.1.0');
    const names = operations.map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
    for (const { path, operation } of operations) {
      // Whoever watches a server over the Open Inference Protocol has no key.
      const security = path.startsWith('/v2/health/') || operation.operationId === 'signIn' ? [] : [{ key: [] }];
      expect(operation, path).toMatchObject({ summary: expect.any(String) as string, tags: [expect.any(String)], security });
      const held = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!);
      const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
      expect(declared.map(({ name }) => name).sort(), path).toEqual(held.sort());
      for (const parameter of operation.parameters ?? []) expect(parameter.schema ?? parameter.content).toBeDefined();
      for (const reply of Object.values(operation.responses)) expect(reply.description).not.toBe('Default Response');
    }
  });
});

describe('the error registry', () => {
  const code = [...sources('server/src'), ...sources('contract/src')]
    .filter((path) => !path.endsWith('contract/src/errors.ts'))
    .map(read)
    .join('\n');

  test.each(Object.keys(errors))('%s is documented', (name) => {
    expect(read('docs/errors.md')).toContain(`| \`${name}\` |`);
  });

  test('every code in the source is in the registry', () => {
    const used = [...code.matchAll(/(?:new ApiError\(\s*|\bcode: |\bcode = )'([a-z][a-z_]+)'(?! in)/g)].map((match) => match[1]!);
    expect(used.length).toBeGreaterThan(20);
    expect(new Set(used).difference(new Set(Object.keys(errors)))).toEqual(new Set());
  });
});

describe('bodies that the documentation shows', () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  /** What stands in `fences` of that kind, as it stands. */
  const fenced = (path: string, kind: string): string[] =>
    [...read(path).matchAll(new RegExp(`^\\x60{3}${kind}\\n(.*?)^\\x60{3}`, 'gms'))].map((match) => match[1]!);
  const wrong = (schema: object, body: unknown): unknown => (ajv.validate(schema, body) ? null : ajv.errors);

  const creates = fenced('docs/tables.md', 'json');
  test.each(creates)('docs/tables.md %#', (text) => {
    const body = JSON.parse(text) as Record<string, unknown>;
    expect(wrong(CreateBatch, body)).toBe(null);
    expect(['input_file_id', 'rows', 'source'].filter((field) => field in body)).toHaveLength(1);
  });

  const schemas: Record<string, object> = {
    'PUT /v1/routes/solubility': SetRoute,
    'POST /v1/batches': CreateBatch,
    'POST /v1/batches/preview': CreateBatch,
  };
  const asked = fenced('docs/routes.md', 'http').map((text) => /^([A-Z]+) (\S+)\n(.*)$/s.exec(text)!.slice(1) as [string, string, string]);
  test.each(asked)('docs/routes.md: %s %s', (method, path, text) => {
    const schema = schemas[`${method} ${path}`];
    expect(schema).toBeDefined();
    expect(wrong(schema!, JSON.parse(text))).toBe(null);
  });

  test('there are some', () => {
    expect(creates.length).toBeGreaterThanOrEqual(3);
    expect(asked.length).toBeGreaterThanOrEqual(5);
  });
});
