import { hostname } from 'node:os';
import type { BatchError } from '@sluice/contract';
import { defaultDedup, modeOf, pays, type DedupSettings } from '../policy/dedup.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { countLines } from '../formats/lines.ts';
import { messageOf } from '../lib/errors.ts';
import { groupOf, modelKey, priorOf, type Models, type ModelSpec } from '../models/models.ts';
import { NotFound, StorageFull, type Storage } from '../storage/storage.ts';
import { announceComing, enqueue, refuse, type NewChunk } from '../requests/queue.ts';
import { newAdaptive, width, type Strategy } from '../policy/strategy.ts';
import { capOf, noQuotas, type Quotas } from '../policy/quotas.ts';
import { sayExceeded } from '../quotas/exceeded.ts';
import { exceededByQueueing } from '../quotas/quotas.ts';
import { holdVersions } from '../registry/hold.ts';
import { notFeasible, type Admit } from './admission.ts';
import { insertChild, shareOf } from './children.ts';
import { copyIn } from './copy-in.ts';
import { record } from './events.ts';
import { fullPause, holdLease, letGo, type Held } from './lease.ts';
import { namedBy } from './pinned.ts';
import { batchColumns, type BatchRow } from './rows.ts';
import { RepeatList } from './repeats.ts';
import { InputScan, type ModelLines } from './scan.ts';
import { chunkLines, chunkRoom, cutChunks, cutWithRepeats, withoutRepeats } from './sizing.ts';
import { endFailed, errorsOf, type AllErrors } from './end.ts';
import { dropInput, prepareInput, type Input, type TableDeps } from './table-input.ts';
import { clip } from './validate.ts';
import { keepChecked, type OnChecked } from './validation.ts';

/**
 * Intake turns an uploaded file into queued chunks, or into a failed batch that says why.
 *
 * Promise: nothing of a batch can be claimed before every line was checked, and then all of it can; the chunks, the
 * counts and the move to `in_progress` are one transaction. A crash before it leaves the batch `validating`, and the
 * next holder of its lease starts again; the index of the crashed try is under that try's token and never read.
 */
export interface IntakeDeps {
  db: Db;
  storage: Storage;
  models: Models;
  limits: { maxLines: number; maxLineBytes: number; maxErrors: number; openai: boolean };
  leaseSeconds: number;
  /** Whether the deadline can be promised; absent: it is not asked. */
  admit?: Admit;
  quotas?: Quotas;
  dedup?: DedupSettings;
  /** How tables are read. */
  tables?: TableDeps;
}

export type Intake = { batch: BatchRow; result: 'in_progress' | 'failed' | 'lost'; lines: number; bytes: number };

/** After so many tries that died half-way the batch fails, rather than take the scheduler down for ever. */
const maxTries = 5;

/** Takes in the next batch that waits for it, one that failed before behind those that did not; null where none does. */
export const intakeNext = async (deps: IntakeDeps, signal: AbortSignal): Promise<Intake | null> => {
  const { db, leaseSeconds } = deps;
  const batch = await db.maybe<BatchRow & { token: number }>(sql`
    update batches b
    set token = nextval('lease_token'), leased_until = now() + make_interval(secs => ${leaseSeconds}), tries = tries + 1,
      checked = null, to_check = null
    where no = (
      select no from batches
      where status = 'validating' and (leased_until is null or leased_until < now())
      order by priority desc, tries, no limit 1 for update skip locked)
    returning ${batchColumns}, b.token`);
  if (batch === null) return null;
  await using lease = holdLease(db, batch, leaseSeconds, signal);
  try {
    const intake = await takeIn(deps, batch, lease);
    if (intake.result === 'lost' && signal.aborted) await letGo(db, batch);
    return intake;
  } catch (error) {
    if (error instanceof StorageFull || (error instanceof Error && error.cause instanceof StorageFull)) await letGo(db, batch, fullPause);
    throw error;
  }
};

