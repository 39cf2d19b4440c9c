import { Type, type Static } from 'typebox';
import { batchStatuses, endpoints, lastSecond, PatchBatch, Priority, windowPattern } from './batches.ts';
import { Metadata, Nullable, Page, Timestamp } from './common.ts';
import { DeadLetterFilter, selection } from './deadletters.ts';
import { slaNames } from './search.ts';

export const bulkActions = ['cancel', 'retry', 'redrive', 'priority', 'deadline'] as const;
export type BulkAction = (typeof bulkActions)[number];

export const bulkStatuses = ['queued', 'running', 'stopping', 'stopped', 'completed', 'failed'] as const;
export type BulkStatus = (typeof bulkStatuses)[number];

/** Why an item was, or would be, left alone. */
export const skipReasons = {
  not_found: 'nothing of that id exists',
  batch_ended: 'the batch has ended, or is ending at its deadline',
  batch_not_ended: 'the batch has not ended yet',
  already_cancelled: 'the batch was, or is being, cancelled',
  already_retried: 'a continuation runs it again, or did; `again` repeats it all the same',
  discarded: 'it was given up on',
  nothing_to_retry: 'none of the batch’s requests ended in a way to be retried',
  not_failed: 'the request did not end in a way to be retried',
  not_dead: 'the request is no dead letter',
  input_gone: 'the input file is gone',
  unchanged: 'it is so already',
  deadline_past: 'the new deadline would lie in the past',
} as const;
export type SkipReason = keyof typeof skipReasons;

const text = (description: string) => Type.Optional(Type.String({ minLength: 1, maxLength: 2_000, description }));
const someOf = (description: string) =>
  Type.Optional(
    Type.Union(
      [
        Type.String({ minLength: 1, maxLength: 2_000 }),
        Type.Array(Type.String({ minLength: 1, maxLength: 2_000 }), { minItems: 1, maxItems: 100 }),
      ],
      {
        description,
      },
    ),
  );
const time = (description: string) => Type.Optional(Type.Integer({ minimum: 0, maximum: lastSecond, description }));

export const BulkFilter = Type.Object(
  {
    status: Type.Optional(Type.Array(Type.Enum([...batchStatuses]), { minItems: 1, description: 'Of batches.' })),
    endpoint: Type.Optional(Type.Enum([...endpoints], { description: 'Of batches.' })),
    metadata: Type.Optional(
      Type.Unsafe<Metadata>({ ...Metadata, minProperties: 1, description: 'Of batches: those that have these pairs.' }),
    ),
    batch: text('Of requests: those of this batch; of one over several models, those of its batches.'),
    state: Type.Optional(
      Type.Array(Type.Enum(['failed', 'dead_lettered', 'cancelled', 'expired']), {
        minItems: 1,
        description: 'Of requests. A retry takes all but the cancelled ones where it is not said; a redrive takes dead letters only.',
      }),
    ),
    code: text('Of requests: the code they ended with.'),
    cause: text('Of requests: their cause, as `GET /v1/dead_letters?group=cause` names it.'),
    model: someOf('`name`, or `name@version`; of batches, several may be named.'),
    user: someOf('Batches this user made, or their requests; of batches, several may be named.'),
    pool: Type.Optional(
      Type.Array(Type.String(), { minItems: 1, description: 'Of batches: pools they asked for, or were given to last.' }),
    ),
    priority: Type.Optional(Type.Array(Type.Integer({ minimum: 0, maximum: 100 }), { minItems: 1, description: 'Of batches.' })),
    sla: Type.Optional(Type.Array(Type.Enum([...slaNames]), { minItems: 1, description: 'Of batches: how their promises stand.' })),
    error: text('Of batches: words in the code or cause of a failure.'),
    q: text('Of batches: beginnings of words in name and metadata, or of an id. Of requests: text in the message. In upper or lower case.'),
    since: time('Batches created, or requests ended, at this second or later.'),
    until: time('Batches created, or requests ended, before this second.'),
  },
  { additionalProperties: false, minProperties: 1 },
);
export type BulkFilter = Static<typeof BulkFilter>;

