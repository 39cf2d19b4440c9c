import { Batch, RequestDetails, RequestPage, requestStates, type RequestState, type RequestSummary } from '@sluice/contract';
import { Type } from 'typebox';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { readLines } from '../formats/read-lines.ts';
import type { App } from '../lib/app.ts';
import { ApiError } from '../lib/errors.ts';
import { parseRequestId } from '../lib/ids.ts';
import { movesOf } from '../requests/moves.ts';
import { describeRequests, linesInStates, newestId, type Viewed } from '../requests/view.ts';
import type { Quotas } from '../policy/quotas.ts';
import { NotFound, type Storage } from '../storage/storage.ts';
import { describeRows, rowOutput } from './parent-requests.ts';
import { rowsInStates } from './parents.ts';
import { present, getBatch } from './read.ts';
import { retryRequest } from './retry.ts';
import type { BatchRow } from './rows.ts';

interface Deps {
  db: Db;
  storage: Storage;
  quotas?: Quotas;
}

const statesOf = (text: string): RequestState[] => {
  const asked = text.split(',');
  const unknown = asked.find((state) => !(requestStates as readonly string[]).includes(state));
  if (unknown !== undefined)
    throw new ApiError(
      'invalid_value',
      `Invalid value: '${unknown}'. Supported values are: ${requestStates.map((s) => `'${s}'`).join(', ')}.`,
      { param: 'state' },
    );
  return asked as RequestState[];
};

const summary = ({ result: _, ...shown }: Viewed): RequestSummary => shown;

const missing = (id: string): ApiError => new ApiError('not_found', `No request found with id '${id}'.`, { param: 'id' });

const isMissing = (error: unknown): boolean => error instanceof ApiError && error.status === 404;

/** The batch and the line a request's id names, if they are the tenant's. */
export const findRequest = async (db: Db, identity: Identity, id: string): Promise<{ batch: BatchRow; line: number }> => {
  const parsed = parseRequestId(id);
  if (parsed === null) throw missing(id);
  const batch = await getBatch(db, identity, parsed.batchId).catch((error: unknown) => {
    throw isMissing(error) ? missing(id) : error;
  });
  if (!batch.sealed && batch.status === 'validating')
    throw new ApiError('not_found', `The batch ${batch.id} is still validating; its requests can be seen once it is in progress.`, {
      param: 'id',
    });
  if (parsed.line > batch.total) throw missing(id);
  return { batch, line: parsed.line };
};

/** Any request, as JSON: what was sent, and what came of it. */
export const requestDetails = async (deps: Deps, identity: Identity, batch: BatchRow, line: number): Promise<RequestDetails> => {
  const { db, storage } = deps;
  if (batch.kind === 'parent') return rowDetails(deps, identity, batch, line);
  const [viewed] = await describeRequests(deps, batch, [line]);
  if (viewed === undefined) throw missing(String(line));
  const history = await db.many<RequestDetails['history'][number]>(sql`
    select number, kind, code, message, status_code, worker_id as worker, extract(epoch from started_at)::float8 as started_at, duration_ms
    from attempts where batch_no = ${batch.no} and line = ${line} order by number`);
  return {
    ...summary(viewed),
    tenant: batch.tenant_id,
    created_by: batch.created_by,
    endpoint: batch.endpoint,
    input: await inputOf(storage, batch, line),
    output: viewed.result ? JSON.parse((await storage.read(viewed.result.key, viewed.result)).toString('utf8')) : null,
    history,
    moves: await movesOf(db, batch, line, viewed.finished_at),
    newest: viewed.continued_by === null ? null : await newestOf(deps, identity, viewed.continued_by),
  };
};

/** A line of a parent: what each model answered is in its output; attempts and moves are those of its batches. */
const rowDetails = async (deps: Deps, identity: Identity, batch: BatchRow, line: number): Promise<RequestDetails> => {
  const [row] = await describeRows(deps, batch, [line]);
  const continued = await newestId(deps.db, batch, line);
  return {
    ...row!.summary,
    continued_by: continued,
    tenant: batch.tenant_id,
    created_by: batch.created_by,
    endpoint: batch.endpoint,
    input: await inputOf(deps.storage, batch, line),
    output: await rowOutput(deps.storage, row!),
    history: [],
    moves: [],
    newest: continued === null ? null : await newestOf(deps, identity, continued),
  };
};

