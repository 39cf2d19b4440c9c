import {
  Analytics,
  Batch,
  BatchPage,
  BatchPreview,
  batchStatuses,
  CancelBatch,
  CloneBatch,
  CreateBatch,
  DeletedBatch,
  lastSecond,
  type DryRun,
  PatchBatch,
  RetryBatch,
  type BatchStatus,
} from '@sluice/contract';
import { Readable } from 'node:stream';
import { Type } from 'typebox';
import type { DedupSettings } from '../policy/dedup.ts';
import type { Db } from '../db/db.ts';
import type { Listener } from '../db/listen.ts';
import { getFile } from '../files/files.ts';
import type { App } from '../lib/app.ts';
import { ApiError } from '../lib/errors.ts';
import type { Models } from '../models/models.ts';
import type { DeclaredRoute } from '../models/recommended.ts';
import type { PoolConfig } from '../policy/pools.ts';
import { noQuotas, type Quotas } from '../policy/quotas.ts';
import type { Storage } from '../storage/storage.ts';
import type { Admit } from './admission.ts';
import { analyticsOf } from './analytics.ts';
import { cancelBatch, deleteBatch, patchBatch } from './change.ts';
import { createFrom, wholeBody } from './asked.ts';
import { cloneBody, noSemantic } from './create.ts';
import { dryRun } from './dry-run.ts';
import { previewBatch } from './preview.ts';
import { partialResults } from './partial.ts';
import { choosesAnew, pinnedOf } from './pinned.ts';
import { ProgressCache } from './progress-cache.ts';
import { getBatch, listBatches, present } from './read.ts';
import { retryBatch } from './retry.ts';
import { terminal } from './state.ts';
import type { TableDeps } from './table-input.ts';
import { eventRoutes } from './event-routes.ts';
import { artifactRoutes } from './artifact-routes.ts';
import { requestRoutes } from './request-routes.ts';

export interface BatchRouteDeps {
  db: Db;
  storage: Storage;
  models: Models;
  limits: { maxLines: number; maxLineBytes: number; maxErrors: number; openai: boolean };
  /** How tables are read. */
  tables?: TableDeps;
  /** Channel `events`. */
  listener: Listener;
  onStream?: (change: 1 | -1) => void;
  quotas?: Quotas;
  /** Those that the configuration declares. */
  routes?: readonly DeclaredRoute[];
  /** Whether a deadline could be promised, for previews; absent: it is not asked. */
  admit?: Admit;
  /** The pools that a batch may ask for; absent: any name is taken. */
  pools?: readonly PoolConfig[];
  dedup?: Pick<DedupSettings, 'semanticModel'>;
}

const anyId = Type.Object({ id: Type.String() });

const statusList = (text: string | undefined): BatchStatus[] | undefined => {
  if (text === undefined) return undefined;
  const asked = text.split(',');
  const unknown = asked.find((status) => !(batchStatuses as readonly string[]).includes(status));
  if (unknown !== undefined)
    throw new ApiError(
      'invalid_value',
      `Invalid value: '${unknown}'. Supported values are: ${batchStatuses.map((s) => `'${s}'`).join(', ')}.`,
      { param: 'status' },
    );
  return asked as BatchStatus[];
};

/** A batch that asks for a pool that is not there would wait for ever. */
const checkPool = (pool: string | null | undefined, pools: readonly { name: string }[] | undefined): void => {
  if (typeof pool !== 'string' || pools === undefined || pools.some(({ name }) => name === pool)) return;
  throw new ApiError('invalid_value', `There is no pool '${pool}'. The pools are ${pools.map(({ name }) => `'${name}'`).join(', ')}.`, {
    param: 'pool',
  });
};

