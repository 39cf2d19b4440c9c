import { Type, type Static } from 'typebox';
import { Attempt, endpoints, lastSecond, Priority, requestStates, Usage } from './batches.ts';
import { Metadata, Nullable, Page, Timestamp } from './common.ts';

/** A job is in the same states as a request of a batch. */
export const jobStatuses = requestStates;
export type JobStatus = (typeof jobStatuses)[number];

const milliseconds = (description: string) => Type.Optional(Nullable(Type.Integer({ minimum: 1, maximum: 86_400_000, description })));

const settings = {
  deadline: Type.Optional(
    Nullable(
      Type.Integer({
        minimum: 0,
        maximum: lastSecond,
        description: 'When it must have ended, in seconds since the epoch; then it expires, whether it runs or not.',
      }),
    ),
  ),
  timeout_ms: milliseconds('The hard limit: an attempt that runs for longer is ended, and the job fails with `timeout`.'),
  soft_timeout_ms: milliseconds('The soft limit: an attempt that runs for longer is marked `slow`, and goes on.'),
  max_attempts: Type.Optional(
    Nullable(Type.Integer({ minimum: 1, maximum: 100, description: 'In place of what the model or the server says.' })),
  ),
  priority: Type.Optional(Nullable(Priority)),
  metadata: Type.Optional(Nullable(Metadata)),
};

/** Names of the body of `POST /v1/jobs` that are the job's own; all others are the endpoint's. */
export const jobFields: readonly string[] = ['model', 'endpoint', 'body', ...Object.keys(settings)];

export const CreateJob = Type.Object(
  {
    model: Type.String({ minLength: 1, maxLength: 300, description: '`name` or `name@version`.' }),
    endpoint: Type.Optional(
      Nullable(Type.Enum([...endpoints], { description: 'Told from the fields, or from what the model answers, where that is plain.' })),
    ),
    body: Type.Optional(
      Type.Object({}, { additionalProperties: true, description: "The endpoint's body. Without it, its fields stand beside these." }),
    ),
    ...settings,
  },
  { additionalProperties: true, description: 'One request: what it asks of a model, and what is asked of the job.' },
);
export type CreateJob = Static<typeof CreateJob> & { [field: string]: unknown };

const moment = (description: string) => Nullable(Type.Number({ description: `${description}, in seconds since the epoch.` }));

export const Job = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal('job'),
    status: Type.Enum([...jobStatuses]),
    model: Type.String({ description: '`name@version`, as resolved when it was submitted.' }),
    endpoint: Type.String(),
    user: Type.String({ description: 'Who submitted it.' }),
    priority: Type.Integer(),
    created_at: Type.Number({ description: 'Seconds since the epoch, with fractions; so are all times here.' }),
    started_at: moment('When it first ran'),
    ended_at: moment('When it ended'),
    next_attempt_at: moment('While it waits: when it is tried again at the earliest'),
    deadline: Nullable(Timestamp),
    timeout_ms: Nullable(Type.Integer()),
    soft_timeout_ms: Nullable(Type.Integer()),
    slow: Type.Boolean({ description: 'It ran for longer than `soft_timeout_ms`.' }),
    cancel_requested: Type.Boolean(),
    attempts: Type.Integer({ description: 'Attempts finished so far.' }),
    max_attempts: Nullable(Type.Integer()),
    worker: Nullable(Type.String({ description: 'Who runs it, or ran it last.' })),
    request_id: Nullable(Type.String({ description: '`x-request-id` of the call that submitted it: what to look for in the logs.' })),
    queue_time_ms: Nullable(Type.Number({ description: 'From submission until it first ran.' })),
    inference_time_ms: Nullable(Type.Number({ description: 'What the last attempt took in its executor.' })),
    status_code: Nullable(Type.Integer({ description: 'HTTP status of the answer.' })),
    error: Nullable(
      Type.Object({
        code: Type.String(),
        message: Type.String(),
        traceback: Nullable(Type.String({ description: 'Where in the executor it happened, where the executor says.' })),
      }),
    ),
    usage: Nullable(Usage),
    history: Type.Array(Attempt, { description: 'Attempts that failed.' }),
    metadata: Nullable(Metadata),
    retry_of: Nullable(Type.String({ description: 'The job that this one runs again.' })),
    result: Type.Optional(
      Type.Unknown({ description: 'The answer; only in the reply to a submission that waited for it. Else see `/result`.' }),
    ),
  },
  { $id: 'Job' },
);
export type Job = Static<typeof Job>;

export const JobPage = Page(Type.Ref('Job'));

export const ListJobs = Type.Object({
  after: Type.Optional(Type.String()),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
  status: Type.Optional(Type.String({ description: 'One status, or several with commas between.' })),
  model: Type.Optional(Type.String({ description: '`name`, or `name@version`.' })),
  user: Type.Optional(Type.String({ description: 'Only jobs of this user.' })),
});

export const DeletedJob = Type.Object({ id: Type.String(), object: Type.Literal('job'), deleted: Type.Literal(true) });