const takeIn = async (deps: IntakeDeps, batch: BatchRow & { token: number }, lease: Held): Promise<Intake> => {
  const { storage, models } = deps;
  const fail = async (errors: BatchError[], scan?: Pick<InputScan, 'lines' | 'bytes'>, all?: AllErrors): Promise<Intake> => ({
    batch,
    result: await endFailed(deps, batch, errors, all),
    lines: scan?.lines ?? 0,
    bytes: scan?.bytes ?? 0,
  });
  if (batch.tries > maxTries)
    return fail([
      {
        code: 'server_error',
        message: `The file could not be read in ${maxTries} tries; the server's log says why.`,
        param: null,
        line: null,
      },
    ]);
  // A model that another process registered a moment ago is there for its first batch.
  await models.refresh();
  const several = severalOf(models, batch);
  if (several !== null && 'code' in several) return fail([several]);
  if (batch.input_key === null && batch.source?.url !== undefined) {
    const copied = await copyIn(deps, batch, { signal: lease.signal, last: batch.tries === maxTries });
    if (copied === 'lost') return { batch, result: 'lost', lines: 0, bytes: 0 };
    if ('error' in copied) return fail([copied.error]);
    [batch.input_key, batch.input_bytes] = [copied.key, copied.bytes];
  }
  if (batch.input_key === null) return fail([missingInput(batch.input_file_id, batch.tenant_id)]);
  const { model } = namedBy(batch);
  const named = several ?? [model === undefined ? null : models.find(model, batch.tenant_id)].filter((spec) => spec !== null);
  const onChecked = keepChecked(deps.db, batch);
  const here = await onlyHere(deps.db);
  if (here) void announceComing(deps.db, named.map(modelKey));
  const prepared = await prepareInput(deps, batch, batch.input_key, { models: named, here, onChecked }, lease.signal);
  if (prepared === 'lost') return { batch, result: 'lost', lines: 0, bytes: 0 };
  if (prepared === 'missing') return fail([missingInput(batch.input_file_id, batch.tenant_id)]);
  if ('errors' in prepared) return fail(prepared.errors, undefined, prepared.all);
  const intake = await scanInput(deps, batch, { ...prepared, several, onChecked }, lease, fail);
  // What was made of a table is of use to a batch that runs, and to no other.
  if (intake.result !== 'in_progress') await dropInput(storage, prepared);
  return intake;
};