const pace = Type.Optional(
  Type.Number({ minimum: 0.001, maximum: 100_000, description: 'At most so many batches, or requests, a second; default: no limit.' }),
);

const rerun = {
  per_second: pace,
  completion_window: Type.Optional(
    Type.String({
      pattern: windowPattern,
      description: 'Retry, redrive: of the continuations. Deadline: the new one, counted from the creation.',
    }),
  ),
  priority: Type.Optional(Priority),
  again: Type.Optional(Type.Boolean({ description: 'Retry, redrive: also what a continuation runs again already.' })),
};

export const BulkOptions = Type.Object(
  {
    ...rerun,
    mode: Type.Optional(Type.Enum(['stop', 'abort'], { description: 'Cancel: `stop` (the default) lets finish what is under way.' })),
    deadline: PatchBatch.properties.deadline,
  },
  { additionalProperties: false },
);
export type BulkOptions = Static<typeof BulkOptions>;

const reason = Type.Optional(Nullable(Type.String({ maxLength: 1_000, description: 'Why, for those who look later.' })));

export const CreateBulk = Type.Object(
  {
    on: Type.Enum(['batches', 'requests']),
    action: Type.Enum([...bulkActions], {
      description:
        'Batches take all of them, requests `retry` and `redrive`. A redrive runs dead letters again, a retry whatever went wrong.',
    }),
    ...selection(BulkFilter),
    options: Type.Optional(BulkOptions),
    reason,
  },
  { additionalProperties: false },
);
export type CreateBulk = Static<typeof CreateBulk>;

export const RedriveDeadLetters = Type.Object(
  {
    ...selection(DeadLetterFilter),
    options: Type.Optional(Type.Object(rerun, { additionalProperties: false })),
    reason,
  },
  { additionalProperties: false },
);

export const BulkPreview = Type.Object(
  {
    object: Type.Literal('bulk_preview'),
    on: Type.Enum(['batches', 'requests']),
    action: Type.Enum([...bulkActions]),
    as_of: Type.Number({ description: 'Send it with the run, and nothing that came since is meant.' }),
    matched: Type.Integer(),
    eligible: Type.Integer(),
    sample: Type.Array(Type.String(), { description: 'The first ids of those eligible.' }),
    skipped: Type.Array(
      Type.Object({ reason: Type.String(), means: Type.String(), count: Type.Integer(), sample: Type.Array(Type.String()) }),
    ),
  },
  { $id: 'BulkPreview' },
);
export type BulkPreview = Static<typeof BulkPreview>;

export const BulkOperation = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal('bulk_operation'),
    on: Type.Enum(['batches', 'requests']),
    action: Type.Enum([...bulkActions]),
    status: Type.Enum([...bulkStatuses]),
    counts: Type.Object({
      matched: Type.Integer({ description: 'When it was created, as are those eligible.' }),
      eligible: Type.Integer(),
      done: Type.Integer(),
      skipped: Type.Integer(),
      failed: Type.Integer(),
    }),
    filter: Nullable(BulkFilter),
    ids: Nullable(Type.Integer({ description: 'How many ids it was given instead of a filter.' })),
    excluded: Type.Integer(),
    as_of: Type.Number(),
    options: BulkOptions,
    reason: Nullable(Type.String()),
    error: Nullable(Type.String({ description: 'Why the operation as a whole failed.' })),
    created_by: Type.String(),
    created_at: Timestamp,
    started_at: Nullable(Timestamp),
    ended_at: Nullable(Timestamp),
  },
  { $id: 'BulkOperation' },
);
export type BulkOperation = Static<typeof BulkOperation>;

export const BulkPage = Page(Type.Ref('BulkOperation'));

export const BulkItem = Type.Object(
  {
    id: Type.String({ description: 'Of the batch or the request.' }),
    object: Type.Literal('bulk_item'),
    outcome: Type.Enum(['skipped', 'failed']),
    reason: Type.String(),
    message: Type.String(),
  },
  { $id: 'BulkItem', description: 'What an operation left alone, or could not do.' },
);
export type BulkItem = Static<typeof BulkItem>;

export const BulkItemPage = Page(Type.Ref('BulkItem'));
