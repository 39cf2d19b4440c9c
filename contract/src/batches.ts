import { Type, type Static } from 'typebox';
import { Metadata, Nullable, Page, Timestamp } from './common.ts';
import { maxRouteModels } from './routes.ts';

export const endpoints = [
  '/v1/responses',
  '/v1/chat/completions',
  '/v1/embeddings',
  '/v1/completions',
  '/v1/moderations',
  '/v1/images/generations',
  '/v1/images/edits',
  '/v1/videos',
  '/v1/predict',
] as const;
export type Endpoint = (typeof endpoints)[number];

export const batchStatuses = [
  'validating',
  'failed',
  'in_progress',
  'finalizing',
  'completed',
  'expired',
  'cancelling',
  'cancelled',
] as const;
export type BatchStatus = (typeof batchStatuses)[number];
export const terminalStatuses: readonly BatchStatus[] = ['failed', 'completed', 'expired', 'cancelled'];

export const requestStates = ['queued', 'running', 'waiting', 'completed', 'failed', 'dead_lettered', 'cancelled', 'expired'] as const;
export type RequestState = (typeof requestStates)[number];

export const BatchError = Type.Object({
  code: Type.String(),
  message: Type.String(),
  param: Nullable(Type.String()),
  line: Nullable(Type.Integer({ minimum: 1, description: 'Line of the input file, from 1.' })),
});
export type BatchError = Static<typeof BatchError>;

export const RequestCounts = Type.Object({
  total: Type.Integer(),
  completed: Type.Integer(),
  failed: Type.Integer({ description: 'Requests that failed, dead-lettered ones included; cancelled and expired ones are not.' }),
  cancelled: Type.Integer(),
  expired: Type.Integer(),
});

export const Usage = Type.Object({
  input_tokens: Type.Integer(),
  input_tokens_details: Type.Object({ cached_tokens: Type.Integer() }),
  output_tokens: Type.Integer(),
  output_tokens_details: Type.Object({ reasoning_tokens: Type.Integer() }),
  total_tokens: Type.Integer(),
});

export const columnsOf = Type.Record(
  Type.String({ minLength: 1 }),
  Type.Union([Type.String({ minLength: 1 }), Type.Array(Type.String({ minLength: 1 }), { minItems: 1 })]),
);

export const BatchSource = Type.Object(
  {
    kind: Type.Enum(['file', 'rows', 'url']),
    url: Type.Optional(Type.String()),
    format: Type.Optional(Type.Enum(['jsonl', 'csv', 'tsv', 'parquet', 'sdf', 'smi'])),
    compression: Type.Optional(Nullable(Type.Enum(['gzip', 'zstd']))),
    columns: Type.Optional(columnsOf),
    carried: Type.Optional(
      Type.Array(Type.String(), { description: 'Columns of the table, as they are called in the results: each name once.' }),
    ),
    rows: Type.Optional(Type.Integer()),
    refused: Type.Optional(Type.Integer({ description: 'Rows that are not run because they have a problem.' })),
    duplicates: Type.Optional(Type.Integer({ description: 'Rows whose structure an earlier row has.' })),
    flags: Type.Optional(
      Type.Record(Type.String(), Type.Integer(), { description: 'Rows by what is worth knowing of them: salts, mixtures.' }),
    ),
  },
  { $id: 'BatchSource', description: 'The table that the requests were made of; null where the input holds requests.' },
);
export type BatchSource = Static<typeof BatchSource>;
/** A batch of a parent, in short. */
const BatchChild = Type.Object({
  id: Type.String(),
  model: Type.String({ description: 'name@version' }),
  label: Type.String({ description: 'What the merged results call it: the name, or name@version where two versions of it run.' }),
  weight: Type.Number({ description: 'As its route has it; 1 without a route.' }),
  status: Type.Enum([...batchStatuses]),
  request_counts: RequestCounts,
});

