import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { digestOf } from '../models/digest.ts';
import {
  executorEndpoints,
  type ExecutorName,
  type ModelFile,
  type OutputColumns,
  type Registered,
  type Source,
} from '../models/models.ts';

interface VersionRow {
  no: number;
  tenant: string;
  name: string;
  version: string;
  executor: string;
  options: Record<string, unknown>;
  ready: boolean;
  file: ModelFile | null;
  columns: OutputColumns | null;
}

const isExecutor = (name: string): name is ExecutorName => Object.hasOwn(executorEndpoints, name);

/** Versions that are ready, and archived ones: those take nothing new, and finish what was accepted for them. */
const readVersions = (db: Db): Promise<VersionRow[]> =>
  db.many<VersionRow>(sql`
    select v.no, m.tenant_id as tenant, m.name, v.version, v.executor, v.options, v.status = 'ready' as ready, v.output_columns as columns,
      case when f.sha256 is not null then jsonb_build_object('key', f.storage_key, 'bytes', f.bytes, 'sha256', f.sha256) end as file
    from model_versions v join models m on m.no = v.model_no left join model_files f on f.sha256 = v.file_sha256
    where v.status in ('ready', 'archived') and v.ready_at is not null and (v.status = 'ready' or v.status_at > now() - interval '1 day' or exists (
      select from batch_models bm join batches b on b.no = bm.batch_no
      where bm.model = m.tenant_id || ':' || m.name || '@' || v.version and b.status in ('validating', 'in_progress', 'finalizing', 'cancelling'))
      or exists (select from jobs j where j.model = m.tenant_id || ':' || m.name || '@' || v.version and j.state in ('queued', 'running', 'waiting')))
    order by v.no`);

/** What is registered, for a process's snapshot; one short statement where nothing has changed. */
export const registrySource =
  (db: Db): Source =>
  async (known) => {
    // Read first: what is written meanwhile makes the number old, and is read again, never missed.
    const { revision } = await db.one<{ revision: number }>(sql`select revision from model_revision`);
    if (revision === known) return null;
    const rows = await readVersions(db);
    const aliases = await db.many<Registered['aliases'][number]>(sql`
      select m.tenant_id as tenant, m.name, a.alias, v.version
      from model_aliases a join models m on m.no = a.model_no join model_versions v on v.no = a.version_no`);
    const versions = [];
    for (const { ready, file, executor, columns, ...row } of rows) {
      // A newer Sluice beside this one may have executors that this one has not.
      if (!isExecutor(executor)) continue;
      const model = { ...row, executor, ...(file && { file }), ...(columns && { outputColumns: columns }) };
      // Of the file's bytes, not of where they will lie on some machine.
      versions.push({ ready, model: { ...model, digest: await digestOf(model) } });
    }
    return { revision, aliases, versions };
  };

/** To be called in the transaction of every change of what is served, last in it: others wait for the row. */
export const announceModels = (tx: Db): Promise<number> =>
  tx.run(sql`with raised as (update model_revision set revision = revision + 1 returning revision)
    select pg_notify('sluice_models', '') from raised`);
