import { Type, type Static } from 'typebox';
import { batchStatuses, requestStates } from './batches.ts';
import { Nullable, Timestamp } from './common.ts';

const text = (description: string) => Type.Optional(Type.String({ minLength: 1, maxLength: 2_000, description }));
const some = (what: string) => text(`${what}; several with commas between.`);

/** Which batches a list shows: the parameters of a URL, the same on every route. */
const filter = {
  status: some('Statuses'),
  model: some('`name` or `name@version`'),
  user: some('Who made them'),
  pool: some('Pools they asked for, or were given to last'),
  priority: some('normal, medium, high, or numbers'),
  sla: some('on_track, at_risk, met or breached'),
  q: text(
    'As typed in a search box: beginnings of words in name and metadata, or of an id; and qualifiers such as `model:x status:failed,expired meta.key:value created:<24h error:timeout -status:cancelled`.',
  ),
  from: text('Created since: seconds since the epoch, a date and time, or an age such as 24h.'),
  to: text('Created before; likewise.'),
  metadata: Type.Optional(
    Type.Array(Type.String({ maxLength: 600, pattern: '^[^:]+:', description: 'A pair, as key:value.' }), {
      maxItems: 16,
      description: 'Pairs they have, as key:value.',
    }),
  ),
};

export const batchSorts = ['created_at', 'name', 'total', 'failed', 'deadline', 'duration'] as const;
export type BatchSort = (typeof batchSorts)[number];

export const PortalBatchFilter = Type.Object(filter);
export type PortalBatchFilter = Static<typeof PortalBatchFilter>;

export const ListPortalBatches = Type.Object({
  ...filter,
  sort: Type.Optional(
    Type.Enum([...batchSorts, ...batchSorts.map((sort) => `-${sort}` as const)], {
      description:
        'Default -created_at. `failed`: its share of all, once the batch has ended. `duration`: one that still runs is the longest.',
    }),
  ),
  cursor: Type.Optional(Type.String({ maxLength: 2_000, description: 'The `next` of the page before, with the same sort.' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, description: 'Default 50.' })),
});
export type ListPortalBatches = Static<typeof ListPortalBatches>;

const slaState = Type.Enum(['on_track', 'at_risk', 'met', 'breached']);

export const PortalBatch = Type.Object(
  {
    id: Type.String(),
    name: Nullable(Type.String({ description: 'The first 100 characters.' })),
    status: Type.Enum([...batchStatuses]),
    model: Nullable(Type.String({ description: 'The first of its models.' })),
    models: Type.Integer({ description: 'How many it has.' }),
    total: Type.Integer(),
    completed: Type.Integer(),
    failed: Type.Integer(),
    running: Type.Integer({ description: 'Leased by workers.' }),
    sla: Nullable(slaState),
    deadline: Timestamp,
    eta: Nullable(Type.Integer({ description: 'When it should end, at even odds.' })),
    created_at: Timestamp,
    started_at: Nullable(Timestamp),
    ended_at: Nullable(Timestamp),
    owner: Type.String(),
    priority: Type.Integer(),
    pool: Nullable(Type.String()),
  },
  { $id: 'PortalBatch', description: 'A row of the list: some 400 bytes at most, but for long names.' },
);
export type PortalBatch = Static<typeof PortalBatch>;

export const PortalBatchPage = Type.Object({
  object: Type.Literal('list'),
  now: Type.Number({ description: "The database's clock: seconds since the epoch." }),
  data: Type.Array(Type.Ref('PortalBatch')),
  next: Nullable(Type.String({ description: 'The cursor of the next page; null: this was the last.' })),
});
export type PortalBatchPage = Omit<Static<typeof PortalBatchPage>, 'data'> & { data: PortalBatch[] };

const Values = Type.Array(Type.Object({ value: Type.String(), count: Type.Integer() }));