export const Batch = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal('batch'),
    endpoint: Type.String(),
    model: Nullable(Type.String({ description: 'The model when all lines name one; null when there are several, and while validating.' })),
    errors: Nullable(Type.Object({ object: Type.Literal('list'), data: Type.Array(BatchError) })),
    input_file_id: Type.String(),
    completion_window: Type.String(),
    status: Type.Enum([...batchStatuses]),
    output_file_id: Nullable(Type.String()),
    error_file_id: Nullable(Type.String()),
    created_at: Timestamp,
    in_progress_at: Nullable(Timestamp),
    expires_at: Timestamp,
    finalizing_at: Nullable(Timestamp),
    completed_at: Nullable(Timestamp),
    failed_at: Nullable(Timestamp),
    expired_at: Nullable(Timestamp),
    cancelling_at: Nullable(Timestamp),
    cancelled_at: Nullable(Timestamp),
    request_counts: RequestCounts,
    usage: Nullable(Usage),
    metadata: Nullable(Metadata),
    // What follows is ours; stock clients ignore it.
    kind: Type.Enum(['batch', 'parent', 'screen'], {
      description:
        'What it is besides a batch. `parent`: its lines are run by several models, each in a batch of its own; it counts lines, not requests.',
    }),
    name: Nullable(Type.String()),
    priority: Type.Integer(),
    created_by: Type.String(),
    models: Type.Array(Type.String({ description: 'name@version' })),
    errors_file_id: Nullable(
      Type.String({ description: 'Every validation error, one JSON object a line, where there are more than `errors` holds.' }),
    ),
    validation: Nullable(
      Type.Object(
        { checked: Type.Integer(), total: Nullable(Type.Integer()) },
        {
          description:
            'While validating: the rows or lines that were checked so far, out of `total` where that is known. Null where nobody validates it yet, within a second of the first, and afterwards.',
        },
      ),
    ),
    sla: Nullable(
      Type.Enum(['on_track', 'at_risk', 'met', 'breached'], {
        description: 'How the deadline stands; null while validating and where the batch failed or was cancelled.',
      }),
    ),
    admitted: Type.Boolean({ description: 'Whether the deadline was promised when the batch was let in.' }),
    at_risk: Type.Boolean({ description: 'Whether dedicated workers are helping because its deadline would be missed without them.' }),
    escalated_at: Nullable(Type.Integer({ description: 'When its work moved to dedicated workers.' })),
    lane: Type.Enum(['interactive', 'jobs', 'bulk'], { description: 'Where it waits: interactive before jobs before bulk.' }),
    pool_history: Type.Array(
      Type.Object({
        at: Timestamp,
        pool: Type.String({
          description: '`spot` or `dedicated`; the name of a pool where the batch asked for one, or some requests moved to it.',
        }),
        from: Type.Optional(Type.String({ description: 'The pool in which the requests ran out of memory.' })),
        requests: Type.Optional(
          Type.Integer({ description: 'So many of its requests moved, to a pool with more memory; absent: all of them.' }),
        ),
        reason: Type.String(),
      }),
      { description: 'To which workers its work was given, when and why; of those without `requests` the last one holds.' },
    ),
    forecast: Nullable(Type.Object({ p50: Timestamp, p90: Timestamp }, { description: 'When it will end.' })),
    continues: Nullable(Type.String({ description: 'The batch whose lines this one runs again.' })),
    continued_by: Type.Array(Type.String({ description: 'Batches that run lines of this one again, oldest first.' })),
    dedup: Nullable(Type.String()),
    dedup_sampled: Type.Boolean({ description: 'Whether requests that ask for sampling are deduplicated too.' }),
    dedup_counts: Type.Object(
      { batch: Type.Integer(), cache: Type.Integer(), semantic: Type.Integer() },
      { description: 'Requests that were not run: they got the answer of another one of the batch, of another batch, of a similar one.' },
    ),
    strategy: Nullable(Type.String({ description: 'As it was asked for; null is `adaptive`, from the wide end.' })),
    max_concurrent: Nullable(Type.Integer()),
    max_attempts: Nullable(Type.Integer()),
    pool: Nullable(Type.String()),
    source: Nullable(Type.Ref('BatchSource')),
    parent: Nullable(Type.String({ description: 'The batch of several models that this one is part of.' })),
    children: Type.Array(BatchChild, { description: 'Of a parent: its batches, the heaviest model first.' }),
    route: Nullable(
      Type.Object(
        { target: Type.String(), series: Nullable(Type.String()), matched: Nullable(Type.String()) },
        {
          description:
            'The route that named its models; `matched` is the series whose route that was, null where it is the one of every series.',
        },
      ),
    ),
  },
  { $id: 'Batch' },
);
export type Batch = Static<typeof Batch>;