const scanInput = async (
  deps: IntakeDeps,
  batch: BatchRow & { token: number },
  { several, onChecked, ...input }: Input & { several: ModelSpec[] | null; onChecked: OnChecked },
  lease: Held,
  fail: (errors: BatchError[], scan?: InputScan, all?: AllErrors) => Promise<Intake>,
): Promise<Intake> => {
  const { storage, models, limits } = deps;
  const dedup = modeOf(batch.options, deps.dedup ?? defaultDedup);
  const errors: BatchError[] = [];
  const scan = new InputScan({
    storage,
    inputKey: input.key,
    inputBytes: input.bytes,
    refused: (line) => input.refused.has(line),
    endpoint: batch.endpoint,
    models,
    tenant: batch.tenant_id,
    ...namedBy(batch),
    limits,
    ...(batch.options.strategy !== 'sequential' && { byPrefix: several === null ? sharesPrefixes : () => several.some(sharesPrefixes) }),
    ...(dedup !== 'off' && { repeats: { sampled: batch.options.dedup_sampled === true } }),
    onBlock: (lines) => onChecked(lines, input.source?.rows ?? null),
    onError: (error) => void (errors.length < limits.maxErrors && errors.push(error)),
  });
  const indexKey = `${batch.tenant_id}/${batch.id}/index.${batch.token}`;
  try {
    await storage.put(indexKey, watched(scan.index(), lease.signal), { signal: lease.signal });
  } catch (error) {
    if (lease.signal.aborted) return { batch, result: 'lost', lines: scan.lines, bytes: scan.bytes };
    if (error instanceof NotFound && error.key === input.key) return fail([missingInput(batch.input_file_id, batch.tenant_id)]);
    throw new Error(`intake of ${batch.id} stopped at line ${scan.lines}: ${messageOf(error)}`, { cause: error });
  }
  if (scan.errors > 0) {
    await storage.delete(indexKey);
    return fail(errors, scan, errorsOf(deps, batch, { inputKey: input.key, ...namedBy(batch) }, scan));
  }
  const wide = widthOf(batch);
  const work = workOf(scan, several);
  const candidate = {
    batch: batch.id,
    deadline: batch.deadline,
    // That it begins with few is nothing to plan with.
    width: batch.options.strategy === 'adaptive' ? (batch.options.max_concurrent ?? null) : wide,
    models: work.map(({ model, count }) => ({ model: modelKey(model), count })),
  };
  const { admitted, refused } = (await deps.admit?.(deps.db, candidate)) ?? { admitted: true, refused: null };
  if (refused !== null) {
    await storage.delete(indexKey);
    return fail([notFeasible(refused)], scan);
  }
  const cap = capOf(deps.quotas ?? noQuotas, batch.tenant_id);
  const result = await publish(deps, batch, scan, { work, indexKey, input, width: wide, cap, admitted });
  if (typeof result === 'object') {
    await storage.delete(indexKey);
    return fail([result], scan);
  }
  if (result === 'lost') await storage.delete(indexKey);
  return { batch, result, lines: scan.lines, bytes: scan.bytes };
};

/** The models of a parent; null: it is none. */
const severalOf = (models: Models, { kind, options, tenant_id }: BatchRow): ModelSpec[] | null | BatchError => {
  if (kind !== 'parent') return null;
  const found: ModelSpec[] = [];
  for (const { model } of options.models ?? []) {
    const spec = models.find(model, tenant_id);
    if (spec === null) return goneModel(model);
    found.push(spec);
  }
  return found;
};

const goneModel = (model: string): BatchError => ({
  code: 'model_not_found',
  message: `The model '${model}' was deleted, or is not ready any more.`,
  param: 'models',
  line: null,
});

/** What each model is to do: of a parent, each of them everything. */
export const workOf = (scan: InputScan, several: readonly ModelSpec[] | null): ModelLines[] => {
  const found = scan.models();
  if (several === null) return found;
  // Where no line is to be run, each model has none to run, and is there all the same.
  const [lines = { lines: [], count: 0, repeats: new RepeatList(), order: null }] = found;
  return several.map((model) => ({ ...lines, model, order: sharesPrefixes(model) ? lines.order : null }));
};

/** OpenAI's words: clients that match on them know no tenant. */
export const missingInput = (fileId: string, tenant: string): BatchError => ({
  code: 'invalid_request',
  message: `Cannot find file ${clip(fileId)}, or organization ${tenant} does not have access to it.`,
  param: 'file_id',
  line: null,
});

/**
 * Requests of the batch that may be in flight, to begin with. Without a strategy of its own a batch is as wide as the
 * workers make it, until its requests fail for it (decision 0006).
 */
const widthOf = ({ options }: BatchRow): number | null =>
  width({
    strategy: (options.strategy ?? 'adaptive') as Strategy,
    maxConcurrent: options.max_concurrent ?? null,
    // What fits into a worker it knows itself.
    request: null,
    workers: [],
    adaptive: options.strategy === 'adaptive' ? newAdaptive : null,
  });

/** Stops between two blocks when the lease is lost. */
async function* watched(index: AsyncIterable<Buffer>, signal: AbortSignal): AsyncGenerator<Buffer> {
  for await (const block of index) {
    signal.throwIfAborted();
    yield block;
  }
}

