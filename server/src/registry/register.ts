import type { CreateModel, DeletedModel, UpdateModel } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { sql, type Statement } from '../db/sql.ts';
import { ApiError } from '../lib/errors.ts';
import { modelKey, type Models } from '../models/models.ts';
import { nameProblem, type Reference } from '../models/names.ts';
import { isVersion } from '../models/versions.ts';
import type { Storage } from '../storage/storage.ts';
import { dropFile } from './files.ts';
import { registeredOf, shownReference } from './read.ts';
import type { VersionRow } from './rows.ts';
import { checkJson, checkOptions, executorFor, takesFile, type ExecutorRules } from './rules.ts';
import { announceModels } from './snapshot.ts';
import { movesTo } from './state.ts';
import type { Upstreams } from './upstreams.ts';

export interface RegisterDeps {
  db: Db;
  models: Models;
  storage: Storage;
  rules: ExecutorRules;
  upstreams: Upstreams;
}

const json = (value: unknown): string | null => (value === null || value === undefined ? null : JSON.stringify(value));
/** As PostgreSQL takes it: no NUL, no half of a pair. */
const plain = (text: string): string => text.replaceAll('\0', '\ufffd').toWellFormed();

const checkName = (name: string, version: string): void => {
  const problem = nameProblem(name);
  if (problem !== null) throw new ApiError('invalid_value', `The model's name ${problem}`, { param: 'name' });
  if (!isVersion(version))
    throw new ApiError(
      'invalid_value',
      `Invalid value: '${version.slice(0, 100)}'. A version is semantic, such as '1.10.0' or '2.0.0-rc.1'.`,
      {
        param: 'version',
      },
    );
};

/** Registers a version: one that needs a file waits for it, one that is served elsewhere is ready at once. */
export const createModel = async (deps: RegisterDeps, identity: Identity, body: CreateModel): Promise<Reference> => {
  const { name, version = '1.0.0', options = {} } = body;
  checkName(name, version);
  const executor = executorFor(identity, body.executor ?? 'onnx');
  await checkOptions(identity, executor, options, deps.rules, deps.upstreams);
  checkJson(body.schema, 'schema');
  checkJson(body.output_columns, 'output_columns');
  if (deps.models.declared().some((model) => model.name === name))
    throw new ApiError('conflict', `The model '${name}' is declared in the configuration of the server; choose another name.`, {
      param: 'name',
    });
  const status = takesFile(executor) ? 'pending' : 'ready';
  await deps.db.transaction(async (tx) => {
    const { no } = await tx.one<{ no: number }>(sql`
      insert into models (tenant_id, name, created_by) values (${identity.tenant}, ${name}, ${identity.user})
      on conflict (tenant_id, name) do update set name = excluded.name returning no`);
    const made = await tx.run(sql`
      insert into model_versions (model_no, version, executor, options, schema, output_columns, tags, card, status, ready_at, created_by)
      values (${no}, ${version}, ${executor}, ${JSON.stringify(options)}::jsonb, ${json(body.schema)}::jsonb,
        ${json(body.output_columns)}::jsonb, ${(body.tags ?? []).map(plain)}::text[],
        ${typeof body.card === 'string' ? plain(body.card) : null}, ${status}, case when ${status} = 'ready' then now() end, ${identity.user})
      on conflict (model_no, version) do nothing`);
    if (made === 0)
      throw new ApiError('conflict', `'${name}@${version}' is registered already; a version is never another one. Choose a new version.`, {
        param: 'version',
      });
    if (status === 'ready') await announceModels(tx);
  });
  return { name, version };
};

/**
 * Changes what is said of a version: tags, card and columns of outputs at any time, options and schema until it is ready. What vetting
 * refused is vetted again with other options.
 */
export const updateModel = async (deps: RegisterDeps, identity: Identity, reference: Reference, body: UpdateModel): Promise<Reference> => {
  const { row } = await registeredOf(deps, identity, reference);
  const { options, schema, tags, card, output_columns: columns } = body;
  checkJson(schema, 'schema');
  checkJson(columns, 'output_columns');
  if (options !== undefined) await checkOptions(identity, executorFor(identity, row.executor), options, deps.rules, deps.upstreams);
  const deep = options !== undefined || schema !== undefined;
  const changed = await deps.db.run(sql`
    update model_versions set
      tags = coalesce(${tags?.map(plain) ?? null}::text[], tags),
      card = case when ${card !== undefined} then ${typeof card === 'string' ? plain(card) : null} else card end,
      output_columns = case when ${columns !== undefined} then ${json(columns)}::jsonb else output_columns end,
      options = coalesce(${json(options)}::jsonb, options),
      schema = case when ${schema !== undefined} then ${json(schema)}::jsonb else schema end,
      status = case when ${options !== undefined} and status = 'failed' then 'uploaded' else status end,
      reason = case when ${options !== undefined} and status = 'failed' then null else reason end,
      status_at = case when ${options !== undefined} and status = 'failed' then now() else status_at end,
      losses = case when ${options !== undefined} then 0 else losses end
    where no = ${row.no} and (not ${deep} or (ready_at is null and status <> 'validating'))`);
  if (changed === 0)
    throw new ApiError(
      'conflict',
      row.status === 'validating'
        ? `'${row.name}@${row.version}' is being vetted just now; change its options and schema when that has ended.`
        : `'${row.name}@${row.version}' was ready, and its options and schema never change again; register a new version.`,
    );
  // What every process holds of the versions is read anew.
  if (columns !== undefined) await announceModels(deps.db);
  else if (options !== undefined) await wake(deps.db);
  return { name: row.name, version: row.version };
};