export const BatchPage = Page(Type.Ref('Batch'));

export const windowPattern = '^[1-9][0-9]{0,5}(m|h|d)$';

export const priorities = { normal: 1, medium: 5, high: 10 } as const;
export const Priority = Type.Union([Type.Integer({ minimum: 0, maximum: 100 }), Type.Enum(['normal', 'medium', 'high'])], {
  description:
    'normal = 1, medium = 5, high = 10, or a number from 0 to 100; more is sooner. Where it is absent, `metadata.priority` counts in the same words or numbers; any other word there is yours, and means nothing here.',
});

export const OutputExpiresAfter = Type.Object(
  { anchor: Type.Literal('created_at'), seconds: Type.Integer({ minimum: 3600, maximum: 2_592_000 }) },
  { additionalProperties: false },
);

const settings = {
  metadata: Type.Optional(Nullable(Metadata)),
  name: Type.Optional(Nullable(Type.String({ maxLength: 200 }))),
  priority: Type.Optional(Nullable(Priority)),
};

const choice = {
  model: Type.Optional(
    Nullable(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description: 'Answers the lines that name no model, and the rows of a table: `name`, `name@version` or `name@alias`.',
      }),
    ),
  ),
  models: Type.Optional(
    Nullable(
      Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
        minItems: 1,
        maxItems: maxRouteModels,
        description: 'Each line or row is run by each of these; the lines name none. The batch is then a parent with a batch per model.',
      }),
    ),
  ),
  route: Type.Optional(
    Nullable(
      Type.Object(
        {
          target: Type.String({ minLength: 1, maxLength: 64 }),
          series: Type.Optional(Nullable(Type.String({ minLength: 1, maxLength: 64 }))),
        },
        { additionalProperties: false, description: 'The models recommended for a target, and a series of molecules, at the moment.' },
      ),
    ),
  ),
};

export const CreateBatch = Type.Object(
  {
    input_file_id: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'Requests, or a table (csv, tsv, parquet, sdf, a list of SMILES, rows of JSON; gzip and zstd too). One of `input_file_id`, `rows` and `source`.',
      }),
    ),
    rows: Type.Optional(
      Type.Array(Type.Record(Type.String(), Type.Unknown()), {
        minItems: 1,
        maxItems: 100_000,
        description: 'A table in the request itself: an object a row.',
      }),
    ),
    source: Type.Optional(
      Type.Object(
        { url: Type.String({ minLength: 1, maxLength: 4096, description: '`https://…` or `s3://bucket/key`.' }) },
        {
          additionalProperties: false,
          description: 'Where the input is copied from, before anything runs; it becomes the file `input_file_id`.',
        },
      ),
    ),
    endpoint: Type.Optional(
      Type.Enum([...endpoints], {
        description: 'Required, unless there is a `model`, `models` or a `route`: then it is `/v1/predict` where it is absent.',
      }),
    ),
    ...choice,
    columns: Type.Optional(
      Nullable(
        Type.Unsafe<Static<typeof columnsOf>>({
          ...columnsOf,
          description:
            'Which column of the table is which input: `{"smiles": "SMILES", "id": "compound_id"}`; `id` names the rows, a list of columns makes a list. Absent: as the names of the columns say.',
        }),
      ),
    ),
    invalid: Type.Optional(
      Nullable(
        Type.Enum(['skip', 'refuse'], {
          description:
            'What becomes of a table in which rows are wrong: the others run and these go to the error file, or the batch fails.',
        }),
      ),
    ),
    completion_window: Type.String({ pattern: windowPattern, description: 'How long the batch may take: `15m`, `24h`, `7d`.' }),
    ...settings,
    output_expires_after: Type.Optional(Nullable(OutputExpiresAfter)),
    dedup: Type.Optional(
      Nullable(
        Type.Enum(['off', 'exact', 'semantic'], {
          description: 'Which requests may get the answer of another one: none, the same, or similar ones too.',
        }),
      ),
    ),
    dedup_sampled: Type.Optional(
      Nullable(Type.Boolean({ description: 'Also those that ask for sampling: a temperature above 0 without a seed, or n above 1.' })),
    ),
    strategy: Type.Optional(
      Nullable(
        Type.Enum(['parallel', 'sequential', 'resource_aware', 'adaptive'], {
          description:
            'How many requests run at once. `parallel`: as many as limits allow. `sequential`: one at a time, in order, a retry before what comes after it. `resource_aware`: in each worker as many as fit the memory and GPUs that the model declares for a request. `adaptive`: begins with few, widens while throughput grows, narrows where requests fail for it. Absent: adaptive too, but it begins as wide as the workers make it.',
        }),
      ),
    ),
    max_concurrent: Type.Optional(
      Nullable(Type.Integer({ minimum: 1, description: 'Requests that run at once at most, over all workers.' })),
    ),
    max_attempts: Type.Optional(
      Nullable(
        Type.Integer({ minimum: 1, maximum: 100, description: 'Attempts a request gets, in place of what its model or the server says.' }),
      ),
    ),
    pool: Type.Optional(Nullable(Type.String({ minLength: 1, maxLength: 100, description: 'Only workers of this pool take it.' }))),
    lane: Type.Optional(
      Nullable(
        Type.Enum(['interactive', 'bulk'], {
          description: '`interactive`: somebody waits for it, and it goes before all that is in bulk.',
        }),
      ),
    ),
  },
  { additionalProperties: false },
);
export type CreateBatch = Static<typeof CreateBatch>;

