import type { ModelAlias, ModelAliasMove } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { ApiError } from '../lib/errors.ts';
import { aliasProblem, type Reference } from '../models/names.ts';
import { noModel, registeredOf, type ReadDeps } from './read.ts';
import { announceModels } from './snapshot.ts';

interface Standing {
  version: string | null;
  status: string | null;
}

const checkAlias = (alias: string): void => {
  const problem = aliasProblem(alias);
  if (problem !== null) throw new ApiError('invalid_value', `An alias ${problem}`, { param: 'alias' });
};

const noAlias = (name: string, alias: string): ApiError =>
  new ApiError('not_found', `The model '${name}' has no alias '${alias}'.`, { param: 'alias' });

/** The model's row, locked until the transaction ends: moves of its aliases come one after another. */
const lockModel = async (tx: Db, { tenant }: Identity, name: string): Promise<number> => {
  const row = await tx.maybe<{ no: number }>(sql`select no from models where tenant_id = ${tenant} and name = ${name} for update`);
  if (!row) throw noModel(name);
  return row.no;
};

const aliasesOf = (db: Db, { tenant }: Identity, name: string, alias: string | null): Promise<ModelAlias[]> =>
  db.many<ModelAlias>(sql`
    select 'model.alias' as object, a.alias, m.name as model, v.version, floor(extract(epoch from l.moved_at))::bigint as moved_at, l.moved_by
    from models m join model_aliases a on a.model_no = m.no join model_versions v on v.no = a.version_no
      join lateral (select moved_at, moved_by from model_alias_moves l where l.model_no = m.no and l.alias = a.alias order by l.no desc limit 1) l on true
    where m.tenant_id = ${tenant} and m.name = ${name} and (${alias}::text is null or a.alias = ${alias})
    order by a.alias`);

export const listAliases = async (deps: ReadDeps, identity: Identity, { name }: Reference): Promise<ModelAlias[]> => {
  await registeredOf(deps, identity, { name });
  return aliasesOf(deps.db, identity, name, null);
};

export const getAlias = async (deps: ReadDeps, identity: Identity, { name }: Reference, alias: string): Promise<ModelAlias> => {
  await registeredOf(deps, identity, { name });
  const [found] = await aliasesOf(deps.db, identity, name, alias);
  if (!found) throw noAlias(name, alias);
  return found;
};

const point = async (tx: Db, identity: Identity, model: number, alias: string, to: string | null, undoes: number | null): Promise<void> => {
  const from = await tx.maybe<Standing>(sql`
    select v.version, v.status from model_aliases a join model_versions v on v.no = a.version_no where a.model_no = ${model} and a.alias = ${alias}`);
  if ((from?.version ?? null) === to) return;
  if (to === null) await tx.run(sql`delete from model_aliases where model_no = ${model} and alias = ${alias}`);
  else {
    // Held, so that it is neither archived nor deleted before this is done.
    const version = await tx.maybe<{ no: number; status: string }>(
      sql`select no, status from model_versions where model_no = ${model} and version = ${to} for share`,
    );
    if (!version) throw new ApiError('invalid_value', `The model has no version '${to}'.`, { param: 'version' });
    if (version.status !== 'ready')
      throw new ApiError('conflict', `The version '${to}' is '${version.status}'; an alias means a version that is ready.`);
    await tx.run(sql`
      insert into model_aliases (model_no, alias, version_no) values (${model}, ${alias}, ${version.no})
      on conflict (model_no, alias) do update set version_no = excluded.version_no`);
  }
  await tx.run(sql`
    insert into model_alias_moves (model_no, alias, from_version, to_version, moved_by, undoes)
    values (${model}, ${alias}, ${from?.version ?? null}, ${to}, ${identity.user}, ${undoes})`);
  await announceModels(tx);
};

/** Makes an alias, or moves it to another version; to the same one changes nothing. */
export const moveAlias = async (
  deps: ReadDeps,
  identity: Identity,
  { name }: Reference,
  alias: string,
  version: string,
): Promise<ModelAlias> => {
  checkAlias(alias);
  await registeredOf(deps, identity, { name });
  await deps.db.transaction(async (tx) => point(tx, identity, await lockModel(tx, identity, name), alias, version, null));
  return getAlias(deps, identity, { name }, alias);
};

export const deleteAlias = async (deps: ReadDeps, identity: Identity, { name }: Reference, alias: string): Promise<void> => {
  await getAlias(deps, identity, { name }, alias);
  await deps.db.transaction(async (tx) => point(tx, identity, await lockModel(tx, identity, name), alias, null, null));
};

/** Takes the last move back that was not taken back yet: asked again, the one before it. */
export const rollBackAlias = async (deps: ReadDeps, identity: Identity, { name }: Reference, alias: string): Promise<ModelAlias> => {
  await registeredOf(deps, identity, { name });
  await deps.db.transaction(async (tx) => {
    const model = await lockModel(tx, identity, name);
    const last = await tx.maybe<{ no: number; from_version: string | null }>(sql`
      select no, from_version from model_alias_moves l
      where model_no = ${model} and alias = ${alias} and undoes is null
        and not exists (select from model_alias_moves u where u.undoes = l.no)
      order by no desc limit 1`);
    if (!last) throw noAlias(name, alias);
    if (last.from_version === null)
      throw new ApiError('conflict', `The alias '${alias}' meant nothing before; there is nothing to go back to.`);
    const there = await tx.maybe(sql`select from model_versions where model_no = ${model} and version = ${last.from_version}`);
    if (!there) throw new ApiError('conflict', `The alias '${alias}' meant version '${last.from_version}' before, which was deleted.`);
    await point(tx, identity, model, alias, last.from_version, last.no);
  });
  return getAlias(deps, identity, { name }, alias);
};

/** Every move of an alias, the last one first. */
export const aliasHistory = async (deps: ReadDeps, identity: Identity, { name }: Reference, alias: string): Promise<ModelAliasMove[]> => {
  await registeredOf(deps, identity, { name });
  const moves = await deps.db.many<ModelAliasMove>(sql`
    select 'model.alias_move' as object, l.from_version as from, l.to_version as to, l.moved_by as by,
      floor(extract(epoch from l.moved_at))::bigint as at, l.undoes is not null as rollback,
      exists (select from model_alias_moves u where u.undoes = l.no) as rolled_back
    from model_alias_moves l join models m on m.no = l.model_no
    where m.tenant_id = ${identity.tenant} and m.name = ${name} and l.alias = ${alias}
    order by l.no desc limit 1000`);
  if (moves.length === 0) throw noAlias(name, alias);
  return moves;
};
