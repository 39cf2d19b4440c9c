import { hash } from 'node:crypto';
import { priorities, type BatchSource, type CloneBatch, type CreateBatch } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { ApiError } from '../lib/errors.ts';
import { newBatchId } from '../lib/ids.ts';
import { noQuotas, type Quotas } from '../policy/quotas.ts';
import { rateLimitHeaders, refusalOf } from '../quotas/exceeded.ts';
import { lockForCreate, usesOfCreate } from '../quotas/quotas.ts';
import { announceBatches } from '../requests/queue.ts';
import type { NewBatch } from './asked.ts';
import { record } from './events.ts';
import { isParent, nobody, pinnedOptions, type Pinned } from './pinned.ts';
import { batchColumns, type BatchRow } from './rows.ts';
import { windowSeconds } from './windows.ts';

export interface Continuation {
  of: number;
  /** Lines of the other batch that are run again, as an int4multirange. */
  lines: string;
}

export interface CreateOptions {
  idempotencyKey?: string;
  continues?: Continuation;
  openaiLimits?: boolean;
  quotas?: Quotas;
  /** Who runs lines that name no model; absent: nobody. */
  pinned?: Pinned;
  /** Whether similar requests can be found. */
  semantic?: boolean;
  /** What was sent, where that is not the body; of repeats with one key it is compared. */
  asked?: unknown;
  /** Where the input comes from, where that is no file of the user's. */
  source?: BatchSource;
  /** Absent: a plain batch. */
  kind?: 'screen';
  /** What is written with it. */
  also?: (tx: Db, batch: BatchRow) => Promise<unknown>;
}

/**
 * The priority a body asks for: its own field, else `metadata.priority`, which clients without our field can send: normal,
 * medium, high, or a number from 0 to 100. Another word there is somebody else's, and means nothing here.
 *
 * @returns null: none
 */
export const askedPriority = ({ priority, metadata }: Pick<CreateBatch, 'priority' | 'metadata'>): number | null => {
  if (typeof priority === 'number') return priority;
  if (priority !== undefined && priority !== null) return priorities[priority];
  const word = metadata?.['priority']?.trim().toLowerCase() ?? '';
  if (Object.hasOwn(priorities, word)) return priorities[word as keyof typeof priorities];
  return /^\d{1,3}$/.test(word) && Number(word) <= 100 ? Number(word) : null;
};

export const priorityOf = (body: Pick<CreateBatch, 'priority' | 'metadata'>): number => askedPriority(body) ?? priorities.normal;

export const checkWindow = (window: string, openaiLimits = false): number => {
  const seconds = windowSeconds(window);
  if (seconds === null || (openaiLimits && window !== '24h'))
    throw new ApiError(
      'invalid_value',
      `Invalid value: '${window}'. completion_window must be ${openaiLimits ? "'24h'" : "a time like '15m', '24h' or '7d'"}.`,
      { param: 'completion_window' },
    );
  return seconds;
};

/** What a create says beyond its file, checked; in the order in which a client is told. */
export const checkSettings = (
  body: Omit<CreateBatch, 'rows' | 'source'>,
  openaiLimits: boolean,
  pinned = nobody,
): { seconds: number; priority: number } => {
  const seconds = checkWindow(body.completion_window, openaiLimits);
  const priority = priorityOf(body);
  if (openaiLimits && body.endpoint === '/v1/predict')
    throw new ApiError('invalid_value', "Invalid value: '/v1/predict'. This server keeps to OpenAI's limits.", { param: 'endpoint' });
  if (openaiLimits && isParent(pinned))
    throw new ApiError('invalid_value', "A batch is run by one model only. This server keeps to OpenAI's limits.", { param: 'models' });
  const most = body.max_concurrent;
  if (typeof most === 'number' && most < pinned.models.length)
    throw new ApiError('invalid_value', `max_concurrent must be at least ${pinned.models.length}: one for each of its models.`, {
      param: 'max_concurrent',
    });
  return { seconds, priority };
};

export const noSemantic = (): ApiError =>
  new ApiError(
    'invalid_value',
    "Invalid value: 'semantic'. This server has no embedding model to find similar requests with: its operator names one as dedup.semantic_model.",
    { param: 'dedup' },
  );

/** One text for all the ways to write a value: the order of keys means nothing. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

/** What the key was used with: the same key with another body is a mistake, not a repeat. */
export const bodyHash = (body: unknown): string => hash('sha256', canonical(body));

/** As jsonb takes it: half of a surrogate pair, which JSON can write, is no text to PostgreSQL. */
export const metadataJson = (metadata: Record<string, string> | null | undefined): string | null =>
  metadata
    ? JSON.stringify(Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key.toWellFormed(), value.toWellFormed()])))
    : null;

/**
 * Creates a batch. Its input is looked at later, by intake: even a file that does not exist makes a batch, which then
 * fails (OpenAI was seen to do so). The same Idempotency-Key gives the batch it made before.
 */