/** The end of the year 9999: later is more likely a mistake of units, and no timestamp to PostgreSQL. */
export const lastSecond = 253_402_300_799;

export const PatchBatch = Type.Object(
  {
    ...settings,
    deadline: Type.Optional(
      Type.Integer({ minimum: 0, maximum: lastSecond, description: 'The new `expires_at`, in seconds since the epoch.' }),
    ),
    completion_window: Type.Optional(Type.String({ pattern: windowPattern, description: 'The new window, counted from the creation.' })),
  },
  { additionalProperties: false, minProperties: 1 },
);
export type PatchBatch = Static<typeof PatchBatch>;

export const CancelBatch = Type.Object({ mode: Type.Optional(Type.Enum(['stop', 'abort'])) }, { additionalProperties: false });

export const RetryBatch = Type.Object(
  {
    states: Type.Optional(Type.Array(Type.Enum(['failed', 'dead_lettered', 'cancelled', 'expired']), { minItems: 1 })),
    codes: Type.Optional(Type.Array(Type.String(), { minItems: 1, description: 'Only requests that failed with one of these codes.' })),
    lines: Type.Optional(Type.Array(Type.Integer({ minimum: 1 }), { minItems: 1, maxItems: 100_000 })),
    completion_window: Type.Optional(Type.String({ pattern: windowPattern })),
    ...settings,
  },
  { additionalProperties: false },
);
export type RetryBatch = Static<typeof RetryBatch>;

export const CloneBatch = Type.Object(
  {
    ...CreateBatch.properties,
    completion_window: Type.Optional(CreateBatch.properties.completion_window),
  },
  { additionalProperties: false },
);
export type CloneBatch = Static<typeof CloneBatch>;

export const DryRun = Type.Object(
  {
    object: Type.Literal('batch.dry_run'),
    valid: Type.Boolean(),
    errors: Nullable(Type.Object({ object: Type.Literal('list'), data: Type.Array(BatchError), total: Type.Integer() })),
    lines: Type.Integer(),
    bytes: Type.Integer(),
    models: Type.Array(
      Type.Object({
        model: Type.String(),
        lines: Type.Integer(),
        rate: Type.Number({ description: 'Requests a second one worker does.' }),
        measured: Type.Boolean(),
      }),
    ),
    workers: Type.Integer(),
    table: Nullable(
      Type.Object(
        {
          format: Type.String(),
          compression: Nullable(Type.String()),
          columns: columnsOf,
          types: Type.Record(Type.String(), Type.String(), { description: 'Every column of the table, and what its values are.' }),
          rows: Type.Integer(),
          refused: Type.Integer(),
          duplicates: Type.Integer(),
          flags: Type.Record(Type.String(), Type.Integer()),
          first: Type.Array(Type.Record(Type.String(), Type.Unknown()), { description: 'The first rows, as they were read.' }),
        },
        { description: 'How the table was understood; null where the input holds requests.' },
      ),
    ),
    estimated_seconds: Nullable(Type.Number()),
    admitted: Nullable(Type.Boolean({ description: 'Whether its deadline could be promised now; null where that was not asked.' })),
    expires_at: Timestamp,
  },
  { $id: 'DryRun' },
);
export type DryRun = Static<typeof DryRun>;