/** `/v1/batches` and what hangs on it: OpenAI's routes exactly, and ours beside them. */
export const batchRoutes = (app: App, deps: BatchRouteDeps): void => {
  const { db, storage, models, limits, quotas = noQuotas } = deps;
  const semantic = (deps.dedup?.semanticModel ?? null) !== null;
  const progress = new ProgressCache(db);

  app.post(
    '/v1/batches',
    {
      schema: {
        summary: 'Create a batch from an uploaded file of requests',
        description:
          'With `dry_run=true` the file is checked as it would be, and nothing is created. The same Idempotency-Key gives the same batch.',
        operationId: 'createBatch',
        querystring: Type.Object({ dry_run: Type.Optional(Type.Boolean()) }),
        body: CreateBatch,
        response: { 200: Type.Union([Type.Ref('Batch'), Type.Ref('DryRun')]) },
      },
    },
    async (request, reply): Promise<Batch | DryRun> => {
      const { body } = request;
      checkPool(body.pool, deps.pools);
      if (body.dedup === 'semantic' && !semantic) throw noSemantic();
      if (request.query.dry_run === true)
        return dryRun(
          { db, storage, models, limits, admit: deps.admit, tables: deps.tables },
          request.identity,
          await wholeBody(deps, request.identity, body),
        );
      const key = request.headers['idempotency-key'];
      if (key !== undefined && (typeof key !== 'string' || key === '' || key.length > 255))
        throw new ApiError('invalid_value', 'Idempotency-Key must have 1 to 255 characters.', { param: 'Idempotency-Key' });
      const { batch, created, headers } = await createFrom(deps, request.identity, body, {
        openaiLimits: limits.openai,
        quotas,
        semantic,
        ...(key !== undefined && { idempotencyKey: key }),
      });
      reply.headers(headers);
      if (!created) reply.header('idempotent-replayed', 'true');
      return (await present(db, [batch], progress))[0]!;
    },
  );

  app.post(
    '/v1/batches/preview',
    {
      schema: {
        summary: 'What a create would come to',
        description:
          'The body of a create, by the code of a create: who runs its lines, how many requests, how long and how much in each pool, what quotas leave. The whole input is looked at; nothing is kept.',
        operationId: 'previewBatch',
        body: CreateBatch,
        response: { 200: BatchPreview },
      },
    },
    async (request): Promise<BatchPreview> => {
      checkPool(request.body.pool, deps.pools);
      if (request.body.dedup === 'semantic' && !semantic) throw noSemantic();
      return previewBatch({ ...deps, quotas }, request.identity, await wholeBody(deps, request.identity, request.body));
    },
  );

  app.get(
    '/v1/batches',
    {
      schema: {
        summary: 'List batches, newest first',
        operationId: 'listBatches',
        querystring: Type.Object({
          after: Type.Optional(Type.String()),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
          status: Type.Optional(Type.String({ description: 'One status, or several with commas between.' })),
          user: Type.Optional(Type.String({ description: 'Only batches of this user.' })),
          parent: Type.Optional(
            Type.String({ description: 'The batches of this one of several models; absent: all that are part of none.' }),
          ),
        }),
        response: { 200: BatchPage },
      },
    },
    async (request) => {
      const { after, limit = 20, status, user, parent } = request.query;
      const wanted = statusList(status);
      const { rows, more } = await listBatches(db, request.identity, {
        limit,
        ...(after && { after }),
        ...(wanted && { status: wanted }),
        ...(user && { user }),
        ...(parent && { parent }),
      });
      const data = await present(db, rows);
      return { object: 'list' as const, data, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null, has_more: more };
    },
  );

  app.get(
    '/v1/batches/:id',
    { schema: { summary: 'Get a batch', operationId: 'getBatch', params: anyId, response: { 200: Batch } } },
    async (request): Promise<Batch> => {
      const row = await getBatch(db, request.identity, request.params.id);
      return (await present(db, [row], progress))[0]!;
    },
  );

  app.patch(
    '/v1/batches/:id',
    {
      schema: {
        summary: 'Change name, metadata, priority or deadline',
        operationId: 'updateBatch',
        params: anyId,
        body: PatchBatch,
        response: { 200: Batch },
      },
    },
    async (request): Promise<Batch> => (await present(db, [await patchBatch(db, request.identity, request.params.id, request.body)]))[0]!,
  );

  app.delete(
    '/v1/batches/:id',
    {
      schema: {
        summary: 'Delete an ended batch and its result files',
        operationId: 'deleteBatch',
        params: anyId,
        response: { 200: DeletedBatch },
      },
    },
    async (request) => {
      await deleteBatch(db, storage, request.identity, request.params.id);
      return { id: request.params.id, object: 'batch' as const, deleted: true as const };
    },
  );

  app.post(
    '/v1/batches/:id/cancel',
    {
      schema: {
        summary: 'Cancel a batch',
        description: '`mode: stop` (the default) starts nothing more and keeps what is under way; `mode: abort` ends that too.',
        operationId: 'cancelBatch',
        params: anyId,
        querystring: Type.Object({ mode: Type.Optional(Type.Enum(['stop', 'abort'])) }),
        body: CancelBatch,
        response: { 200: Batch },
      },
    },
    async (request): Promise<Batch> => {
      const row = await cancelBatch(db, request.identity, request.params.id, request.body.mode ?? request.query.mode ?? 'stop');
      return (await present(db, [row]))[0]!;
    },
  );

  app.post(
    '/v1/batches/:id/retry',
    {
      schema: {
        summary: 'Run failed requests again, in a linked continuation',
        description: 'Without a filter: all that failed, dead-lettered or expired. The batch and its files stay as they are.',
        operationId: 'retryBatch',
        params: anyId,
        body: RetryBatch,
        response: { 200: Batch },
      },
    },
    async (request): Promise<Batch> =>
      (await present(db, [await retryBatch(db, storage, request.identity, request.params.id, request.body, quotas)]))[0]!,
  );

  app.post(
    '/v1/batches/:id/clone',
    {
      schema: {
        summary: 'Create a batch with the settings of another',
        operationId: 'cloneBatch',
        params: anyId,
        body: CloneBatch,
        response: { 200: Batch },
      },
    },
    async (request): Promise<Batch> => {
      checkPool(request.body.pool, deps.pools);
      const row = await getBatch(db, request.identity, request.params.id);
      const { input_file_id, ...rest } = cloneBody(row, request.body);
      const elsewhere = rest.rows !== undefined || rest.source !== undefined;
      // What was never copied in is fetched again; what was is what runs again.
      const url =
        row.input_key === null && row.source?.url !== undefined && request.body.input_file_id === undefined ? row.source.url : null;
      const input = elsewhere ? {} : url === null ? { input_file_id } : { source: { url } };
      const { batch } = await createFrom(
        deps,
        request.identity,
        { ...rest, ...input },
        {
          ...(!choosesAnew(request.body) && { pinned: pinnedOf(row) }),
          openaiLimits: limits.openai,
          quotas,
          semantic,
        },
      );
      return (await present(db, [batch]))[0]!;
    },
  );

  for (const kind of ['output', 'errors'] as const) {
    app.get(
      `/v1/batches/:id/${kind}`,
      {
        schema: {
          summary: kind === 'output' ? 'The result lines so far' : 'The error lines so far',
          description: 'In the order of the input. While the batch runs the reply has `x-sluice-incomplete: true`.',
          operationId: kind === 'output' ? 'getBatchOutput' : 'getBatchErrors',
          params: anyId,
          produces: ['application/x-ndjson'],
        },
      },
      async (request, reply) => {
        const row = await getBatch(db, request.identity, request.params.id);
        reply.type('application/x-ndjson');
        // Once ended, the file that was written has all of it, lines that never ran included.
        const written = kind === 'output' ? row.output_file_id : row.error_file_id;
        if (terminal(row.status))
          return written === null ? Readable.from([]) : storage.stream((await getFile(db, request.identity, written)).storage_key);
        reply.header('x-sluice-incomplete', 'true');
        return Readable.from(await partialResults(db, storage, row, kind));
      },
    );
  }

  app.get(
    '/v1/analytics',
    {
      schema: {
        summary: 'Counts, durations and failures, by model, user and day',
        operationId: 'getAnalytics',
        querystring: Type.Object({
          from: Type.Optional(
            Type.Integer({ minimum: 0, maximum: lastSecond, description: 'Seconds since the epoch; default 30 days ago.' }),
          ),
          to: Type.Optional(Type.Integer({ minimum: 0, maximum: lastSecond, description: 'Not included; default now.' })),
          user: Type.Optional(Type.String()),
        }),
        response: { 200: Analytics },
      },
    },
    async (request): Promise<Analytics> => {
      const { to = Math.floor(Date.now() / 1_000) + 1, from = to - 30 * 86_400, user } = request.query;
      return analyticsOf(db, request.identity, { from, to, ...(user !== undefined && { user }) });
    },
  );

  requestRoutes(app, deps);
  artifactRoutes(app, deps);
  eventRoutes(app, deps);
};
