import type { BatchStatus } from '@sluice/contract';
import { none, sql, type Statement } from '../db/sql.ts';
import { ofModel } from '../models/keys.ts';

export const slaStates = ['on_track', 'at_risk', 'met', 'breached'] as const;
export type SlaState = (typeof slaStates)[number];

/** Which batches are meant, on a list or by an action on many: of each field any of the values, and all of the fields. */
export interface BatchFilter {
  status?: readonly BatchStatus[] | undefined;
  model?: readonly string[] | undefined;
  /** Models by their keys, where names were looked up before (`keysOf`). */
  keys?: readonly string[] | undefined;
  user?: readonly string[] | undefined;
  pool?: readonly string[] | undefined;
  priority?: readonly number[] | undefined;
  sla?: readonly SlaState[] | undefined;
  endpoint?: string | undefined;
  metadata?: Record<string, string> | undefined;
  /** Beginnings of words in name and metadata; or the beginning of an id. */
  q?: string | undefined;
  /** Words in the code or cause of a failure. */
  error?: string | undefined;
  /** Seconds since the epoch. */
  since?: number | undefined;
  until?: number | undefined;
}

/** Fields of which it is counted how many batches have each value. */
export const countedFields = ['status', 'model', 'user', 'pool', 'priority', 'sla'] as const;
export type CountedField = (typeof countedFields)[number];

/** The pool a batch `b` asked for, else where its work was given last. */
export const poolOf = sql`batch_pool(b.options, b.pool_history)`;

const running = sql`b.status in ('in_progress', 'finalizing')`;

/** Whether the promise of a batch `b` holds; null before it is made, and where it was cancelled or refused. */
export const slaOf = sql`case
  when b.status = 'expired' or b.completed_at > b.deadline then 'breached' when b.status = 'completed' then 'met'
  when ${running} then case when b.deadline < now() then 'breached' when b.at_risk then 'at_risk' else 'on_track' end end`;

/** The same as conditions that indexes know. */
const slaConditions: Record<SlaState, Statement> = {
  met: sql`(b.status = 'completed' and not (b.completed_at > b.deadline))`,
  breached: sql`(b.status = 'expired' or b.completed_at > b.deadline or (${running} and b.deadline < now()))`,
  at_risk: sql`(${running} and b.deadline >= now() and b.at_risk)`,
  on_track: sql`(${running} and b.deadline >= now() and not b.at_risk)`,
};

export const anyOf = (conditions: readonly Statement[]): Statement =>
  conditions.length === 0 ? sql`false` : sql`(${conditions.reduce((all, each) => sql`${all} or ${each}`)})`;

const words = (tenant: string, q: string): Statement =>
  /^batch_[0-9a-f]*$/.test(q.trim())
    ? sql`and b.id >= ${q.trim()} and b.id < ${`${q.trim()}g`}`
    : sql`and b.words @@ search_query(${tenant}, ${q})`;

/** What holds of batches `b` of the tenant that a filter means. */
export const batchConditions = (tenant: string, filter: BatchFilter): Statement => {
  const { status, model, keys, user, pool, priority, sla, endpoint, metadata, q, error, since, until } = filter;
  return sql`b.tenant_id = ${tenant}
    ${status === undefined ? none : status.length === 1 ? sql`and b.status = ${status[0]}` : sql`and b.status = any(${status}::text[])`}
    ${model === undefined ? none : sql`and exists (select from batch_models m where m.batch_no = b.no and ${anyOf(model.map((each) => ofModel(sql`m.model`, each)))})`}
    ${keys === undefined ? none : sql`and exists (select from batch_models m where m.batch_no = b.no and m.model = any(${keys}::text[]))`}
    ${user === undefined ? none : user.length === 1 ? sql`and b.created_by = ${user[0]}` : sql`and b.created_by = any(${user}::text[])`}
    ${pool === undefined ? none : pool.length === 1 ? sql`and ${poolOf} = ${pool[0]}` : sql`and ${poolOf} = any(${pool}::text[])`}
    ${priority === undefined ? none : priority.length === 1 ? sql`and b.priority = ${priority[0]}` : sql`and b.priority = any(${priority}::smallint[])`}
    ${sla === undefined ? none : sql`and ${anyOf(sla.map((each) => slaConditions[each]))}`}
    ${endpoint === undefined ? none : sql`and b.endpoint = ${endpoint}`}
    ${metadata === undefined ? none : sql`and b.metadata @> ${JSON.stringify(metadata)}::jsonb`}
    ${q === undefined ? none : words(tenant, q)}
    ${error === undefined ? none : sql`and exists (select from failure_causes f where f.batch_no = b.no and search_vector(f.tenant_id, f.code || ' ' || f.cause) @@ search_query(${tenant}, ${error}))`}
    ${since === undefined ? none : sql`and b.created_at >= to_timestamp(${since}::float8)`}
    ${until === undefined ? none : sql`and b.created_at < to_timestamp(${until}::float8)`}`;
};
