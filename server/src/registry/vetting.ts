import type { ModelPort, ModelReport } from '@sluice/contract';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import type { ModelFile } from '../models/models.ts';
import { announceModels } from './snapshot.ts';

/**
 * What whoever vets uploaded files needs of the registry. A version is leased to one worker, with a token that fences
 * late writes; where the lease runs out it goes back, and after three workers were lost it counts as refused: a file
 * that ends its vetter each time would otherwise do so for ever.
 */
export interface Vetting {
  no: number;
  token: number;
  tenant: string;
  name: string;
  version: string;
  executor: string;
  options: Record<string, unknown>;
  /** As declared at registration; null: nothing was. */
  schema: Record<string, unknown> | null;
  file: ModelFile;
  file_name: string | null;
}

export interface VettingResult {
  status: 'ready' | 'failed';
  /** Why it was refused; null where it was not. */
  reason: string | null;
  report: ModelReport;
  inputs: readonly ModelPort[] | null;
  outputs: readonly ModelPort[] | null;
  /** What the file says of itself, and what was measured. */
  metadata: Record<string, unknown> | null;
}

const mostLosses = 3;

/** Leases the version that has waited longest; null where none waits. */
export const takeForVetting = (db: Db, workerId: string, leaseSeconds: number): Promise<Vetting | null> =>
  db.maybe<Vetting>(sql`
    update model_versions v
    set status = 'validating', reason = null, status_at = now(), report = null, inputs = null, outputs = null, metadata = null,
        token = nextval('lease_token'), leased_until = now() + make_interval(secs => ${leaseSeconds}), vetted_by = ${workerId}
    from models m, model_files f
    where v.no = (select no from model_versions where status = 'uploaded' order by status_at, no limit 1 for update skip locked)
      and m.no = v.model_no and f.sha256 = v.file_sha256
    returning v.no, v.token, m.tenant_id as tenant, m.name, v.version, v.executor, v.options, v.schema, v.file_name,
      jsonb_build_object('key', f.storage_key, 'bytes', f.bytes, 'sha256', f.sha256) as file`);

type Held = Pick<Vetting, 'no' | 'token'>;

export const renewVetting = async (db: Db, { no, token }: Held, leaseSeconds: number): Promise<'held' | 'lost'> =>
  (await db.run(sql`
    update model_versions set leased_until = now() + make_interval(secs => ${leaseSeconds})
    where no = ${no} and token = ${token} and status = 'validating'`)) === 1
    ? 'held'
    : 'lost';

/** Gives a version back unvetted, without a loss: its worker stops. */
export const releaseVetting = async (db: Db, { no, token }: Held): Promise<'released' | 'lost'> =>
  (await db.run(sql`
    with v as (
      update model_versions set status = 'uploaded', status_at = now(), token = null, leased_until = null, vetted_by = null
      where no = ${no} and token = ${token} and status = 'validating' returning no)
    select pg_notify('sluice_models', '') from v`)) === 1
    ? 'released'
    : 'lost';

/** Writes down what vetting found. From then on a version that is `ready` is served, by every process. */
export const finishVetting = (db: Db, { no, token }: Held, result: VettingResult): Promise<'done' | 'lost'> => {
  const { status, report, inputs, outputs, metadata } = result;
  const reason = status === 'failed' ? (result.reason ?? 'Refused; the report says why.') : null;
  const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));
  return db.transaction(async (tx) => {
    const moved = await tx.run(sql`
      update model_versions
      set status = ${status}, reason = ${reason}, status_at = now(), ready_at = case when ${status} = 'ready' then now() end, losses = 0,
          token = null, leased_until = null, report = ${json(report)}::jsonb, inputs = ${json(inputs)}::jsonb, outputs = ${json(outputs)}::jsonb,
          metadata = ${json(metadata)}::jsonb
      where no = ${no} and token = ${token} and status = 'validating'`);
    if (moved === 0) return 'lost';
    if (status === 'ready') await announceModels(tx);
    return 'done';
  });
};

/** Takes back what workers held that are not heard of any more. Says how many. */
export const rescueVettings = (db: Db): Promise<number> =>
  db.run(sql`
    with v as (
      update model_versions
      set losses = losses + 1, token = null, leased_until = null, status_at = now(),
          status = case when losses + 1 < ${mostLosses} then 'uploaded' else 'failed' end,
          reason = case when losses + 1 < ${mostLosses} then null else ${`The worker that vetted it was lost ${mostLosses} times.`} end
      where status = 'validating' and leased_until < now()
      returning no)
    select pg_notify('sluice_models', '') from v`);