export const PortalBatchCounts = Type.Object(
  {
    object: Type.Literal('portal.batch_counts'),
    total: Type.Integer(),
    estimated: Type.Boolean({
      description: 'The counts were drawn from the newest ten thousand that match; the total is the database’s estimate.',
    }),
    status: Type.Array(Type.Object({ value: Type.Enum([...batchStatuses]), count: Type.Integer() }), {
      description: 'All of them, zeros too.',
    }),
    sla: Type.Array(Type.Object({ value: slaState, count: Type.Integer() })),
    model: Values,
    user: Values,
    pool: Values,
    priority: Values,
  },
  { $id: 'PortalBatchCounts', description: 'How many batches have each value of a field, of those that all the other fields mean.' },
);
export type PortalBatchCounts = Static<typeof PortalBatchCounts>;

export const PortalRequest = Type.Object(
  {
    id: Type.String(),
    line: Type.Integer({ minimum: 1 }),
    custom_id: Nullable(Type.String({ description: 'Null once the input file is gone.' })),
    state: Type.Enum([...requestStates]),
    model: Nullable(Type.String()),
    attempts: Type.Integer(),
    duration_ms: Nullable(Type.Number()),
    status_code: Nullable(Type.Integer()),
    error: Nullable(Type.String({ description: 'Its code.' })),
    message: Nullable(Type.String({ description: 'Its first 160 characters.' })),
    finished_at: Nullable(Type.Number()),
    pool: Nullable(Type.String()),
    worker: Nullable(Type.String()),
    escalated: Type.Boolean(),
    original: Nullable(Type.String({ description: 'The request whose answer it was given.' })),
    continued_by: Nullable(Type.String()),
    output_bytes: Nullable(Type.Integer()),
  },
  { $id: 'PortalRequest', description: 'A row of the table of requests; bodies are asked for one by one.' },
);
export type PortalRequest = Static<typeof PortalRequest>;

export const PortalRequestPage = Type.Object({
  object: Type.Literal('list'),
  total: Type.Integer({ description: 'Lines of the batch, whatever is filtered.' }),
  data: Type.Array(Type.Ref('PortalRequest')),
  next_line: Nullable(Type.Integer({ description: 'Where the next page begins; null: there is none.' })),
});
export type PortalRequestPage = Omit<Static<typeof PortalRequestPage>, 'data'> & { data: PortalRequest[] };

export const PortalBody = Type.Object(
  {
    object: Type.Literal('portal.body'),
    part: Type.Enum(['input', 'output']),
    bytes: Nullable(Type.Integer({ description: 'Of all of it; null: there is none, or none any more.' })),
    truncated: Type.Boolean(),
    text: Nullable(Type.String({ description: 'As it lies in the file, one line of JSON; its beginning where it is truncated.' })),
  },
  { $id: 'PortalBody' },
);
export type PortalBody = Static<typeof PortalBody>;

export const ListPortalRequests = Type.Object({
  from_line: Type.Optional(Type.Integer({ minimum: 1, description: 'Default 1.' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, description: 'Default 200.' })),
  state: text('One state, or several with commas between.'),
  code: text('Only requests that ended with this code.'),
  cause: text('Only requests that failed of this cause, as `/v1/batches/{id}/failures` names it.'),
  custom_id: text('Only the request of this custom_id.'),
});
export type ListPortalRequests = Static<typeof ListPortalRequests>;

const Moment = Type.Number({ description: 'Seconds since the epoch, with fractions.' });

export const BatchFailure = Type.Object(
  {
    object: Type.Literal('batch.failure'),
    code: Type.String(),
    cause: Type.String({ description: 'The message without what differs from one request to the next.' }),
    count: Type.Integer(),
    dead_lettered: Type.Integer({ description: 'Of these, the ones that used up their attempts.' }),
    models: Type.Array(Type.String()),
    batches: Type.Array(Type.Object({ id: Type.String(), count: Type.Integer() }), {
      description: 'Where: the batch itself; of one of several models, those of its batches in which it happened, the most first.',
    }),
    first_seen: Moment,
    last_seen: Moment,
    example: Type.Object({ id: Type.String(), line: Type.Integer(), message: Type.String() }),
  },
  { $id: 'BatchFailure' },
);
export type BatchFailure = Static<typeof BatchFailure>;