export const BatchPreview = Type.Object(
  {
    object: Type.Literal('batch.preview'),
    valid: Type.Boolean({ description: 'Whether a create of the same would run.' }),
    errors: DryRun.properties.errors,
    kind: Type.Enum(['batch', 'parent']),
    route: Batch.properties.route,
    models: Type.Array(
      Type.Object({
        model: Type.String({ description: 'name@version' }),
        label: Type.String({ description: 'What merged results call it.' }),
        weight: Type.Number(),
        requests: Type.Integer(),
        rate: Type.Number({ description: 'Requests a second one worker does.' }),
        measured: Type.Boolean({ description: 'Whether that was measured, or is a guess.' }),
      }),
      { description: 'Who would run its lines, the heaviest first.' },
    ),
    lines: Type.Integer({ description: 'Lines or rows of the input.' }),
    bytes: Type.Integer(),
    requests: Type.Integer({ description: 'That these make: one a line and model.' }),
    table: DryRun.properties.table,
    workers: Type.Integer(),
    estimated_seconds: Nullable(
      Type.Number({ description: 'With all workers that are there, and nothing else to do; null: there is none.' }),
    ),
    pools: Type.Array(
      Type.Object({
        pool: Type.String(),
        kind: Type.Enum(['spot', 'dedicated']),
        price: Type.Number({ description: 'Of a worker-hour.' }),
        workers: Type.Integer({ description: 'That are there now.' }),
        maximum: Type.Integer({ description: 'That there may be.' }),
        worker_seconds: Type.Number({ description: 'The work, in seconds of one worker.' }),
        seconds: Nullable(Type.Number({ description: 'With the workers that are there, and nothing else to do; null: there is none.' })),
        cost: Type.Number({ description: 'Were all of it done here, in the currency of the price.' }),
        takes: Type.Boolean({ description: 'Whether the batch may run here: false where it asks for another pool.' }),
      }),
    ),
    quotas: Type.Array(
      Type.Object({
        scope: Type.Enum(['user', 'tenant', 'global']),
        what: Type.Enum(['batches', 'queued_requests', 'queued_bytes']),
        limit: Type.Integer(),
        used: Type.Integer(),
        needed: Type.Integer({ description: 'By this batch.' }),
        left: Type.Integer({ description: 'After it.' }),
      }),
      { description: 'Those that are set; none: any number.' },
    ),
    admitted: DryRun.properties.admitted,
    expires_at: Timestamp,
  },
  { $id: 'BatchPreview' },
);
export type BatchPreview = Static<typeof BatchPreview>;

export const Dedup = Type.Object(
  {
    kind: Type.Enum(['batch', 'cache', 'semantic'], {
      description: 'From the same batch, from another one, or from a request that is only similar.',
    }),
    original: Nullable(Type.String({ description: 'The request whose answer it is; null where another tenant asked.' })),
    similarity: Type.Optional(Type.Number({ description: 'The cosine of both embeddings.' })),
  },
  { description: 'How it came by its answer without being run.' },
);

export const Attempt = Type.Object({
  number: Type.Integer({ minimum: 1 }),
  kind: Type.String(),
  code: Type.String(),
  message: Type.String(),
  status_code: Nullable(Type.Integer()),
  worker: Nullable(Type.String()),
  started_at: Type.Number(),
  duration_ms: Type.Integer(),
});

