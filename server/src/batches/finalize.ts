import type { BatchStatus } from '@sluice/contract';
import type { Db } from '../db/db.ts';
import { none, sql } from '../db/sql.ts';
import { createStored, insertFile, type StoredFile } from '../files/files.ts';
import { closeOpen, nothingOpen } from '../requests/queue.ts';
import { StorageFull, type Storage } from '../storage/storage.ts';
import { record } from './events.ts';
import { fullPause, holdLease, letGo, type Held } from './lease.ts';
import { passMilestones } from './milestones.ts';
import { batchContent, chunksUsed, parentContent, type Content } from './content.ts';
import { batchColumns, type BatchRow } from './rows.ts';

/**
 * Finalizing writes a batch's files and ends it.
 *
 * Promise: a batch ends in exactly one terminal state, with its files, its counts and its event in one transaction,
 * guarded by the token of whoever writes; total = completed + failed + cancelled + expired, counted from the files as
 * they were written. A crash leaves objects under a dead token and the batch where it was; the next holder of the
 * lease starts again. A batch is due when nothing of it is open, judged from its rows: no event is needed.
 */
export interface FinalizeDeps {
  db: Db;
  storage: Storage;
  leaseSeconds: number;
}

type Ending = 'completed' | 'expired' | 'cancelled';

/** How the children of a parent `b` ended: where each was cancelled so is the parent, and where one expired it has too. */
const childEnds = sql`
  b.kind = 'parent' and b.status = 'in_progress' and exists (select from batches k where k.parent_no = b.no and k.status = 'expired') as some_expired,
  b.kind = 'parent' and b.status = 'in_progress' and not exists (select from batches k where k.parent_no = b.no and k.status <> 'cancelled') as all_cancelled`;

/** Ends the next batch that is due, one that failed before behind those that did not; null where none is. */
export const finalizeNext = async (
  deps: FinalizeDeps,
  signal: AbortSignal,
): Promise<{ batch: BatchRow; result: Ending | 'lost'; bytes: number } | null> => {
  const { db, leaseSeconds } = deps;
  const batch = await db.transaction(async (tx) => {
    const found = await tx.maybe<BatchRow & { token: number; was: BatchStatus }>(sql`
      update batches b
      set token = nextval('lease_token'), leased_until = now() + make_interval(secs => ${leaseSeconds}), tries = b.tries + 1,
          status = case when b.status = 'in_progress' and due.all_cancelled then 'cancelling'
                        when b.status = 'in_progress' and not b.expiring and not due.some_expired then 'finalizing' else b.status end,
          finalizing_at = case when b.status = 'in_progress' and not b.expiring and not due.some_expired and not due.all_cancelled then now() else b.finalizing_at end,
          expiring = b.expiring or (b.status = 'in_progress' and due.some_expired and not due.all_cancelled),
          cancelling_at = case when b.status = 'in_progress' and due.all_cancelled then now() else b.cancelling_at end,
          cancel_mode = case when b.status = 'in_progress' and due.all_cancelled then 'stop' else b.cancel_mode end
      from (
        select no, status, ${childEnds} from batches b
        where status in ('in_progress', 'finalizing', 'cancelling') and (leased_until is null or leased_until < now())
          and (status <> 'in_progress' or sealed) and ${nothingOpen}
        order by priority desc, tries, no limit 1 for update skip locked) due
      where b.no = due.no
      returning ${batchColumns}, b.token, due.status as was`);
    if (found !== null && found.was === 'in_progress' && found.status === 'finalizing') await record(tx, found, 'batch.finalizing');
    if (found !== null && found.was === 'in_progress' && found.status === 'cancelling')
      await record(tx, found, 'batch.cancelling', { mode: 'stop', reason: 'every batch of it was cancelled' });
    return found;
  });
  if (batch === null) return null;
  await using lease = holdLease(db, batch, leaseSeconds, signal);
  const ending: Ending = batch.status === 'cancelling' ? 'cancelled' : batch.expiring ? 'expired' : 'completed';
  try {
    const ended = await end(deps, batch, ending, lease);
    if (ended.result === 'lost' && signal.aborted) await letGo(db, batch);
    return { batch, ...ended };
  } catch (error) {
    if (error instanceof StorageFull) await letGo(db, batch, fullPause);
    throw error;
  }
};

/** Batches whose open chunks must still be closed, because they were cancelled or have expired: closes them. */
export const closeEnding = async (db: Db): Promise<number> => {
  const rows = await db.many<{ no: number; status: BatchStatus }>(sql`
    select no, status from batches b
    where status in ('in_progress', 'cancelling') and (status = 'cancelling' or expiring)
      and (exists (select from chunks c where c.batch_no = b.no and c.state = 'queued') or exists (select from waiting w where w.batch_no = b.no))`);
  for (const { no, status } of rows) await closeOpen(db, no, status === 'cancelling' ? 'cancelled' : 'expired');
  return rows.length;
};

/** Marks the batches whose deadline has passed: nothing of them starts any more, and what is done is kept. A parent has expired where a child has. */
export const expireDue = (db: Db, batchNo?: number): Promise<number> =>
  db.run(sql`
    update batches set expiring = true
    where status = 'in_progress' and kind <> 'parent' and sealed and not expiring and deadline <= now() ${batchNo === undefined ? none : sql`and no = ${batchNo}`}`);