export const BatchFailures = Type.Object(
  {
    object: Type.Literal('list'),
    data: Type.Array(Type.Ref('BatchFailure'), { description: 'The most frequent first.' }),
    has_more: Type.Boolean(),
    failed: Type.Integer({
      description: 'Requests that failed, of all causes; of several models, each line as often as models failed at it.',
    }),
  },
  { $id: 'BatchFailures' },
);
export type BatchFailures = Omit<Static<typeof BatchFailures>, 'data'> & { data: BatchFailure[] };

export const PortalBatchDetails = Type.Object(
  {
    object: Type.Literal('portal.batch_details'),
    now: Moment,
    id: Type.String(),
    states: Type.Object(
      {
        queued: Type.Integer(),
        running: Type.Integer(),
        waiting: Type.Integer(),
        completed: Type.Integer(),
        failed: Type.Integer(),
        dead_lettered: Type.Integer(),
        cancelled: Type.Integer(),
        expired: Type.Integer(),
      },
      { description: 'Requests by state: what the tabs of their table count.' },
    ),
    stages: Type.Array(
      Type.Object({
        stage: Type.Enum(['validating', 'running', 'finalizing', 'cancelling']),
        from: Moment,
        to: Nullable(Type.Number({ description: 'Null: it is there now.' })),
        seconds: Type.Number({ description: 'So far.' }),
      }),
    ),
    marks: Type.Array(
      Type.Object({
        at: Moment,
        kind: Type.Enum(['first_answer', 'last_answer', 'given', 'escalated', 'returned', 'interrupted', 'milestone', 'deadline']),
        text: Type.String(),
      }),
      { description: 'What happened between, in order; interruptions at most the last fifty.' },
    ),
    models: Type.Array(
      Type.Object({
        model: Type.String(),
        total: Type.Integer(),
        completed: Type.Integer(),
        failed: Type.Integer(),
        running: Type.Integer(),
        queued: Type.Integer(),
      }),
    ),
    lanes: Type.Array(
      Type.Object({
        worker: Type.String(),
        pool: Nullable(Type.String()),
        from: Moment,
        to: Moment,
        completed: Type.Integer(),
        failed: Type.Integer(),
        running: Type.Integer(),
      }),
      { description: 'Workers that answered some of it, or have some now; at most 200, those that did most.' },
    ),
    series: Type.Object(
      {
        step_seconds: Type.Number(),
        at: Type.Array(Type.Number()),
        completed: Type.Array(Type.Integer()),
        failed: Type.Array(Type.Integer()),
      },
      { description: 'What was settled, from its start to its end or now, in sixty steps; empty before it started.' },
    ),
  },
  { $id: 'PortalBatchDetails' },
);
export type PortalBatchDetails = Static<typeof PortalBatchDetails>;

export const RunningWork = Type.Object(
  {
    object: Type.Literal('list'),
    now: Moment,
    data: Type.Array(
      Type.Object({
        object: Type.Literal('worker.work'),
        worker: Type.String(),
        pool: Type.String(),
        kind: Type.Enum(['batch', 'job']),
        id: Nullable(Type.String({ description: 'Of the batch or the job; null: another tenant’s.' })),
        name: Nullable(Type.String()),
        model: Nullable(Type.String()),
        requests: Type.Integer(),
        leases: Type.Integer(),
        since: Nullable(Type.Number()),
        until: Type.Number({ description: 'When the lease ends if it is not renewed.' }),
        lost: Type.Boolean({ description: 'Its worker is gone; the work goes back to the queue when the lease ends.' }),
      }),
      { description: 'By worker; at most 1,000.' },
    ),
  },
  { $id: 'RunningWork' },
);
export type RunningWork = Static<typeof RunningWork>;
