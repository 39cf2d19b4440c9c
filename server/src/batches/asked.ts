import type { CreateBatch, Endpoint } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { createStored, insertFile } from '../files/files.ts';
import { ApiError } from '../lib/errors.ts';
import { newFileId } from '../lib/ids.ts';
import type { Models } from '../models/models.ts';
import type { DeclaredRoute } from '../models/recommended.ts';
import { chooseModels } from '../routes/choose.ts';
import type { Storage } from '../storage/storage.ts';
import { noSources, sourceProblem } from '../tables/sources.ts';
import { createBatch, type CreateOptions } from './create.ts';
import { choosesAnew, pin, type Pinned } from './pinned.ts';
import type { TableDeps } from './table-input.ts';

/** A create made whole: its input is a file, and the endpoint is known. */
export type NewBatch = Omit<CreateBatch, 'rows' | 'source'> & { input_file_id: string; endpoint: Endpoint };

const missing = (name: string): ApiError =>
  new ApiError('missing_required_parameter', `Missing required parameter: '${name}'.`, { param: name });

/** Where a create's input is to come from; one place, and no other. */
const checkInput = (body: CreateBatch): void => {
  const named = (['input_file_id', 'rows', 'source'] as const).filter((name) => body[name] !== undefined);
  if (named.length === 0) throw missing('input_file_id');
  if (named.length > 1)
    throw new ApiError('invalid_value', `Give one of ${named.map((name) => `'${name}'`).join(' and ')}, not more.`, { param: named[1]! });
};

/** What a create says of tables, which OpenAI's clients know nothing of. */
const saysTable = (body: CreateBatch): boolean => (body.rows ?? body.source ?? body.columns ?? body.invalid ?? null) !== null;

/** The endpoint that a create means: where it names who is to answer, predictions are what is left to say. */
const endpointOf = (body: Pick<CreateBatch, 'endpoint' | 'model' | 'models' | 'route'>): Endpoint => {
  if (body.endpoint !== undefined) return body.endpoint;
  if (!choosesAnew(body)) throw missing('endpoint');
  return '/v1/predict';
};

interface AskedDeps {
  db: Db;
  storage: Storage;
  models: Models;
  limits: { openai: boolean };
  /** Those that the configuration declares. */
  routes?: readonly DeclaredRoute[];
  tables?: TableDeps | undefined;
}

/**
 * What a create says, checked and made whole, but for where its input is; and who runs its lines: the versions that its
 * references mean now, whatever comes later.
 *
 * @param known who does, where that is settled already
 */
export const wholeBody = async <Body extends CreateBatch>(
  { db, models, limits, routes = [], tables }: Pick<AskedDeps, 'db' | 'models' | 'limits' | 'routes' | 'tables'>,
  identity: Identity,
  body: Body,
  known?: Pinned,
): Promise<{ body: Body & { endpoint: Endpoint }; pinned: Pinned }> => {
  checkInput(body);
  if (limits.openai && saysTable(body))
    throw new ApiError('invalid_value', "Tables cannot be the input of batches: this server keeps to OpenAI's limits.", {
      param: (['rows', 'source', 'columns', 'invalid'] as const).find((name) => (body[name] ?? null) !== null)!,
    });
  const problem = body.source === undefined ? null : sourceProblem(body.source.url, tables?.sources ?? noSources, identity.tenant);
  if (problem !== null) throw new ApiError('invalid_value', `Invalid 'source.url'. ${problem}`, { param: 'source.url' });
  const endpoint = endpointOf(body);
  const pinned = known ?? pin(await chooseModels({ db, models, declared: routes }, identity, { ...body, endpoint }));
  return { body: { ...body, endpoint }, pinned };
};

/** Creates a batch of what a client sent. Rows that came in the request become a file, so that they can be run again. */
export const createFrom = async (
  deps: AskedDeps,
  identity: Identity,
  body: CreateBatch,
  options: CreateOptions,
): ReturnType<typeof createBatch> => {
  const { db, storage } = deps;
  const made = await wholeBody(deps, identity, body, options.pinned);
  const { rows, source, ...whole } = made.body;
  const asked = { ...options, asked: body, pinned: made.pinned };
  if (source !== undefined) {
    const url = { kind: 'url' as const, url: source.url };
    return createBatch(db, identity, { ...whole, input_file_id: newFileId() }, { ...asked, source: url });
  }
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