/** Tells workers that a file waits to be vetted. */
export const wake = (db: Db): Promise<number> => db.run(sql`select pg_notify('sluice_models', '')`);

const aliased = (row: VersionRow): ApiError =>
  new ApiError('conflict', `The alias '${row.aliases[0]}' means '${row.name}@${row.version}'; move it to another version first.`);

/** Takes a version out of service, or all of a model's that are ready; asking twice changes nothing. */
export const archiveModel = async (deps: RegisterDeps, identity: Identity, reference: Reference): Promise<void> => {
  const { row, siblings } = await registeredOf(deps, identity, reference);
  const whole = reference.version === undefined && reference.alias === undefined;
  if (!whole && row.aliases.length > 0) throw aliased(row);
  const wanted = whole ? siblings : [row];
  if (wanted.every(({ status }) => status === 'archived')) return;
  const moved = await move(
    deps.db,
    wanted,
    'archived',
    sql`and (${whole} or not exists (select from model_aliases a where a.version_no = v.no))`,
  );
  if (moved === 0)
    throw new ApiError(
      'conflict',
      `Only what is ready can be archived: '${shownReference(reference)}' is '${row.status}'.${row.status === 'failed' || row.status === 'pending' ? ' Delete it instead.' : ''}`,
    );
};

/** Puts an archived version back into service. */
export const restoreModel = async (deps: RegisterDeps, identity: Identity, reference: Reference): Promise<void> => {
  const { row } = await registeredOf(deps, identity, reference);
  if (row.status === 'ready') return;
  if ((await move(deps.db, [row], 'ready', sql``)) === 0)
    throw new ApiError('conflict', `Only an archived version can be restored: '${row.name}@${row.version}' is '${row.status}'.`);
};

const move = (db: Db, rows: readonly VersionRow[], to: 'archived' | 'ready', guard: Statement): Promise<number> =>
  db.transaction(async (tx) => {
    const from = to === 'archived' ? movesTo('archived') : ['archived'];
    const moved = await tx.run(sql`
      update model_versions v set status = ${to}, status_at = now()
      where v.no = any(${rows.map(({ no }) => no)}::bigint[]) and v.status = any(${from}::text[]) ${guard}`);
    if (moved > 0) await announceModels(tx);
    return moved;
  });

/** Batches and jobs that have not ended and run one of these versions. */
const usersOf = (tx: Db, keys: readonly string[]): Promise<{ id: string }[]> =>
  tx.many<{ id: string }>(sql`
    (select b.id from batches b join batch_models m on m.batch_no = b.no
     where m.model = any(${keys}::text[]) and b.status in ('validating', 'in_progress', 'finalizing', 'cancelling') order by b.no limit 1)
    union all
    (select j.id from jobs j where j.model = any(${keys}::text[]) and j.state in ('queued', 'running', 'waiting') limit 1)`);

/** Deletes a version, or a model with all of them, and their files where nothing else has these; refused while used. */
export const deleteModel = async (deps: RegisterDeps, identity: Identity, reference: Reference): Promise<DeletedModel> => {
  const { row, siblings } = await registeredOf(deps, identity, reference);
  const whole = reference.version === undefined && reference.alias === undefined;
  const wanted = whole ? siblings : [row];
  const keys = wanted.map(({ name, version }) => modelKey({ tenant: identity.tenant, name, version }));
  await deps.db.transaction(async (tx) => {
    // Intake holds what it has resolved until its chunks are written; from then on they show below.
    const held = await tx.many<{ status: string }>(
      sql`select status from model_versions where no = any(${wanted.map(({ no }) => no)}::bigint[]) for update`,
    );
    if (held.some(({ status }) => status === 'validating'))
      throw new ApiError('conflict', `'${shownReference(reference)}' is being vetted just now; delete it when that has ended.`);
    const [user] = await usersOf(tx, keys);
    if (user)
      throw new ApiError(
        'conflict',
        `'${shownReference(reference)}' is used by ${user.id}, which has not ended. Wait, cancel it, or archive the model.`,
      );
    const moved = await tx.maybe<{ alias: string }>(sql`
      select alias from model_aliases where version_no = any(${wanted.map(({ no }) => no)}::bigint[]) limit 1`);
    if (moved && !whole) throw aliased({ ...row, aliases: [moved.alias] });
    if (whole) await tx.run(sql`delete from model_aliases where model_no = ${row.model_no}`);
    await tx.run(sql`delete from model_versions where no = any(${wanted.map(({ no }) => no)}::bigint[])`);
    await tx.run(
      sql`delete from models m where m.no = ${row.model_no} and not exists (select from model_versions v where v.model_no = m.no)`,
    );
    await announceModels(tx);
  });
  for (const sha256 of new Set(wanted.map((each) => each.file_sha256))) if (sha256 !== null) await dropFile(deps, sha256);
  return { id: whole ? row.name : `${row.name}@${row.version}`, object: 'model', deleted: true };
};