const requestFields = {
  id: Type.String(),
  object: Type.Literal('batch.request'),
  batch_id: Type.String(),
  line: Type.Integer({ minimum: 1 }),
  custom_id: Nullable(Type.String({ description: 'Null once the input file is gone.' })),
  model: Nullable(Type.String()),
  state: Type.Enum([...requestStates]),
  attempts: Type.Integer({ description: 'Attempts finished so far.' }),
  worker: Nullable(Type.String()),
  pool: Nullable(
    Type.String({ description: 'The pool it runs or ran in. While it waits: `spot` or `dedicated`, or the pool its batch asked for.' }),
  ),
  escalated_at: Nullable(Type.Number({ description: 'When it moved to dedicated workers, had it not been answered by then.' })),
  started_at: Nullable(Type.Number({ description: 'Seconds since the epoch, with fractions.' })),
  finished_at: Nullable(Type.Number()),
  duration_ms: Nullable(Type.Integer()),
  status_code: Nullable(Type.Integer()),
  error: Nullable(Type.Object({ code: Type.String(), message: Type.String() })),
  dedup: Nullable(Dedup),
  continued_by: Nullable(Type.String({ description: 'The request of a continuation batch that ran this line again last.' })),
};

export const RequestMove = Type.Object({
  at: Type.Number(),
  kind: Type.Enum(['given', 'escalated', 'returned', 'lost', 'drained', 'larger'], {
    description:
      '`lost`, `drained`: its worker was, while it held the request; no attempt is charged. `larger`: it ran out of memory, and its next attempt is given to a pool with more of it.',
  }),
  pool: Nullable(Type.String()),
  worker: Nullable(Type.String()),
  reason: Type.String(),
});

export const RequestSummary = Type.Object(requestFields, { $id: 'RequestSummary' });
export type RequestSummary = Static<typeof RequestSummary>;

export const RequestPage = Page(Type.Ref('RequestSummary'));

export const RequestDetails = Type.Object(
  {
    ...requestFields,
    tenant: Type.String(),
    created_by: Type.String(),
    endpoint: Type.String(),
    input: Nullable(Type.Unknown({ description: 'The line as it was sent; null once the input file is gone.' })),
    output: Nullable(Type.Unknown({ description: 'The result line.' })),
    history: Type.Array(Attempt),
    moves: Type.Array(RequestMove, { description: 'Where it was given to run, when it moved and why, oldest first.' }),
    newest: Nullable(
      Type.Unknown({ description: 'The same request in the newest continuation that ran it again: its id, state and output.' }),
    ),
  },
  { $id: 'Request' },
);
export type RequestDetails = Static<typeof RequestDetails>;

export const Analytics = Type.Object(
  {
    object: Type.Literal('analytics'),
    from: Timestamp,
    to: Timestamp,
    batches: Type.Object({
      total: Type.Integer(),
      by_status: Type.Record(Type.String(), Type.Integer()),
      duration_seconds: Type.Object({ p50: Nullable(Type.Number()), p95: Nullable(Type.Number()), max: Nullable(Type.Number()) }),
    }),
    requests: Type.Object({
      total: Type.Integer(),
      completed: Type.Integer(),
      failed: Type.Integer(),
      cancelled: Type.Integer(),
      expired: Type.Integer(),
    }),
    failures: Type.Array(Type.Object({ code: Type.String(), requests: Type.Integer() })),
    models: Type.Array(
      Type.Object({
        model: Type.String(),
        batches: Type.Integer(),
        requests: Type.Integer(),
        completed: Type.Integer(),
        failed: Type.Integer(),
        input_tokens: Type.Integer(),
        output_tokens: Type.Integer(),
      }),
    ),
    users: Type.Array(Type.Object({ user: Type.String(), batches: Type.Integer(), requests: Type.Integer() })),
    days: Type.Array(
      Type.Object({
        day: Type.String({ description: 'UTC, as 2026-11-22.' }),
        batches: Type.Integer(),
        requests: Type.Integer(),
        completed: Type.Integer(),
        failed: Type.Integer(),
      }),
    ),
  },
  { $id: 'Analytics' },
);
export type Analytics = Static<typeof Analytics>;

export const DeletedBatch = Type.Object({ id: Type.String(), object: Type.Literal('batch'), deleted: Type.Literal(true) });
