import { ApiError } from '../lib/errors.ts';
import type { Models, ModelSpec } from '../models/models.ts';

export const verbs = ['metadata', 'ready', 'infer', 'config', 'stats', 'load', 'unload'] as const;
export type Verb = (typeof verbs)[number];

/** What an address means. */
export interface Target {
  name: string;
  version: string | null;
  verb: Verb;
}

const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new ApiError('invalid_request', `The address holds '${part}', which is not percent-encoded UTF-8.`);
  }
};

/**
 * Reads what follows `/v2/models/`: a name, which may hold `/`, as it is or as %2F; perhaps a version; perhaps what is
 * asked of it. Names never hold those words behind a `/` (see `models/names.ts`), so there is one way to read it.
 */
export const targetOf = (rest: string): Target => {
  const parts = rest.split('/').filter((part) => part !== '');
  const verb = verbs.slice(1).find((word) => parts.length > 1 && parts.at(-1) === word) ?? 'metadata';
  if (verb !== 'metadata') parts.pop();
  const versioned = parts.length > 2 && parts.at(-2) === 'versions';
  const version = versioned ? decoded(parts.pop()!) : null;
  if (versioned) parts.pop();
  return { name: parts.map(decoded).join('/'), version, verb };
};

/** The model that is meant, where it speaks the protocol. */
export const findTarget = async (models: Models, { name, version }: Target, tenant: string): Promise<ModelSpec> => {
  const model = await models.resolve(version === null ? name : `${name}@${version}`, tenant);
  if (model.executor !== 'onnx')
    throw new ApiError('invalid_value', `The model '${name}' is no ONNX model; it answers at the endpoints that /v1/models lists.`);
  return model;
};

/** The ONNX models that a tenant sees, each version of them. */
export const seenBy = (models: Models, tenant: string): ModelSpec[] => models.seen(tenant).filter(({ executor }) => executor === 'onnx');