const end = async (
  deps: FinalizeDeps,
  batch: BatchRow & { token: number },
  ending: Ending,
  lease: Held,
): Promise<{ result: Ending | 'lost'; bytes: number }> => {
  const { db, storage } = deps;
  if (!batch.sealed) return { result: await publish(db, batch, ending, nothing, null, null), bytes: 0 };
  const content = batch.kind === 'parent' ? await parentContent(deps, batch) : await batchContent(deps, batch);
  const { counts } = content;
  const total = counts.completed + counts.failed + counts.cancelled + counts.expired;
  if (total !== batch.total) throw new Error(`${batch.id} has ${batch.total} lines but ${total} results; it is left as it is`);
  const written: StoredFile[] = [];
  const discard = async (): Promise<void> => {
    for (const file of written) await storage.delete(file.key);
  };
  const keep = async (kind: 'output' | 'error'): Promise<StoredFile> => {
    const file = await createStored(storage, {
      tenant: batch.tenant_id,
      filename: `${batch.id}_${kind}.jsonl`,
      purpose: 'batch_output',
      bytes: content.bytes(kind),
      signal: lease.signal,
    });
    written.push(file);
    return file;
  };
  let output: StoredFile | null = null;
  let error: StoredFile | null = null;
  try {
    if (counts.completed > 0) output = await keep('output');
    if (total > counts.completed) error = await keep('error');
  } catch (failure) {
    await discard();
    if (lease.signal.aborted) return { result: 'lost', bytes: 0 };
    throw failure;
  }
  // Where this throws, the commit may have happened all the same: the files stay.
  const result = await publish(db, batch, ending, content, output, error);
  if (result === 'lost') await discard();
  return { result, bytes: (output?.bytes ?? 0) + (error?.bytes ?? 0) };
};

const nothing: Pick<Content, 'counts' | 'used'> = { counts: { completed: 0, failed: 0, cancelled: 0, expired: 0 }, used: chunksUsed };

const publish = (
  db: Db,
  batch: BatchRow & { token: number },
  ending: Ending,
  { counts, used }: Pick<Content, 'counts' | 'used'>,
  output: StoredFile | null,
  error: StoredFile | null,
): Promise<Ending | 'lost'> =>
  db.transaction(async (tx) => {
    const from: BatchStatus = ending === 'completed' ? 'finalizing' : ending === 'expired' ? 'in_progress' : 'cancelling';
    const owner = { tenant: batch.tenant_id, user: batch.created_by };
    const held = await tx.maybe(sql`select from batches where no = ${batch.no} and token = ${batch.token} and status = ${from} for update`);
    if (held === null) return 'lost';
    for (const file of [output, error])
      if (file !== null) await insertFile(tx, owner, file, { expiresSeconds: batch.output_seconds ?? defaultOutputSeconds });
    const { usage, hits } = await used(tx, batch);
    // Of a parent, what each of its batches did; of others, their chunks, beside the rows that were refused.
    const children = batch.kind === 'parent' ? sql`k.parent_no = ${batch.no}` : sql`false`;
    await tx.run(sql`
      update batch_models m
      set completed = s.completed, failed = s.failed + case when s.own then m.failed else 0 end, input_tokens = s.input_tokens, output_tokens = s.output_tokens
      from (select true as own, model, sum(completed) as completed, sum(failed) as failed, sum(input_tokens) as input_tokens, sum(output_tokens) as output_tokens
            from chunks where batch_no = ${batch.no} group by model
            union all
            select false, km.model, km.completed, km.failed, km.input_tokens, km.output_tokens from batch_models km join batches k on k.no = km.batch_no where ${children}) s
      where m.batch_no = ${batch.no} and m.model = s.model`);
    const now = (status: Ending) => (ending === status ? sql`now()` : sql`null`);
    await tx.run(sql`
      update batches
      set status = ${ending}, completed_at = ${now('completed')}, expired_at = ${now('expired')}, cancelled_at = ${now('cancelled')},
          completed = ${counts.completed}, failed = ${counts.failed}, cancelled = ${counts.cancelled}, expired = ${counts.expired},
          usage = ${JSON.stringify(usage)}::jsonb, hits = ${JSON.stringify(hits)}::jsonb, output_file_id = ${output?.id ?? null}, error_file_id = ${error?.id ?? null},
          token = null, leased_until = null, expiring = false, tries = 0
      where no = ${batch.no}`);
    // Its table is made after its end, by a chore that nothing waits for.
    if (batch.sealed && batch.endpoint === '/v1/predict') await tx.run(sql`insert into result_tables (batch_no) values (${batch.no})`);
    // Done chunks have served: what is left of them stands on the batch and in the segments.
    await tx.run(sql`delete from chunks where batch_no = ${batch.no} and state = 'done'`);
    await passMilestones(tx, batch, counts.completed + counts.failed);
    await record(tx, batch, `batch.${ending}`, { ...counts, total: batch.total });
    return ending;
  });

/** OpenAI keeps output files for 30 days after the batch has ended. */
const defaultOutputSeconds = 30 * 86_400;
