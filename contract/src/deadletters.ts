import { Type, type Static, type TObject } from 'typebox';
import { Attempt, lastSecond } from './batches.ts';
import { Nullable, Page, Timestamp } from './common.ts';

export const deadLetterStatuses = ['open', 'redriven', 'discarded'] as const;
export type DeadLetterStatus = (typeof deadLetterStatuses)[number];

const fields = {
  id: Type.String({ description: 'The id of the request.' }),
  object: Type.Literal('dead_letter'),
  batch_id: Type.String(),
  line: Type.Integer({ minimum: 1 }),
  custom_id: Nullable(Type.String({ description: 'Null once the input file is gone.' })),
  model: Type.String(),
  user: Type.String({ description: 'Who made the batch.' }),
  status: Type.Enum([...deadLetterStatuses], {
    description: '`redriven`: a continuation runs it again, or did. `discarded`: given up on, with a reason.',
  }),
  code: Type.String(),
  message: Type.String(),
  cause: Type.String({ description: 'The message without what differs from one request to the next: numbers, ids, quoted texts.' }),
  status_code: Nullable(Type.Integer()),
  attempts: Type.Integer(),
  worker: Nullable(Type.String()),
  died_at: Type.Number({ description: 'Seconds since the epoch, with fractions.' }),
  redriven_as: Nullable(Type.String({ description: 'The request of the newest continuation that ran it again.' })),
  discarded_at: Nullable(Timestamp),
  discarded_by: Nullable(Type.String()),
  discard_reason: Nullable(Type.String()),
};

export const DeadLetter = Type.Object(fields, {
  $id: 'DeadLetter',
  description: 'A request that used up its attempts, or killed each worker that ran it.',
});
export type DeadLetter = Static<typeof DeadLetter>;

export const DeadLetterPage = Page(Type.Ref('DeadLetter'));

export const DeadLetterDetails = Type.Object(
  {
    ...fields,
    endpoint: Type.String(),
    input: Nullable(Type.Unknown({ description: 'The line as it was sent; null once the input file is gone.' })),
    output: Nullable(Type.Unknown({ description: 'Its line of the error file.' })),
    history: Type.Array(Attempt),
    newest: Nullable(Type.Unknown({ description: 'The same request in the newest continuation: its id, state and output.' })),
  },
  { $id: 'DeadLetterDetails' },
);
export type DeadLetterDetails = Static<typeof DeadLetterDetails>;

export const DeadLetterCause = Type.Object(
  {
    object: Type.Literal('dead_letter.cause'),
    code: Type.String(),
    cause: Type.String(),
    count: Type.Integer({ minimum: 1 }),
    batches: Type.Integer({ minimum: 1 }),
    first_seen: Type.Number(),
    last_seen: Type.Number(),
    sample: Type.String({ description: 'The id of the newest of these requests.' }),
  },
  { $id: 'DeadLetterCause' },
);
export type DeadLetterCause = Static<typeof DeadLetterCause>;

export const DeadLetterCauses = Type.Object(
  { object: Type.Literal('list'), data: Type.Array(Type.Ref('DeadLetterCause')), has_more: Type.Boolean() },
  { $id: 'DeadLetterCauses' },
);

const text = (description: string) => Type.Optional(Type.String({ minLength: 1, maxLength: 2_000, description }));
const time = (description: string) => Type.Optional(Type.Integer({ minimum: 0, maximum: lastSecond, description }));

/** Which dead letters are meant. */
const filter = {
  batch: text('Only requests of this batch.'),
  model: text('`name`, or `name@version`.'),
  code: text('Only requests that died with this code.'),
  cause: text('Only requests that died of this cause, as `group=cause` names it.'),
  user: text('Only requests of batches this user made.'),
  q: text('Only requests whose message holds this text, in upper or lower case.'),
  since: time('Died at this second or later.'),
  until: time('Died before this second.'),
};

const status = Type.Optional(Type.Enum([...deadLetterStatuses, 'all'], { description: 'Default `open`: neither redriven nor discarded.' }));

export const DeadLetterFilter = Type.Object(filter, { additionalProperties: false, minProperties: 1 });
export type DeadLetterFilter = Static<typeof DeadLetterFilter>;

export const DeadLetterQuery = Type.Object({ ...filter, status });
export type DeadLetterQuery = Static<typeof DeadLetterQuery>;

export const ListDeadLetters = Type.Object({
  ...filter,
  status,
  group: Type.Optional(Type.Literal('cause', { description: 'Count by code and cause instead, the most frequent first.' })),
  after: Type.Optional(Type.String({ description: 'The id of the last one of the page before.' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
});

/** What an action on many means: these ids, or all that a filter matches but for the excluded ones. */
export const selection = <F extends TObject>(filter: F) => ({
  filter: Type.Optional(filter),
  ids: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { minItems: 1, maxItems: 10_000 })),
  exclude: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { maxItems: 10_000, description: 'Ids to leave out of the filter.' }),
  ),
  as_of: Type.Optional(
    Type.Number({
      minimum: 0,
      maximum: lastSecond,
      description: 'What came later is left alone: the `as_of` of a preview makes it hold for the run. Default now.',
    }),
  ),
});

export const DiscardDeadLetters = Type.Object(
  { ...selection(DeadLetterFilter), reason: Type.String({ minLength: 1, maxLength: 1_000 }) },
  { additionalProperties: false },
);
export type DiscardDeadLetters = Static<typeof DiscardDeadLetters>;

export const DiscardedDeadLetters = Type.Object(
  {
    object: Type.Literal('dead_letters.discarded'),
    discarded: Type.Integer({ description: 'How many are marked now that were not before.' }),
    skipped: Type.Integer({ description: 'Ids that are no dead letter, or were discarded before.' }),
  },
  { $id: 'DiscardedDeadLetters' },
);
export type DiscardedDeadLetters = Static<typeof DiscardedDeadLetters>;
