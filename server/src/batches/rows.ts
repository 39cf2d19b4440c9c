import type { Batch, BatchError, BatchSource, BatchStatus } from '@sluice/contract';
import { sql } from '../db/sql.ts';
import type { CopyKind } from '../formats/manifest.ts';
import { shownKey } from '../models/keys.ts';
import { shownUrl } from '../tables/sources.ts';
import { slaOf } from '../policy/forecast.ts';

/** A batch as the database holds it; times are seconds since the epoch. */
export interface BatchRow {
  no: number;
  id: string;
  kind: 'batch' | 'parent' | 'screen';
  tenant_id: string;
  created_by: string;
  name: string | null;
  endpoint: string;
  input_file_id: string;
  input_key: string | null;
  input_bytes: number;
  completion_window: string;
  deadline: number;
  priority: number;
  metadata: Record<string, string> | null;
  options: {
    dedup?: string;
    dedup_sampled?: boolean;
    strategy?: string;
    max_concurrent?: number;
    max_attempts?: number;
    pool?: string;
    /** Of the lines that name none: `name@version`. */
    model?: string;
    /** Which columns of a table are which inputs. */
    columns?: Record<string, string | string[]>;
    invalid?: 'skip' | 'refuse';
    /** Of a parent: who runs its lines. */
    models?: PinnedModel[];
    route?: PinnedRoute;
  };
  parent_no: number | null;
  source: BatchSource | null;
  rows_key: string | null;
  output_seconds: number | null;
  status: BatchStatus;
  cancel_mode: 'stop' | 'abort' | null;
  sealed: boolean;
  expiring: boolean;
  tries: number;
  index_key: string | null;
  model: string | null;
  /** Rows or lines of its input that were checked, and how many there are: as far as is known, while it is validated. */
  checked: number | null;
  to_check: number | null;
  total: number;
  completed: number;
  failed: number;
  cancelled: number;
  expired: number;
  usage: TokenCounts | null;
  hits: HitCounts | null;
  errors: BatchError[] | null;
  errors_file_id: string | null;
  output_file_id: string | null;
  error_file_id: string | null;
  admitted: boolean;
  at_risk: boolean;
  escalated_at: number | null;
  lane: 'interactive' | 'jobs' | 'bulk';
  pool_history: { at: number; pool: string; reason: string }[];
  /** Requests of it that moved to a larger pool. */
  outgrown: { at: number; from: string; pool: string; requests: number; reason: string }[];
  forecast_p50: number | null;
  forecast_p90: number | null;
  continues_no: number | null;
  origin_lines: string | null;
  created_at: number;
  in_progress_at: number | null;
  finalizing_at: number | null;
  completed_at: number | null;
  failed_at: number | null;
  expired_at: number | null;
  cancelling_at: number | null;
  cancelled_at: number | null;
}

/** A version that lines are run by, whatever its name comes to mean later. */
export interface PinnedModel {
  /** `name@version`. */
  model: string;
  weight: number;
}

export interface PinnedRoute {
  target: string;
  series: string | null;
  /** The series whose route answered; null: the one of every series. */
  matched: string | null;
}

export interface TokenCounts {
  input: number;
  cached: number;
  output: number;
  reasoning: number;
}

/** Requests that were not run, by how they came by their answer. */
export type HitCounts = Record<CopyKind, number>;

/** The columns of a `BatchRow`, of `batches b`. */
export const batchColumns = sql`
  b.no, b.id, b.tenant_id, b.created_by, b.name, b.endpoint, b.input_file_id, b.input_key, b.input_bytes, b.completion_window,
  extract(epoch from b.deadline)::float8 as deadline, b.priority, b.metadata, b.options, b.kind, b.parent_no, b.output_seconds, b.source, b.rows_key, b.status, b.cancel_mode,
  b.sealed, b.expiring, b.tries, b.index_key, b.model, b.checked, b.to_check, b.total, b.completed, b.failed, b.cancelled, b.expired, b.usage, b.hits, b.errors,
  b.errors_file_id, b.output_file_id, b.error_file_id, b.admitted, b.at_risk, extract(epoch from b.escalated_at)::float8 as escalated_at, b.lane, b.pool_history, b.outgrown,
  extract(epoch from b.forecast_p50)::float8 as forecast_p50, extract(epoch from b.forecast_p90)::float8 as forecast_p90, b.continues_no, b.origin_lines::text as origin_lines,
  extract(epoch from b.created_at)::float8 as created_at, extract(epoch from b.in_progress_at)::float8 as in_progress_at,
  extract(epoch from b.finalizing_at)::float8 as finalizing_at, extract(epoch from b.completed_at)::float8 as completed_at,
  extract(epoch from b.failed_at)::float8 as failed_at, extract(epoch from b.expired_at)::float8 as expired_at,
  extract(epoch from b.cancelling_at)::float8 as cancelling_at, extract(epoch from b.cancelled_at)::float8 as cancelled_at`;

