import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import OpenAI, { type ClientOptions } from 'openai';
import type { Sluice } from '../support/sluice.ts';

/**
 * The stock client on a wire that holds every reply against OpenAI's own schemas. Stricter than they are in one thing:
 * recordings show every key of an object present, null where it has no value, so all of them are required here.
 * More lenient in one: a file of purpose `evals` is one OpenAI takes but leaves out of its File object.
 */
type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Dict = { [key: string]: Json };

const isDict = (value: unknown): value is Dict => typeof value === 'object' && value !== null && !Array.isArray(value);

/** OpenAPI 3.0's `nullable`, which JSON Schema does not know: what it stands in may be null. */
const withNull = (value: Json): Json => {
  if (Array.isArray(value)) return value.map(withNull);
  if (!isDict(value)) return value;
  const { nullable: itself, ...rest } = value;
  const inner: Dict = Object.fromEntries(Object.entries(rest).map(([key, each]) => [key, withNull(each)]));
  // OpenAI writes it beside a type, and as a part of `allOf` too.
  const inPart = Array.isArray(value['allOf']) && value['allOf'].some((part) => isDict(part) && part['nullable'] === true);
  const nullable = itself === true ? Object.keys(rest).length > 0 : inPart;
  return nullable ? { anyOf: [inner, { type: 'null' }] } : inner;
};

/** Schemas of which recordings show every key. */
const whole = ['Batch', 'BatchError', 'OpenAIFile', 'Upload', 'UploadPart', 'ListBatchesResponse', 'ListFilesResponse'];

const compile = (): { document: Dict; ajv: Ajv } => {
  const document = withNull(JSON.parse(readFileSync(new URL('../support/openai-schemas.json', import.meta.url), 'utf8')) as Json) as Dict;
  const schemas = (document['components'] as { schemas: Record<string, Dict> }).schemas;
  for (const name of whole) schemas[name]!['required'] = Object.keys(schemas[name]!['properties'] as Dict);
  ((schemas['OpenAIFile']!['properties'] as Dict)['purpose'] as { enum: string[] }).enum.push('evals');
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema(document, 'openai');
  return { document, ajv };
};

const { document, ajv } = compile();

/** `/v1/batches/batch_1/cancel` → its path in OpenAI's document; null where it has none. */
const documented = (path: string): string | null => {
  const parts = path.split('/').slice(2);
  const match = Object.keys(document['paths'] as Dict).find((pattern) => {
    const wanted = pattern.split('/').slice(1);
    return wanted.length === parts.length && wanted.every((name, i) => name.startsWith('{') || name === parts[i]);
  });
  return match ?? null;
};

const compiled = new Map<string, ValidateFunction>();
const validatorOf = (pointer: string): ValidateFunction => {
  let validate = compiled.get(pointer);
  if (!validate) {
    validate = ajv.compile({ $ref: `openai#${pointer}` });
    compiled.set(pointer, validate);
  }
  return validate;
};

const escaped = (path: string): string => encodeURIComponent(path.replaceAll('/', '~1'));

export interface Exchange {
  method: string;
  path: string;
  status: number;
  headers: Headers;
  /** Parsed, where it is JSON. */
  body: Dict | null;
}

const check = (method: string, path: string, status: number, type: string, body: string): void => {
  const known = documented(path);
  if (known === null) return;
  const pointer =
    status >= 400
      ? '/components/schemas/ErrorResponse'
      : `/paths/${escaped(known)}/${method.toLowerCase()}/responses/200/content/application~1json/schema`;
  if (!type.startsWith('application/json')) {
    if (status < 400 && path.endsWith('/content')) return;
    throw new Error(`${method} ${path} answered ${status} in ${type}`);
  }
  const validate = validatorOf(pointer);
  if (!validate(JSON.parse(body))) throw new Error(`${method} ${path} answered ${body}, but ${ajv.errorsText(validate.errors)}`);
};

/** What OpenAI sends on every reply, errors included. */
const checkHeaders = (method: string, path: string, headers: Headers): void => {
  const wanted = { 'x-request-id': /^req_[0-9a-f]{32}$/, 'openai-version': /^2020-10-01$/, 'openai-processing-ms': /^\d+$/ };
  for (const [name, pattern] of Object.entries(wanted))
    if (!pattern.test(headers.get(name) ?? '')) throw new Error(`${method} ${path} came with ${name}: ${headers.get(name)}`);
};

/** A stock client, and the exchanges it had. A reply that is not as OpenAI's fails the call. */
export const wired = (sluice: Sluice, options: ClientOptions = {}): { client: OpenAI; exchanges: Exchange[] } => {
  const exchanges: Exchange[] = [];
  const client = new OpenAI({
    apiKey: sluice.client.apiKey,
    baseURL: sluice.client.baseURL,
    maxRetries: 0,
    ...options,
    fetch: async (url, init) => {
      const { pathname: path } = new URL(url instanceof Request ? url.url : url);
      const method = (init?.method ?? 'GET').toUpperCase();
      const reply = await fetch(url, init);
      const type = reply.headers.get('content-type') ?? '';
      const text = type.startsWith('application/json') ? await reply.clone().text() : '';
      exchanges.push({ method, path, status: reply.status, headers: reply.headers, body: text === '' ? null : (JSON.parse(text) as Dict) });
      checkHeaders(method, path, reply.headers);
      check(method, path, reply.status, type, text);
      return reply;
    },
  });
  return { client, exchanges };
};

/** The error a call ends in. */
export const refusal = async (call: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> => {
  try {
    await call;
  } catch (error) {
    if (error instanceof OpenAI.APIError && error.status !== undefined) return error;
    throw error;
  }
  throw new Error('the call was not refused');
};
