import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { ApiError } from '../lib/errors.ts';

type Part = 'body' | 'querystring' | 'params' | 'headers';

/** A schema that others refer to by its `$id`. */
export interface SharedSchema {
  $id: string;
}

/**
 * Two validators: a query string is text and is read as the type its schema names; a body is taken as it was sent,
 * with nothing coerced, filled in or dropped. `verbose` hands the offending value to the message.
 */
export const validatorOf = (shared: readonly SharedSchema[]): ((route: { schema: object; httpPart?: string }) => ValidateFunction) => {
  const options = { allErrors: false, verbose: true, strict: true, strictTypes: false, addUsedSchema: false } as const;
  const body = new Ajv(options).addSchema([...shared]);
  const text = new Ajv({ ...options, coerceTypes: 'array', useDefaults: true }).addSchema([...shared]);
  return ({ schema, httpPart }) => (httpPart === 'body' ? body : text).compile(schema);
};

const article = (noun: string): string => (/^[aeiou]/.test(noun) ? `an ${noun}` : `a ${noun}`);

const kindOf = (value: unknown): string => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a number';
  return article(typeof value);
};

const unescape = (part: string): string => part.replaceAll('~1', '/').replaceAll('~0', '~');

/** `/metadata/tags` → `metadata.tags`; `/lines/3` → `lines[3]`. */
const dotted = (pointer: string): string =>
  pointer
    .split('/')
    .slice(1)
    .map(unescape)
    .reduce((path, part) => (/^\d+$/.test(part) && path ? `${path}[${part}]` : path ? `${path}.${part}` : part), '');

const shown = (value: unknown): string => {
  const text = typeof value === 'string' ? `'${value}'` : (JSON.stringify(value) ?? 'undefined');
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
};

const listed = (values: readonly unknown[]): string => {
  const words = values.map(shown);
  return words.length < 3 ? words.join(' and ') : `${words.slice(0, -1).join(', ')}, and ${words.at(-1)!}`;
};

const alternatives = (words: readonly string[]): string =>
  words.length === 1 ? words[0]! : `one of ${words.slice(0, -1).join(', ')} or ${words.at(-1)!}`;

const jsonType = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);

/** The types that would have been right, of all the branches a value was tried against; null only where it is alone. */
const wanted = (errors: readonly ErrorObject[]): string[] => {
  const types = new Set<string>();
  for (const error of errors) {
    if (error.keyword === 'type') for (const type of [error.params.type as string | string[]].flat()) types.add(type);
    if (error.keyword === 'enum') for (const value of error.params.allowedValues as unknown[]) types.add(jsonType(value));
    if (error.keyword === 'const') types.add(jsonType(error.params.allowedValue));
  }
  if (types.size > 1) types.delete('null');
  return [...types].map((type) => (type === 'null' ? 'null' : article(type)));
};

const fits = (error: ErrorObject): boolean => {
  if (error.keyword === 'enum') return (error.params.allowedValues as unknown[]).some((value) => jsonType(value) === jsonType(error.data));
  if (error.keyword === 'const') return jsonType(error.params.allowedValue) === jsonType(error.data);
  return error.keyword !== 'type' && error.keyword !== 'anyOf';
};

const sizes: Record<string, (limit: number, value: unknown) => string> = {
  minimum: (limit) => `integer below minimum value. Expected a value >= ${limit}`,
  maximum: (limit) => `integer above maximum value. Expected a value <= ${limit}`,
  minLength: (limit) => `string too short. Expected a string with minimum length ${limit}`,
  maxLength: (limit) => `string too long. Expected a string with maximum length ${limit}`,
  minItems: (limit) => `array too short. Expected an array with minimum length ${limit}`,
  maxItems: (limit) => `array too long. Expected an array with maximum length ${limit}`,
  minProperties: (limit) => `not enough properties. Expected an object with at least ${limit}`,
  maxProperties: (limit) => `too many properties. Expected an object with at most ${limit}`,
};

const got = (keyword: string, value: unknown): string => {
  if (keyword.endsWith('Length')) return `a string with length ${Array.from(String(value)).length}`;
  if (keyword.endsWith('Items')) return `an array with length ${(value as unknown[]).length}`;
  if (keyword.endsWith('Properties')) return `an object with ${Object.keys(value as object).length} properties`;
  return shown(value);
};

/**
 * What a failed validation says to the client, in OpenAI's words. A union reports each of its branches: the error
 * deepest in the value is the one meant, and among equals the one that is not about the type.
 */
export const describeInvalid = (errors: readonly ErrorObject[], part: Part): ApiError => {
  const deepest = Math.max(...errors.map((error) => error.instancePath.split('/').length));
  const candidates = errors.filter((error) => error.instancePath.split('/').length === deepest && error.keyword !== 'anyOf');
  const error = candidates.find(fits) ?? candidates[0] ?? errors[0]!;
  const path = dotted(error.instancePath);
  const within = (key: string): string => (path ? `${path}.${key}` : key);

  const limit = sizes[error.keyword];
  if (limit && fits(error)) {
    const what = path ? `Invalid '${path}'` : `Invalid ${part}`;
    const sentence = `${what}: ${limit(error.params.limit as number, error.data)}, but got ${got(error.keyword, error.data)} instead.`;
    return new ApiError('invalid_value', sentence, path ? { param: path } : {});
  }
  switch (error.keyword) {
    case 'required': {
      const param = within(error.params.missingProperty as string);
      return new ApiError('missing_required_parameter', `Missing required parameter: '${param}'.`, { param });
    }
    case 'additionalProperties': {
      const param = within(error.params.additionalProperty as string);
      return new ApiError('unknown_parameter', `Unknown parameter: '${param}'.`, { param });
    }
    case 'propertyNames': {
      const name = String(error.params.propertyName);
      return new ApiError('invalid_value', `Invalid '${path}': the key ${shown(name)} is not allowed. ${keyRule(errors)}`, { param: path });
    }
    case 'pattern': {
      const rule =
        (error.parentSchema as { description?: string } | undefined)?.description ?? `It must match ${String(error.params.pattern)}.`;
      return new ApiError('invalid_value', `Invalid '${path}': ${shown(error.data)}. ${rule}`, { param: path });
    }
    case 'enum':
    case 'const':
      if (fits(error)) {
        const values = error.keyword === 'enum' ? (error.params.allowedValues as unknown[]) : [error.params.allowedValue];
        const sentence = values.length === 1 ? `Value must be ${shown(values[0])}.` : `Supported values are: ${listed(values)}.`;
        return new ApiError('invalid_value', `Invalid value: ${shown(error.data)}. ${sentence}`, { param: path });
      }
  }
  const types = wanted(candidates);
  if (types.length === 0) return new ApiError('invalid_value', `Invalid '${path}': ${error.message ?? error.keyword}.`, { param: path });
  const what = path ? `Invalid type for '${path}'` : `Invalid type for the request's ${part}`;
  return new ApiError(
    'invalid_type',
    `${what}: expected ${alternatives(types)}, but got ${kindOf(error.data)} instead.`,
    path ? { param: path } : {},
  );
};

const keyRule = (errors: readonly ErrorObject[]): string => {
  const limit = errors.find((error) => error.keyword === 'maxLength')?.params.limit as number | undefined;
  return limit === undefined ? '' : `A key has at most ${limit} characters.`;
};
