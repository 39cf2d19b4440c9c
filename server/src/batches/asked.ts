import type { CreateBatch, Endpoint } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { createStored, insertFile } from '../files/files.ts';
import { ApiError } from '../lib/errors.ts';
import { answers, type Models } from '../models/models.ts';
import type { Storage } from '../storage/storage.ts';
import { createBatch, type CreateOptions } from './create.ts';

/** A create made whole: its input is a file, and the endpoint is known. */
export type NewBatch = Omit<CreateBatch, 'rows'> & { input_file_id: string; endpoint: Endpoint };

const missing = (name: string): ApiError =>
  new ApiError('missing_required_parameter', `Missing required parameter: '${name}'.`, { param: name });

/** Where a create's input is to come from; one place, and no other. */
const checkInput = (body: CreateBatch): void => {
  const named = (['input_file_id', 'rows'] as const).filter((name) => body[name] !== undefined);
  if (named.length === 0) throw missing('input_file_id');
  if (named.length > 1)
    throw new ApiError('invalid_value', `Give one of ${named.map((name) => `'${name}'`).join(' and ')}, not both.`, { param: named[1]! });
};

/** What a create says of tables, which OpenAI's clients know nothing of. */
const saysTable = (body: CreateBatch): boolean => (body.rows ?? body.columns ?? body.invalid ?? null) !== null;

/** The endpoint that a create means: where it names a model, predictions are what is left to say. */
const endpointOf = ({ endpoint, model }: Pick<CreateBatch, 'endpoint' | 'model'>): Endpoint => {
  if (endpoint !== undefined) return endpoint;
  if (typeof model !== 'string') throw missing('endpoint');
  return '/v1/predict';
};

/** A model as a batch keeps it: the version that its reference meant when the batch was made, whatever comes later. */
const pinned = async (models: Models, reference: string, tenant: string, endpoint: Endpoint): Promise<string> => {
  const model = await models.resolve(reference, tenant);
  if (!answers(model, endpoint))
    throw new ApiError('invalid_value', `The model '${model.name}@${model.version}' does not answer ${endpoint}.`, { param: 'model' });
  return `${model.name}@${model.version}`;
};

interface AskedDeps {
  db: Db;
  storage: Storage;
  models: Models;
  limits: { openai: boolean };
}

/** What a create says, checked and made whole, but for where its input is. */
export const wholeBody = async <Body extends CreateBatch>(
  { models, limits }: Pick<AskedDeps, 'models' | 'limits'>,
  { tenant }: Identity,
  body: Body,
): Promise<Body & { endpoint: Endpoint }> => {
  checkInput(body);
  if (limits.openai && saysTable(body))
    throw new ApiError('invalid_value', "Tables cannot be the input of batches: this server keeps to OpenAI's limits.", {
      param: body.rows === undefined ? 'columns' : 'rows',
    });
  const endpoint = endpointOf(body);
  if (typeof body.model !== 'string') return { ...body, endpoint };
  return { ...body, endpoint, model: await pinned(models, body.model, tenant, endpoint) };
};

/** Creates a batch of what a client sent. Rows that came in the request become a file, so that they can be run again. */
export const createFrom = async (
  deps: AskedDeps,
  identity: Identity,
  body: CreateBatch,
  options: CreateOptions,
): ReturnType<typeof createBatch> => {
  const { db, storage } = deps;
  const { rows, ...whole } = await wholeBody(deps, identity, body);
  const asked = { ...options, asked: body };
  if (rows === undefined) return createBatch(db, identity, { ...whole, input_file_id: whole.input_file_id! }, asked);
  const stored = await createStored(storage, {
    tenant: identity.tenant,
    filename: 'rows.jsonl',
    purpose: 'batch',
    bytes: rows.map((row) => Buffer.from(`${JSON.stringify(row)}\n`)),
  });
  let kept = false;
  try {
    return await db.transaction(async (tx) => {
      await insertFile(tx, identity, stored);
      const result = await createBatch(tx, identity, { ...whole, input_file_id: stored.id }, { ...asked, source: { kind: 'rows' } });
      if (!result.created) throw new Repeated(result);
      kept = true;
      return result;
    });
  } catch (error) {
    // A commit whose reply was lost may have happened all the same: then the bytes stay.
    if (!kept) await storage.delete(stored.key);
    if (error instanceof Repeated) return error.result;
    throw error;
  }
};

/** The batch is there already: what was made for it is undone. */
class Repeated extends Error {
  readonly result: Awaited<ReturnType<typeof createBatch>>;

  constructor(result: Awaited<ReturnType<typeof createBatch>>) {
    super('repeated');
    this.result = result;
  }
}