/** Requests a second of one worker: as measured, else the executor's prior. */
export const rateOf = async (db: Db, models: readonly ModelSpec[]): Promise<Map<string, { rate: number; measured: boolean }>> => {
  const rows = await db.many<{ model: string; rate: number }>(
    sql`select model, rate from model_rates where model = any(${models.map(modelKey)})`,
  );
  const measured = new Map(rows.map((row) => [row.model, row.rate]));
  return new Map(
    models.map((model) => {
      const rate = measured.get(modelKey(model));
      return [modelKey(model), { rate: rate ?? priorOf(model), measured: rate !== undefined }];
    }),
  );
};

/** Whether all workers are on this host, so that what is done for them ahead is not done for another. */
const onlyHere = async (db: Db): Promise<boolean> =>
  (
    await db.one<{ here: boolean | null }>(
      sql`select bool_and(host = ${hostname()}) as here from workers where state = 'ready' and seen_at > now() - interval '60 seconds'`,
    )
  ).here === true;

export const liveWorkers = async (db: Db): Promise<number> =>
  (
    await db.one<{ count: number }>(
      sql`select count(*) as count from workers where state = 'ready' and seen_at > now() - interval '60 seconds'`,
    )
  ).count;

const planChunks = async (
  { db, dedup = defaultDedup }: IntakeDeps,
  { options }: BatchRow,
  scan: InputScan,
  found: readonly ModelLines[],
  widest: number | null,
): Promise<NewChunk[]> => {
  const rates = await rateOf(
    db,
    found.map(({ model }) => model),
  );
  const workers = await liveWorkers(db);
  const lineBytes = scan.bytes / scan.lines;
  return found.flatMap(({ model, lines, count, repeats, order }) => {
    if (count === 0) return [];
    const key = modelKey(model);
    const { rate } = rates.get(key)!;
    const runs = count - repeats.count;
    // A group is one process: it counts as wide as it is, but is not cut up for it.
    const group = Math.min(groupOf(model), options.max_concurrent ?? Infinity, Math.ceil(runs / Math.max(1, workers)));
    const size = Math.max(group, Math.min(chunkLines({ rate, lines: runs, workers, lineBytes }), widest ?? Infinity));
    const together =
      repeats.count > 0 && options.strategy !== 'sequential' && pays(model.executor, rate, options.dedup !== undefined, dedup);
    const sorted = order === null || order.asInFile ? null : order;
    if (!together && sorted === null) return cutChunks(key, lines, size);
    const room = chunkRoom(size, lineBytes);
    const chunks = cutWithRepeats(key, sorted ?? withoutRepeats(lines, repeats), repeats, {
      ...room,
      lines: Math.min(room.lines, widest ?? Infinity),
    });
    // Two requests of different models may have one hash: then a line would have been taken to follow one that is not here.
    return countOf(chunks) === count ? chunks : cutChunks(key, lines, size);
  });
};

/** What serves language models keeps the beginnings of prompts it has read; `echo` and the others read nothing twice. */
const sharesPrefixes = ({ executor }: ModelSpec): boolean => executor === 'openai';

const countOf = (chunks: readonly NewChunk[]): number => chunks.reduce((sum, { lines }) => sum + countLines(lines), 0);

/** Where a batch's work is given to begin with. */
const givenFirst = sql`(
  select jsonb_build_array(jsonb_build_object('at', extract(epoch from now()), 'pool', coalesce(options ->> 'pool', case when spot then 'spot' else 'dedicated' end),
    'reason', case when options ->> 'pool' is not null then 'it asked for this pool' when spot then 'spot workers do what need not be done at once' else 'there are no spot pools' end))
  from (select exists (select from pools where preemptible) as spot) known)`;

interface Planned {
  work: ModelLines[];
  input: Input;
  indexKey: string;
  width: number | null;
  cap: number | null;
  admitted: boolean;
}

