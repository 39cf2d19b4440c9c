import { endpoints, jobFields, type CreateJob } from '@sluice/contract';
import { bodyHash, priorityOf } from '../batches/create.ts';
import type { Identity } from '../auth/identity.ts';
import { ApiError } from '../lib/errors.ts';
import { newJobId } from '../lib/ids.ts';
import { answers, executorEndpoints, modelKey, type Models, type ModelSpec } from '../models/models.ts';
import type { Storage } from '../storage/storage.ts';
import { bodyKey, keep } from './bodies.ts';
import type { NewJob } from './submit.ts';

export interface CreateOptions {
  idempotencyKey?: string;
  /** Of the HTTP exchange, as the log has it. */
  requestId?: string;
}

/** Fields by which an endpoint is known, where the body names none. */
const tells: readonly [field: string, endpoint: string][] = [
  ['inputs', '/v1/predict'],
  ['messages', '/v1/chat/completions'],
  ['prompt', '/v1/completions'],
];

/** The endpoint that is meant: the one that is named, the one whose field is there, or the only one there is. */
const endpointOf = (model: ModelSpec, named: string | null | undefined, body: Record<string, unknown>): string => {
  if (named !== null && named !== undefined) return named;
  const told = tells.find(([field]) => Object.hasOwn(body, field))?.[1];
  if (told !== undefined) return told;
  const served = executorEndpoints[model.executor] ?? endpoints;
  if (served.length === 1) return served[0]!;
  throw new ApiError('missing_required_parameter', `Missing required parameter: 'endpoint'. This model answers at ${served.join(', ')}.`, {
    param: 'endpoint',
  });
};

/** What the executor gets: `body`, or the fields beside the job's own. */
const bodyOf = (given: CreateJob): Record<string, unknown> => {
  const others = Object.entries(given).filter(([field]) => !jobFields.includes(field));
  if (given.body === undefined) return { model: given.model, ...Object.fromEntries(others) };
  if (others.length > 0)
    throw new ApiError('unknown_parameter', `Unknown parameter: '${others[0]![0]}'. Beside 'body' stand only ${jobFields.join(', ')}.`, {
      param: others[0]![0],
    });
  return { ...given.body, model: given.model };
};

/** Checks what is asked, and puts a large body into storage. */
export const prepareJob = async (
  { models, storage }: { models: Models; storage: Storage },
  identity: Identity,
  given: CreateJob,
  { idempotencyKey, requestId }: CreateOptions = {},
): Promise<NewJob> => {
  const model = await models.resolve(given.model, identity.tenant);
  const body = bodyOf(given);
  const endpoint = endpointOf(model, given.endpoint, body);
  if (!answers(model, endpoint))
    throw new ApiError('invalid_value', `The model '${given.model}' does not answer at ${endpoint}; see its endpoints at /v1/models.`, {
      param: 'endpoint',
    });
  if (body['stream'] === true)
    throw new ApiError('invalid_value', "A job cannot stream. Remove 'stream', or call the endpoint itself.", { param: 'stream' });
  const id = newJobId();
  return {
    id,
    identity,
    model: modelKey(model),
    endpoint,
    body: await keep(storage, bodyKey(identity.tenant, id), JSON.stringify(body)),
    priority: priorityOf(given),
    deadline: given.deadline ?? null,
    timeoutMs: given.timeout_ms ?? null,
    softTimeoutMs: given.soft_timeout_ms ?? null,
    maxAttempts: given.max_attempts ?? null,
    metadata: given.metadata ?? null,
    retryOf: null,
    requestId: requestId ?? null,
    idempotencyKey: idempotencyKey ?? null,
    idempotencyHash: idempotencyKey === undefined ? null : bodyHash(given),
  };
};