const inputOf = async (storage: Storage, batch: BatchRow, line: number): Promise<unknown> => {
  if (batch.input_key === null || batch.index_key === null) return null;
  try {
    for await (const [found] of readLines(storage, { inputKey: batch.input_key, indexKey: batch.index_key }, [line, line + 1]))
      return JSON.parse(found!.bytes.toString('utf8'));
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
  }
  return null;
};

/** The newest result of a request: a continuation may itself have been continued. */
const newestOf = async (deps: Deps, identity: Identity, id: string): Promise<unknown> => {
  const { batch, line } = await findRequest(deps.db, identity, id).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
    return { batch: null, line: 0 };
  });
  if (batch === null) return { id, state: 'queued', output: null };
  const { newest, ...shown } = await requestDetails(deps, identity, batch, line);
  return newest ?? { id, state: shown.state, attempts: shown.attempts, error: shown.error, output: shown.output };
};

export const requestRoutes = (app: App, deps: Deps): void => {
  const { db, storage } = deps;

  app.get(
    '/v1/batches/:id/requests',
    {
      schema: {
        summary: 'List a batch’s requests, by line',
        operationId: 'listBatchRequests',
        params: Type.Object({ id: Type.String() }),
        querystring: Type.Object({
          state: Type.Optional(Type.String({ description: 'One state, or several with commas between.' })),
          after: Type.Optional(Type.String({ description: 'The id of the last request of the page before.' })),
          line: Type.Optional(Type.Integer({ minimum: 1, description: 'Start at this line.' })),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
        }),
        response: { 200: RequestPage },
      },
    },
    async (request) => {
      const batch = await getBatch(db, request.identity, request.params.id);
      const { state, after, line = 1, limit = 100 } = request.query;
      const parsed = after === undefined ? null : parseRequestId(after);
      if (after !== undefined && parsed?.batchId !== batch.id)
        throw new ApiError('invalid_value', `'${after}' is no request of ${batch.id}.`, { param: 'after' });
      const from = Math.max(line, (parsed?.line ?? 0) + 1);
      const numbers =
        state === undefined
          ? Array.from({ length: Math.max(0, Math.min(limit + 1, batch.total - from + 1)) }, (_, i) => from + i)
          : await (batch.kind === 'parent' ? rowsInStates : linesInStates)(db, batch, statesOf(state), from, limit + 1);
      const page = numbers.slice(0, limit);
      const data =
        batch.kind === 'parent'
          ? (await describeRows(deps, batch, page)).map((row) => row.summary)
          : (await describeRequests(deps, batch, page)).map(summary);
      return {
        object: 'list' as const,
        data,
        first_id: data[0]?.id ?? null,
        last_id: data.at(-1)?.id ?? null,
        has_more: numbers.length > limit,
      };
    },
  );

  app.get(
    '/v1/requests/:id',
    {
      schema: {
        summary: 'Get a request, with its input, attempts and output',
        operationId: 'getRequest',
        params: Type.Object({ id: Type.String() }),
        response: { 200: RequestDetails },
      },
    },
    async (request): Promise<RequestDetails> => {
      const { batch, line } = await findRequest(db, request.identity, request.params.id);
      return requestDetails(deps, request.identity, batch, line);
    },
  );

  app.post(
    '/v1/requests/:id/retry',
    {
      schema: {
        summary: 'Run one request again, in a continuation',
        operationId: 'retryRequest',
        params: Type.Object({ id: Type.String() }),
        response: { 200: Batch },
      },
    },
    async (request): Promise<Batch> => {
      const { batch, line } = await findRequest(db, request.identity, request.params.id);
      return (await present(db, [await retryRequest(db, storage, request.identity, batch, line, deps.quotas)]))[0]!;
    },
  );
};
