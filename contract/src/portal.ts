import { Type, type Static } from 'typebox';
import { Nullable } from './common.ts';

export const SignIn = Type.Object({ api_key: Type.String({ minLength: 1, maxLength: 1_000 }) }, { additionalProperties: false });

export const PortalSession = Type.Object(
  {
    object: Type.Literal('portal.session'),
    tenant: Type.String(),
    user: Type.String(),
    role: Type.Enum(['admin', 'user']),
    csrf_token: Nullable(
      Type.String({ description: 'To be sent as `x-csrf-token` with all that changes something; null where the request came with a key.' }),
    ),
    expires_at: Nullable(
      Type.Integer({ description: 'When the session ends if it is not used before; null where the request came with a key.' }),
    ),
    now: Type.Number({ description: "The server's clock: seconds since the epoch, with fractions." }),
    event: Type.String({
      description: 'A place among the events of the tenant: `GET /v1/events?after=` it has all that happens after this answer.',
    }),
    server: Type.Object({ name: Type.String(), version: Type.String() }),
    config: Type.Object({
      grafana_url: Nullable(Type.String()),
      live_max_hz: Type.Number({ description: 'Updates a second that a page may show; 0: none by itself.' }),
      pools: Type.Array(Type.Object({ name: Type.String(), preemptible: Type.Boolean() })),
    }),
    limits: Type.Object({
      max_lines: Type.Integer(),
      max_file_bytes: Type.Integer(),
      max_line_bytes: Type.Integer(),
      max_model_bytes: Type.Integer(),
      openai: Type.Boolean({ description: "OpenAI's own limits hold." }),
    }),
  },
  { $id: 'PortalSession', description: 'Who a page speaks for, and what it needs to know of the server.' },
);
export type PortalSession = Static<typeof PortalSession>;

export const SignedOut = Type.Object({ object: Type.Literal('portal.session'), deleted: Type.Literal(true) });

const Moment = (description: string) => Type.Number({ description: `Seconds since the epoch, with fractions. ${description}` });
const Share = Nullable(Type.Number({ minimum: 0, maximum: 1, description: 'Null: there were none.' }));

export const portalRanges = ['1h', '6h', '24h', '7d'] as const;
export type PortalRange = (typeof portalRanges)[number];

/** What a list of batches is asked for. As `GET /v1/portal/batches` takes it, so that a figure can lead to its batches. */
const Link = Type.Object(
  {
    screen: Type.Enum(['batches', 'batch', 'dead-letters', 'workers', 'usage', 'models']),
    id: Type.Optional(Type.String()),
    filter: Type.Unsafe<Record<string, string>>({ type: 'object', additionalProperties: { type: 'string' } }),
  },
  { description: 'Where a page goes from here: the screen, and the filter that its list takes.' },
);
export type PortalLink = Static<typeof Link>;

export const PortalOverview = Type.Object(
  {
    object: Type.Literal('portal.overview'),
    now: Moment("The database's clock when this was read, at most a second or three ago."),
    range: Type.Enum([...portalRanges]),
    requests: Type.Object({
      running: Type.Integer({ description: 'Leased by workers, jobs among them.' }),
      queued: Type.Integer(),
      waiting: Type.Integer({ description: 'For a retry.' }),
    }),
    batches: Type.Object({
      validating: Type.Integer(),
      in_progress: Type.Integer(),
      finalizing: Type.Integer(),
      cancelling: Type.Integer(),
      at_risk: Type.Integer({ description: 'Of those in progress.' }),
    }),
    per_minute: Type.Number({ description: 'Requests settled a minute, over the last five that are over.' }),
    sparkline: Type.Array(Type.Integer(), { description: 'Requests settled in each of the last 60 minutes; the last one is under way.' }),
    failed_24h: Type.Object({ failed: Type.Integer(), settled: Type.Integer(), share: Share }),
    sla_7d: Type.Object({ met: Type.Integer(), breached: Type.Integer(), share: Share }),
    oldest_queued_seconds: Nullable(Type.Number({ description: 'Age of the oldest batch of which something is queued.' })),
    queue_eta_seconds: Nullable(
      Type.Number({ description: 'Until what is queued is expected to be done, at even odds; null: nothing is queued, or nobody knows.' }),
    ),
    series: Type.Object(
      {
        step_seconds: Type.Integer(),
        at: Type.Array(Type.Integer({ description: 'Where each step begins: seconds since the epoch.' })),
        completed: Type.Array(Type.Integer()),
        failed: Type.Array(Type.Integer()),
        p50_ms: Type.Array(Nullable(Type.Number())),
        p95_ms: Type.Array(Nullable(Type.Number())),
        output_tokens: Type.Array(Type.Integer()),
      },
      { description: 'Column by column, every step of the range. How long requests took: up to 15 % too high; null where none ran.' },
    ),
    models: Type.Array(
      Type.Object({
        model: Type.String(),
        running: Type.Integer(),
        queued: Type.Integer(),
        per_minute: Type.Number({ description: 'Over the last five minutes that are over.' }),
        busy: Type.Number({ description: 'Requests that ran at once on average, over the same.' }),
        workers: Type.Integer({ description: 'Ready workers that run it.' }),
      }),
      { description: 'Those with something to do now or lately, the busiest first; at most 50.' },
    ),
    workers: Type.Object({
      ready: Type.Integer(),
      busy: Type.Integer({ description: 'Of the ready ones, those that hold leases.' }),
      draining: Type.Integer(),
      lost: Type.Integer(),
      utilisation: Share,
    }),
    pools: Type.Array(
      Type.Object({
        name: Type.String(),
        preemptible: Type.Boolean(),
        desired: Type.Integer(),
        actual: Type.Integer(),
        busy: Type.Integer(),
      }),
    ),
    health: Type.Array(
      Type.Object({
        name: Type.String({ description: 'database, storage, scheduler, workers; redis where it is used.' }),
        status: Type.Enum(['ok', 'warning', 'error']),
        ms: Nullable(Type.Number({ description: 'How long it took to answer.' })),
        message: Nullable(Type.String()),
      }),
    ),
  },
  { $id: 'PortalOverview', description: 'What a dashboard shows, from figures that are kept ready.' },
);
export type PortalOverview = Static<typeof PortalOverview>;

export const attentionKinds = [
  'sla_missed',
  'sla_at_risk',
  'stalled',
  'failure_spike',
  'dead_letters',
  'worker_lost',
  'quota',
  'dependency',
] as const;

export const PortalAttention = Type.Object(
  {
    object: Type.Literal('portal.attention'),
    now: Moment("The database's clock when this was read, at most ten seconds ago."),
    data: Type.Array(
      Type.Object({
        kind: Type.Enum([...attentionKinds]),
        severity: Type.Enum(['critical', 'warning']),
        title: Type.String(),
        detail: Nullable(Type.String()),
        count: Nullable(Type.Integer()),
        at_least: Type.Boolean({ description: 'There are more than `count`.' }),
        since: Nullable(Type.Number()),
        link: Link,
      }),
      { description: 'The worst first.' },
    ),
  },
  { $id: 'PortalAttention' },
);
export type PortalAttention = Static<typeof PortalAttention>;
