import { Type, type Static } from 'typebox';
import { batchStatuses } from './batches.ts';
import { Nullable } from './common.ts';

/** Seconds since the epoch, with fractions. */
const Moment = Type.Number({ description: 'Seconds since the epoch, with fractions.' });

export const reasonCodes = [
  'no_scheduler',
  'no_worker',
  'lost_leases',
  'intake_lost',
  'finalize_lost',
  'waiting_only',
  'no_progress',
  'not_held',
  'lease_over',
  'held',
  'tries',
  'queued',
  'larger_pool',
  'leased',
  'holder',
  'lost_worker',
  'waiting',
  'nothing_open',
  'children',
  'child',
  'width',
  'quota',
  'deadline',
  'at_risk',
  'deadline_passed',
  'escalated',
  'forecast',
  'failed',
  'late',
  'cancelled',
  'leftovers',
] as const;
export type ReasonCode = (typeof reasonCodes)[number];

const Reason = Type.Object({
  code: Type.String({ description: `One of ${reasonCodes.join(', ')}; of a batch whose input was refused, the error's code.` }),
  text: Type.String(),
});

export const BatchStanding = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal('batch.standing'),
    name: Nullable(Type.String()),
    status: Type.Enum([...batchStatuses]),
    created_by: Type.String(),
    total: Type.Integer(),
    settled: Type.Integer({ description: 'Requests that have completed or failed.' }),
    milestone: Type.Integer({ description: 'The last of 10, 25, 50, 75, 90, 100 per cent that was told of; 0 before the first.' }),
    last_progress_at: Moment,
    expires_at: Moment,
    stalled: Type.Boolean(),
    reason: Nullable(Type.Unsafe<Static<typeof Reason>>({ ...Reason, description: 'Why it does not move.' })),
  },
  { $id: 'BatchStanding' },
);
export type BatchStanding = Static<typeof BatchStanding>;

export const Completion = Type.Object(
  {
    object: Type.Literal('completion'),
    stalled_after_minutes: Type.Number(),
    active: Type.Array(Type.Ref('BatchStanding')),
    stalled: Type.Array(Type.Ref('BatchStanding')),
    has_more: Type.Boolean({ description: 'More batches are open than were looked at, oldest first.' }),
    health: Type.Object({
      schedulers: Type.Object({
        alive: Type.Boolean(),
        planned_seconds_ago: Nullable(Type.Number({ description: 'Since turns were planned last; null: never.' })),
      }),
      workers: Type.Array(
        Type.Object({ pool: Type.String(), ready: Type.Integer(), draining: Type.Integer(), lost: Type.Integer(), leases: Type.Integer() }),
      ),
      oldest_queued_seconds: Nullable(Type.Number({ description: 'Age of the oldest batch with requests that nobody has leased.' })),
      waiting_for_intake: Type.Integer({ description: 'Batches still to be validated.' }),
    }),
  },
  { $id: 'Completion' },
);
export type Completion = Omit<Static<typeof Completion>, 'active' | 'stalled'> & { active: BatchStanding[]; stalled: BatchStanding[] };

export const Explanation = Type.Object(
  {
    object: Type.Literal('batch.explanation'),
    id: Type.String(),
    status: Type.Enum([...batchStatuses]),
    summary: Type.String(),
    stalled: Type.Boolean(),
    reasons: Type.Array(Reason),
    next: Type.Array(Type.String({ description: 'What will move it.' })),
  },
  { $id: 'BatchExplanation' },
);
export type Explanation = Static<typeof Explanation>;

export const repairs = [
  'lease_ended',
  'chunks_taken_back',
  'retries_gathered',
  'expired',
  'closed',
  'leftovers_removed',
  'milestones_told',
] as const;

export const BatchRepair = Type.Object(
  {
    object: Type.Literal('batch.repair'),
    id: Type.String(),
    status: Type.Enum([...batchStatuses]),
    done: Type.Array(Type.Object({ code: Type.Enum([...repairs]), text: Type.String(), count: Type.Integer() }), {
      description: 'Empty: there was nothing to repair.',
    }),
  },
  { $id: 'BatchRepair' },
);
export type BatchRepair = Static<typeof BatchRepair>;

export const CompletionRepair = Type.Object({
  object: Type.Literal('completion.repair'),
  looked_at: Type.Integer({ description: 'Open batches of the tenant.' }),
  data: Type.Array(Type.Ref('BatchRepair'), { description: 'Those of them for which something was done.' }),
});
export type CompletionRepair = Omit<Static<typeof CompletionRepair>, 'data'> & { data: BatchRepair[] };
