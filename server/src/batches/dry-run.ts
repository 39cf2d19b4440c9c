import type { BatchError, CreateBatch, DryRun, Endpoint } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { newBatchId } from '../lib/ids.ts';
import type { Models, ModelSpec } from '../models/models.ts';
import { modelKey } from '../models/models.ts';
import { shownKey } from '../models/keys.ts';
import { openMemory } from '../storage/memory.ts';
import { NotFound, TooLarge, type Storage } from '../storage/storage.ts';
import { convert, faultOf, type Source } from '../tables/convert.ts';
import { SourceError } from '../tables/facts.ts';
import { filenameOf } from '../tables/sources.ts';
import type { Compression } from '../tables/recognise.ts';
import { defaultUnpack, unpack } from '../tables/unpack.ts';
import { bytesOf, sourceError } from './copy-in.ts';
import { checkSettings } from './create.ts';
import { notFeasible, type Admit } from './admission.ts';
import { liveWorkers, missingInput, rateOf } from './intake.ts';
import { isParent, type Pinned } from './pinned.ts';
import { InputScan } from './scan.ts';
import { convertDeps, factsOf, firstProblems, inputKind, limitsOf, needsOf, problemOf, unanswered, type TableDeps } from './table-input.ts';

export interface DryRunDeps {
  /** Whether the deadline could be promised; absent: it is not asked. */
  admit?: Admit | undefined;
  db: Db;
  storage: Storage;
  models: Models;
  tables?: TableDeps | undefined;
  limits: { maxLines: number; maxLineBytes: number; maxErrors: number; openai: boolean };
}

/** What a dry run found, however the input was written. */
interface Found {
  lines: number;
  bytes: number;
  models: { model: ModelSpec; count: number }[];
  errors: BatchError[];
  /** How many errors there are: `errors` has the first of them. */
  count: number;
  table: DryRun['table'];
}

/** A create made whole; `model` answers lines that name none, `several` where others do too; `named` are all of them. */
type Asked = CreateBatch & { endpoint: Endpoint; several: boolean; named: readonly ModelSpec[] };

/** The whole validation of a create, by the code that intake runs, and an estimate; nothing is created. */
export const dryRun = async (
  deps: DryRunDeps,
  identity: Identity,
  { body, pinned }: { body: CreateBatch & { endpoint: Endpoint }; pinned: Pinned },
): Promise<DryRun> => {
  const { db, models, limits, admit } = deps;
  const { seconds } = checkSettings(body, limits.openai, pinned);
  const expiresAt = Math.floor(Date.now() / 1_000) + seconds;
  await models.refresh();
  const named = pinned.models.map(({ model }) => models.get(model, identity.tenant));
  const found = await look(deps, identity, { ...body, model: pinned.models[0]?.model ?? null, several: isParent(pinned), named });
  if (isParent(pinned)) {
    const count = found.models.reduce((sum, each) => sum + each.count, 0);
    found.models = named.map((model) => ({ model, count }));
  }
  const { errors } = found;
  const rates = await rateOf(
    db,
    found.models.map(({ model }) => model),
  );
  const workers = await liveWorkers(db);
  const estimates = found.models.map(({ model, count }) => ({ model: modelKey(model), lines: count, ...rates.get(modelKey(model))! }));
  const work = estimates.reduce((sum, { lines, rate }) => sum + lines / rate, 0);
  let admitted: boolean | null = null;
  if (found.count === 0 && admit !== undefined) {
    const candidate = {
      batch: '',
      deadline: expiresAt,
      width: body.strategy === 'sequential' ? 1 : (body.max_concurrent ?? null),
      models: estimates.map(({ model, lines }) => ({ model, count: lines })),
    };
    const { refused: no, ...verdict } = await admit(db, candidate);
    admitted = verdict.admitted;
    if (no !== null) {
      errors.push(notFeasible(no));
      found.count++;
    }
  }
  // Rows that are skipped are wrong, and the batch is fine.
  const valid = found.count === 0 || (found.table !== null && body.invalid !== 'refuse' && found.count === found.table.refused);
  return {
    object: 'batch.dry_run',
    expires_at: expiresAt,
    admitted,
    valid,
    errors: found.count === 0 ? null : { object: 'list', data: errors.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)), total: found.count },
    lines: found.lines,
    bytes: found.bytes,
    models: estimates.map(({ model, ...rest }) => ({ model: shownKey(model), ...rest })),
    workers,
    table: found.table,
    estimated_seconds: workers === 0 || found.lines === 0 ? null : work / workers,
  };
};

const wrong = (error: BatchError): Found => ({ lines: 0, bytes: 0, models: [], errors: [error], count: 1, table: null });

