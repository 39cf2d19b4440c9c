import { Type, type Static } from 'typebox';
import { lastSecond } from './batches.ts';
import { Nullable, Page } from './common.ts';

const milliseconds = (description: string) => Nullable(Type.Number({ description }));

export const PredictionRecord = Type.Object(
  {
    id: Type.String({ description: 'As the answer had it; of one that failed, made for the record.' }),
    object: Type.Literal('prediction.record'),
    created_at: Type.Number({ description: 'Seconds since the epoch, with fractions.' }),
    user: Type.String(),
    model: Type.String({ description: '`name@version`.' }),
    status_code: Type.Integer(),
    error: Nullable(Type.Object({ code: Type.String(), message: Type.String() })),
    input_hash: Nullable(Type.String({ description: 'SHA-256 of the inputs as JSON, in hex; null of those larger than 64 kB.' })),
    input_bytes: Nullable(Type.Integer({ description: 'Bytes of the request.' })),
    cache: Nullable(Type.Enum(['hit', 'miss', 'bypass'])),
    queue_ms: milliseconds('From the request until its rows were taken out of the queue.'),
    batch_ms: milliseconds('Of that, the wait for company.'),
    compute_ms: milliseconds('What the model took.'),
    total_ms: Type.Number({ description: 'From the request to its answer.' }),
    request_id: Type.String({ description: '`x-request-id` of the call.' }),
    expires_at: Type.Number({ description: 'When the record is deleted.' }),
    input: Type.Optional(Type.Unknown({ description: 'Only where the model keeps records in full, and one record is asked for.' })),
    output: Type.Optional(Type.Unknown()),
  },
  { $id: 'PredictionRecord' },
);
export type PredictionRecord = Static<typeof PredictionRecord>;

export const PredictionRecordPage = Page(Type.Ref('PredictionRecord'));

const time = (description: string) => Type.Optional(Type.Integer({ minimum: 0, maximum: lastSecond, description }));

const filter = {
  model: Type.Optional(Type.String({ description: '`name`, or `name@version`.' })),
  user: Type.Optional(Type.String()),
  input_hash: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$', description: 'Only records of these inputs.' })),
  failed: Type.Optional(Type.Boolean({ description: 'Only those that failed, or only those that did not.' })),
  since: time('At this second or later.'),
  until: time('Before this second.'),
};

export const ListPredictions = Type.Object({
  ...filter,
  after: Type.Optional(Type.String({ description: 'The id of the last one of the page before.' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
});
export const ExportPredictions = Type.Object({
  ...filter,
  format: Type.Optional(Type.Enum(['jsonl', 'csv'], { description: 'Default `jsonl`.' })),
});
export type PredictionFilter = Static<typeof ExportPredictions>;