/** The lines of a chunk at most, where only so much may be in flight: a chunk is in flight as a whole. */
const widestOf = (cap: number | null, most: number | null): number | null => {
  // An eighth of what may be in flight goes to several workers, and the last request of one does not hold up the others.
  const widest = Math.min(cap ?? Infinity, most === null ? Infinity : Math.ceil(most / 8));
  return widest === Infinity ? null : widest;
};

const publish = async (
  deps: IntakeDeps,
  batch: BatchRow & { token: number },
  scan: InputScan,
  { work, indexKey, input, width: wide, cap, admitted }: Planned,
): Promise<'in_progress' | 'lost' | BatchError> => {
  const most = batch.options.max_concurrent;
  const parent = batch.kind === 'parent';
  const shares = work.map((_, i) => (parent ? shareOf(most, work.length, i) : (most ?? null)));
  const plans = parent
    ? await Promise.all(work.map((each, i) => planChunks(deps, batch, scan, [each], widestOf(cap, shares[i]!))))
    : [await planChunks(deps, batch, scan, work, widestOf(cap, most ?? null))];
  const refusedModel = input.refused.size === 0 || parent ? null : deps.models.find(batch.options.model!, batch.tenant_id);
  // Rows that are refused are requests of the model that would have run them, which failed; where all are, it has no others.
  const asked = refusedModel === null || work.length > 0 ? work : [{ model: refusedModel, count: 0 }];
  return deps.db.transaction(async (tx) => {
    const owner = { tenant: batch.tenant_id, user: batch.created_by };
    const requests = parent ? scan.lines * work.length : scan.lines;
    const exceeded = await exceededByQueueing(tx, deps.quotas ?? noQuotas, owner, requests);
    if (exceeded !== null) return { code: 'quota_exceeded', message: sayExceeded(exceeded, requests), param: null, line: null };
    const gone = await holdVersions(
      tx,
      work.map(({ model }) => model),
    );
    if (gone !== null)
      return { code: 'model_not_found', message: `The model '${gone.name}@${gone.version}' was deleted.`, param: 'body.model', line: null };
    const moved = await tx.maybe<{ deadline: Date; priority: number }>(sql`
      update batches
      set status = 'in_progress', in_progress_at = now(), sealed = true, total = ${scan.lines}, index_key = ${indexKey}, tries = 0,
          input_key = ${input.key}, rows_key = ${input.rowsKey}, source = coalesce(${input.source === null ? null : JSON.stringify(input.source)}::jsonb, source), refused = ${input.refused.size},
          input_bytes = ${scan.bytes}, width = ${parent ? null : wide}, cap = ${parent ? null : cap}, admitted = ${admitted},
          model = ${asked.length === 1 ? modelKey(asked[0]!.model) : null}, token = null, leased_until = null, pool_history = ${givenFirst}
      where no = ${batch.no} and token = ${batch.token} and status = 'validating'
      returning deadline, priority`);
    if (moved === null) return 'lost';
    if (!parent) await enqueue(tx, { no: batch.no, ...moved }, plans[0]!);
    await tx.run(sql`
      insert into batch_models (batch_no, model, total, failed)
      select ${batch.no}, m.model, m.total + ${input.refused.size}, ${input.refused.size}
      from unnest(${asked.map(({ model }) => modelKey(model))}::text[], ${asked.map(({ count }) => count)}::bigint[]) m (model, total)`);
    if (refusedModel !== null) await refuse(tx, batch.no, modelKey(refusedModel), input.refused);
    await record(tx, batch, 'batch.in_progress', { total: scan.lines });
    if (parent)
      for (const [i, { model, count }] of work.entries()) {
        const share = shares[i]!;
        const options = { ...batch.options, ...(share !== null && { max_concurrent: share }) };
        const child = await insertChild(tx, batch, { model, count, maxConcurrent: share, width: widthOf({ ...batch, options }), cap });
        await refuse(tx, child.no, modelKey(model), input.refused);
        await enqueue(tx, child, plans[i]!);
      }
    return 'in_progress' as const;
  });
};