const look = async (deps: DryRunDeps, identity: Identity, body: Asked): Promise<Found> => {
  if (body.rows !== undefined) {
    const storage = openMemory();
    const { bytes } = await storage.put(
      'rows',
      body.rows.map((row) => Buffer.from(`${JSON.stringify(row)}\n`)),
    );
    return lookAtTable({ ...deps, storage }, identity, body, { key: 'rows', bytes, format: 'jsonl', compression: null });
  }
  if (body.source !== undefined) return lookAtSource(deps, identity, body, body.source.url);
  const id = body.input_file_id!;
  const missing = wrong(missingInput(id, identity.tenant));
  const input = await deps.db.maybe<{ storage_key: string; bytes: number; filename: string }>(sql`
    select storage_key, bytes, filename from files
    where id = ${id} and tenant_id = ${identity.tenant} and deleted_at is null and (expires_at is null or expires_at > now()) and purpose = 'batch'`);
  if (input === null) return missing;
  try {
    return await lookAtFile(deps, identity, body, { key: input.storage_key, ...input });
  } catch (error) {
    if (error instanceof NotFound) return missing;
    throw error;
  }
};

interface Stored {
  key: string;
  bytes: number;
  filename: string;
}

const lookAtFile = async (deps: DryRunDeps, identity: Identity, body: Asked, { key, bytes, filename }: Stored): Promise<Found> => {
  try {
    const { format, compression } = await inputKind(deps, key, { filename, model: typeof body.model === 'string' });
    if (format !== 'requests') return await lookAtTable(deps, identity, body, { key, bytes, format, compression });
    if (compression === null) return await lookAtLines(deps, identity, body, key);
    return await lookAtPacked(deps, identity, body, key, compression);
  } catch (error) {
    const fault = faultOf(error);
    if (fault === null) throw error;
    return wrong(problemOf(fault));
  }
};

/** What a URL leads to is copied in for as long as it is looked at. */
const lookAtSource = async (deps: DryRunDeps, identity: Identity, body: Asked, url: string): Promise<Found> => {
  const key = `${identity.tenant}/dry-run/${newBatchId()}`;
  const { ms, bytes: limit } = limitsOf(deps);
  try {
    const { bytes } = await deps.storage.put(key, bytesOf(deps, url, AbortSignal.timeout(ms)), { limit });
    return await lookAtFile(deps, identity, body, { key, bytes, filename: filenameOf(url) });
  } catch (error) {
    if (error instanceof TooLarge) return wrong(sourceError(`The source has more than ${limit.toLocaleString('en')} bytes.`));
    if (error instanceof SourceError) return wrong(sourceError(error.message));
    throw error;
  } finally {
    await deps.storage.delete(key);
  }
};

const lookAtPacked = async (deps: DryRunDeps, identity: Identity, body: Asked, key: string, compression: Compression): Promise<Found> => {
  const { storage } = deps;
  const unpacked = `${identity.tenant}/dry-run/${newBatchId()}`;
  try {
    const { bytes: maxBytes } = limitsOf(deps);
    await storage.put(unpacked, unpack(await storage.stream(key), compression, { ...defaultUnpack, maxBytes }));
    return await lookAtLines(deps, identity, body, unpacked);
  } finally {
    await storage.delete(unpacked);
  }
};

const lookAtLines = async ({ storage, models, limits }: DryRunDeps, identity: Identity, body: Asked, inputKey: string): Promise<Found> => {
  const errors: BatchError[] = [];
  const scan = new InputScan({
    storage,
    inputKey,
    endpoint: body.endpoint,
    models,
    tenant: identity.tenant,
    limits,
    ...(typeof body.model === 'string' && { model: body.model }),
    several: body.several,
    onError: (error) => void (errors.length < limits.maxErrors && errors.push(error)),
  });
  for await (const _ of scan.index()) await new Promise((resolve) => setImmediate(resolve));
  return { lines: scan.lines, bytes: scan.bytes, models: scan.models(), errors, count: scan.errors, table: null };
};

const lookAtTable = async (deps: DryRunDeps, { tenant }: Identity, body: Asked, source: Source): Promise<Found> => {
  if (typeof body.model !== 'string') return wrong(unanswered(source.format));
  const model = await deps.models.resolve(body.model, tenant);
  const { limits } = deps;
  const asked = { columns: body.columns ?? undefined, url: body.endpoint, needs: needsOf(body.named) };
  try {
    return await convert(convertDeps(deps), source, asked, AbortSignal.timeout(limitsOf(deps).ms), async (converted) => {
      const { look: seen, refused } = converted;
      const { columns = {}, carried: _, ...facts } = factsOf(source, converted);
      return {
        lines: seen.rows,
        bytes: converted.requests.bytes,
        models: [{ model, count: seen.rows - refused }],
        errors: await firstProblems(converted, limits.maxErrors),
        count: refused,
        table: {
          format: source.format,
          compression: source.compression,
          rows: seen.rows,
          refused,
          duplicates: facts.duplicates ?? 0,
          flags: facts.flags ?? {},
          columns,
          types: Object.fromEntries(seen.columns.map(({ name, type }) => [name, type])),
          first: seen.first,
        },
      };
    });
  } catch (error) {
    const fault = faultOf(error);
    if (fault === null) throw error;
    return wrong(problemOf(fault));
  }
};