export interface Progress {
  completed: number;
  failed: number;
  cancelled: number;
  expired: number;
  usage: TokenCounts;
  hits: HitCounts;
}

/** What an object of the API needs besides its row. */
export interface BatchExtras {
  progress: Progress | null;
  models: string[];
  parent: string | null;
  children: Batch['children'];
  continues: string | null;
  continued_by: string[];
}

const seconds = (time: number | null): number | null => (time === null ? null : Math.floor(time));

const usageObject = ({ input, cached, output, reasoning }: TokenCounts): Batch['usage'] => ({
  input_tokens: input,
  input_tokens_details: { cached_tokens: cached },
  output_tokens: output,
  output_tokens_details: { reasoning_tokens: reasoning },
  total_tokens: input + output,
});

const slaState = ({ status, at_risk, completed_at, deadline }: BatchRow): Batch['sla'] => {
  if (status === 'completed') return slaOf({ endedAt: completed_at ?? deadline, deadline });
  if (status === 'expired') return 'breached';
  if (status === 'in_progress' || status === 'finalizing') return at_risk ? 'at_risk' : 'on_track';
  return null;
};

/** The object clients see: every key present, null where there is nothing. */
export const toBatch = (row: BatchRow, { progress, models, continues, continued_by, parent, children }: BatchExtras): Batch => {
  const counts = progress ?? row;
  const usage = progress?.usage ?? row.usage;
  return {
    id: row.id,
    object: 'batch',
    endpoint: row.endpoint,
    model: row.model === null ? null : row.model.slice(row.model.indexOf(':') + 1, row.model.lastIndexOf('@')),
    errors: row.errors === null ? null : { object: 'list', data: row.errors },
    input_file_id: row.input_file_id,
    completion_window: row.completion_window,
    status: row.status,
    output_file_id: row.output_file_id,
    error_file_id: row.error_file_id,
    created_at: Math.floor(row.created_at),
    in_progress_at: seconds(row.in_progress_at),
    // From the same second as created_at, so that their difference is the window.
    expires_at: Math.floor(row.deadline),
    finalizing_at: seconds(row.finalizing_at),
    completed_at: seconds(row.completed_at),
    failed_at: seconds(row.failed_at),
    expired_at: seconds(row.expired_at),
    cancelling_at: seconds(row.cancelling_at),
    cancelled_at: seconds(row.cancelled_at),
    request_counts: {
      total: row.total,
      completed: counts.completed,
      failed: counts.failed,
      cancelled: counts.cancelled,
      expired: counts.expired,
    },
    usage: usage === null || row.status === 'validating' || row.status === 'failed' ? null : usageObject(usage),
    metadata: row.metadata,
    kind: row.kind,
    name: row.name,
    priority: row.priority,
    created_by: row.created_by,
    models: models.map(shownKey),
    errors_file_id: row.errors_file_id,
    validation: row.status === 'validating' && row.checked !== null ? { checked: row.checked, total: row.to_check } : null,
    sla: slaState(row),
    admitted: row.admitted,
    at_risk: row.at_risk && row.status === 'in_progress',
    escalated_at: seconds(row.escalated_at),
    lane: row.lane,
    pool_history: [...row.pool_history, ...row.outgrown].sort((a, b) => a.at - b.at).map((move) => ({ ...move, at: Math.floor(move.at) })),
    forecast:
      row.status === 'in_progress' && row.forecast_p50 !== null && row.forecast_p90 !== null
        ? { p50: Math.floor(row.forecast_p50), p90: Math.floor(row.forecast_p90) }
        : null,
    continues,
    continued_by,
    dedup: row.options.dedup ?? null,
    dedup_sampled: row.options.dedup_sampled ?? false,
    dedup_counts: (progress?.hits ?? row.hits) || { batch: 0, cache: 0, semantic: 0 },
    strategy: row.options.strategy ?? null,
    max_concurrent: row.options.max_concurrent ?? null,
    max_attempts: row.options.max_attempts ?? null,
    pool: row.options.pool ?? null,
    source: row.source?.url === undefined ? row.source : { ...row.source, url: shownUrl(row.source.url) },
    parent,
    children,
    route: row.options.route ?? null,
  };
};
