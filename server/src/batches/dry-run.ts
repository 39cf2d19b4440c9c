import type { BatchError, CreateBatch, DryRun } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import type { Models } from '../models/models.ts';
import { modelKey } from '../models/models.ts';
import { shownKey } from '../models/keys.ts';
import { NotFound, type Storage } from '../storage/storage.ts';
import { checkSettings } from './create.ts';
import { notFeasible, type Admit } from './admission.ts';
import { liveWorkers, missingInput, rateOf } from './intake.ts';
import { InputScan } from './scan.ts';

interface DryRunDeps {
  /** Whether the deadline could be promised; absent: it is not asked. */
  admit?: Admit | undefined;
  db: Db;
  storage: Storage;
  models: Models;
  limits: { maxLines: number; maxLineBytes: number; maxErrors: number; openai: boolean };
}

/** The whole validation of a create, by the code that intake runs, and an estimate; nothing is created. */
export const dryRun = async (
  { db, storage, models, limits, admit }: DryRunDeps,
  identity: Identity,
  body: CreateBatch,
): Promise<DryRun> => {
  const { seconds } = checkSettings(body, limits.openai);
  const expiresAt = Math.floor(Date.now() / 1_000) + seconds;
  const nothing = {
    object: 'batch.dry_run' as const,
    lines: 0,
    bytes: 0,
    models: [],
    workers: await liveWorkers(db),
    estimated_seconds: null,
    admitted: null,
    expires_at: expiresAt,
  };
  const missing = missingInput(body.input_file_id, identity.tenant);
  const refused = { ...nothing, valid: false, errors: { object: 'list' as const, data: [missing], total: 1 } };
  const input = await db.maybe<{ storage_key: string }>(sql`
    select storage_key from files where id = ${body.input_file_id} and tenant_id = ${identity.tenant} and deleted_at is null and (expires_at is null or expires_at > now()) and purpose = 'batch'`);
  if (input === null) return refused;
  await models.refresh();
  const errors: BatchError[] = [];
  const scan = new InputScan({
    storage,
    inputKey: input.storage_key,
    endpoint: body.endpoint,
    models,
    tenant: identity.tenant,
    limits,
    onError: (error) => void (errors.length < limits.maxErrors && errors.push(error)),
  });
  try {
    for await (const _ of scan.index()) await new Promise((resolve) => setImmediate(resolve));
  } catch (error) {
    if (error instanceof NotFound) return refused;
    throw error;
  }
  const found = scan.models();
  const rates = await rateOf(
    db,
    found.map(({ model }) => model),
  );
  const estimates = found.map(({ model, count }) => ({ model: modelKey(model), lines: count, ...rates.get(modelKey(model))! }));
  const work = estimates.reduce((sum, { lines, rate }) => sum + lines / rate, 0);
  let admitted: boolean | null = null;
  if (scan.errors === 0 && admit !== undefined) {
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
      scan.errors++;
    }
  }
  return {
    ...nothing,
    admitted,
    valid: scan.errors === 0,
    errors: scan.errors === 0 ? null : { object: 'list', data: errors.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)), total: scan.errors },
    lines: scan.lines,
    bytes: scan.bytes,
    models: estimates.map(({ model, ...rest }) => ({ model: shownKey(model), ...rest })),
    estimated_seconds: nothing.workers === 0 ? null : work / nothing.workers,
  };
};