export const createBatch = async (
  db: Db,
  identity: Identity,
  body: NewBatch,
  options: CreateOptions = {},
): Promise<{ batch: BatchRow; created: boolean; headers: Record<string, string> }> => {
  const { idempotencyKey, continues, openaiLimits = false, quotas = noQuotas, semantic = false, asked = body, source } = options;
  const { pinned = nobody } = options;
  const { seconds, priority } = checkSettings(body, openaiLimits, pinned);
  // A continuation of a batch that was let in with it runs without, where it was taken away meanwhile.
  if (body.dedup === 'semantic' && !semantic && !continues) throw noSemantic();
  const { dedup, dedup_sampled, strategy, max_concurrent, max_attempts, pool, columns, invalid } = body;
  const chosen = JSON.stringify({
    dedup: dedup ?? undefined,
    dedup_sampled: dedup_sampled ?? undefined,
    strategy: strategy ?? undefined,
    max_concurrent: max_concurrent ?? undefined,
    max_attempts: max_attempts ?? undefined,
    pool: pool ?? undefined,
    columns: columns ?? undefined,
    invalid: invalid ?? undefined,
    ...pinnedOptions(pinned),
  });
  const result = await db.transaction(async (tx) => {
    const limited = await lockForCreate(tx, quotas, identity);
    const batch = await tx.maybe<BatchRow>(sql`
      with input as (
        select storage_key, bytes from files
        where id = ${body.input_file_id} and tenant_id = ${identity.tenant} and deleted_at is null and (expires_at is null or expires_at > now()) and purpose = 'batch' for share),
      b as (
        insert into batches (id, tenant_id, created_by, name, endpoint, input_file_id, input_key, input_bytes, completion_window, deadline, priority,
          metadata, options, output_seconds, continues_no, origin_lines, idempotency_key, idempotency_hash, lane, source, kind)
        values (${newBatchId()}, ${identity.tenant}, ${identity.user}, ${body.name ?? null}, ${body.endpoint}, ${body.input_file_id},
          (select storage_key from input), coalesce((select bytes from input), 0), ${body.completion_window},
          -- both times of one second, so that the window is their difference
          now() + make_interval(secs => ${seconds}), ${priority},
          ${metadataJson(body.metadata)}::jsonb, ${chosen}::jsonb, ${body.output_expires_after?.seconds ?? null},
          ${continues?.of ?? null}, ${continues?.lines ?? null}::int4multirange, ${idempotencyKey ?? null}, ${idempotencyKey === undefined ? null : bodyHash(asked)}, ${body.lane ?? 'bulk'},
          ${source === undefined ? null : JSON.stringify(source)}::jsonb, ${options.kind ?? (isParent(pinned) ? 'parent' : 'batch')})
        on conflict (tenant_id, idempotency_key) where idempotency_key is not null do nothing
        returning *)
      select ${batchColumns} from b`);
    if (batch === null) return null;
    // Counted with the new one in it, and all of it undone where that is too much.
    const { uses, soonest } = limited ? await usesOfCreate(tx, quotas, identity) : { uses: [], soonest: null };
    const refusal = refusalOf(uses, batch.input_bytes, soonest);
    if (refusal !== null) throw refusal;
    await options.also?.(tx, batch);
    const models = pinned.models.map(({ model }) => model);
    await record(tx, batch, 'batch.created', { input_file_id: batch.input_file_id, ...(models.length > 0 && { models }) });
    return { batch, headers: rateLimitHeaders(uses) };
  });
  if (result !== null) {
    await announceBatches(db);
    return { ...result, created: true };
  }
  const earlier = await db.one<BatchRow & { idempotency_hash: string }>(sql`
    select ${batchColumns}, b.idempotency_hash from batches b where b.tenant_id = ${identity.tenant} and b.idempotency_key = ${idempotencyKey}`);
  if (earlier.idempotency_hash !== bodyHash(asked))
    throw new ApiError(
      'idempotency_mismatch',
      `The Idempotency-Key '${idempotencyKey}' was used before for ${earlier.id}, with another body.`,
    );
  return { batch: earlier, created: false, headers: {} };
};

type Settings = Pick<
  CreateBatch,
  'dedup' | 'dedup_sampled' | 'strategy' | 'max_concurrent' | 'max_attempts' | 'pool' | 'columns' | 'invalid'
>;

const settingsOf = ({ options }: BatchRow): Settings => {
  const { model: _, models: __, route: ___, ...settings } = options;
  return settings as Settings;
};

/** The body that makes a batch like another one, with what `changes` says otherwise. Who runs its lines is `pinnedOf` it. */
export const cloneBody = <Changes extends CloneBatch>(batch: BatchRow, changes: Changes): NewBatch & Changes => ({
  input_file_id: batch.input_file_id,
  endpoint: batch.endpoint as NewBatch['endpoint'],
  completion_window: batch.completion_window,
  metadata: batch.metadata,
  name: batch.name,
  priority: batch.priority,
  ...(batch.lane === 'interactive' && { lane: batch.lane }),
  ...(batch.output_seconds !== null && { output_expires_after: { anchor: 'created_at' as const, seconds: batch.output_seconds } }),
  ...settingsOf(batch),
  ...changes,
});
