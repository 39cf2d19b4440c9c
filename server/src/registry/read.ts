import type { ListModels, Model, ModelDetails, ModelList } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { none, sql } from '../db/sql.ts';
import { ApiError } from '../lib/errors.ts';
import type { Models, ModelSpec } from '../models/models.ts';
import { parseReference, type Reference } from '../models/names.ts';
import { compareVersions, newestOf } from '../models/versions.ts';
import {
  declaredDetails,
  detailColumns,
  latestOf,
  toDeclared,
  toDetails,
  toModel,
  versionColumns,
  versionTables,
  type DetailRow,
  type VersionRow,
} from './rows.ts';

export interface ReadDeps {
  db: Db;
  models: Models;
}

export const noModel = (reference: string): ApiError =>
  new ApiError('model_not_found', `The model '${reference}' does not exist.`, { param: 'model' });

const newestFirst = (a: { name: string; version: string }, b: { name: string; version: string }): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : compareVersions(b.version, a.version);

/** The tenant's registered versions, by name and newest first; of one model, or of all. */
export const versionsOf = async (db: Db, tenant: string, name?: string): Promise<VersionRow[]> => {
  const rows = await db.many<VersionRow>(sql`
    select ${versionColumns} from ${versionTables}
    where m.tenant_id = ${tenant} ${name === undefined ? none : sql`and m.name = ${name}`}`);
  return rows.sort(newestFirst);
};

const declaredOf = (models: Models, name: string): ModelSpec[] =>
  models
    .declared()
    .filter((model) => model.name === name)
    .sort(newestFirst);

/** What a path or a body names; throws where it names nothing. */
export const referenceOf = (text: string): Reference => {
  const reference = parseReference(text);
  if (reference === null) throw noModel(text);
  return reference;
};

const pick = (rows: readonly VersionRow[], { version, alias }: Reference): VersionRow | null => {
  if (version !== undefined) return rows.find((row) => row.version === version) ?? null;
  if (alias !== undefined) return rows.find((row) => row.aliases.includes(alias)) ?? null;
  return newestOf(rows);
};

/** The registered version that is meant, and its siblings. `declared` throws 409 where only the configuration has it. */
export const registeredOf = async (
  { db, models }: ReadDeps,
  { tenant }: Identity,
  reference: Reference,
): Promise<{ row: VersionRow; siblings: VersionRow[] }> => {
  const siblings = await versionsOf(db, tenant, reference.name);
  const row = pick(siblings, reference);
  if (row) return { row, siblings };
  if (siblings.length === 0 && declaredOf(models, reference.name).length > 0)
    throw new ApiError(
      'conflict',
      `The model '${reference.name}' is declared in the configuration of the server, and can be changed there only.`,
      { param: 'model' },
    );
  throw noModel(shownReference(reference));
};

export const shownReference = ({ name, version, alias }: Reference): string => {
  const behind = version ?? alias;
  return behind === undefined ? name : `${name}@${behind}`;
};

const detailsOf = async (db: Db, row: VersionRow, siblings: readonly VersionRow[], id: string): Promise<ModelDetails> => {
  const details = await db.maybe<DetailRow>(sql`select ${detailColumns} from model_versions v where v.no = ${row.no}`);
  if (!details) throw noModel(`${row.name}@${row.version}`);
  return toDetails(toModel(row, siblings, id), { ...details, ready_at: row.ready_at });
};

/** A model (its newest version), or the version that is named. */
export const getModel = async ({ db, models }: ReadDeps, { tenant }: Identity, reference: Reference): Promise<ModelDetails> => {
  const { name, version, alias } = reference;
  const siblings = await versionsOf(db, tenant, name);
  const whole = version === undefined && alias === undefined;
  const row = pick(siblings, reference);
  if (row) return detailsOf(db, row, siblings, whole ? name : `${name}@${row.version}`);
  const declared = declaredOf(models, name);
  const spec = alias !== undefined ? undefined : version === undefined ? declared[0] : declared.find((each) => each.version === version);
  if (siblings.length > 0 || !spec) throw noModel(shownReference(reference));
  return declaredDetails(toDeclared(spec, declared, whole ? name : `${name}@${spec.version}`), spec);
};

/** Every version of a model, newest first. */
export const getVersions = async ({ db, models }: ReadDeps, { tenant }: Identity, name: string): Promise<Model[]> => {
  const rows = await versionsOf(db, tenant, name);
  if (rows.length > 0) return rows.map((row) => toModel(row, rows, `${row.name}@${row.version}`));
  const declared = declaredOf(models, name);
  if (declared.length === 0) throw noModel(name);
  return declared.map((spec) => toDeclared(spec, declared, `${spec.name}@${spec.version}`));
};

/** The newest version; of those that are ready, unless any will do. */
export const getLatest = async (
  { db, models }: ReadDeps,
  { tenant }: Identity,
  name: string,
  readyOnly: boolean,
): Promise<ModelDetails> => {
  const rows = await versionsOf(db, tenant, name);
  const row = readyOnly ? latestOf(rows) : newestOf(rows);
  if (row) return detailsOf(db, row, rows, `${row.name}@${row.version}`);
  const [spec, ...others] = declaredOf(models, name);
  if (rows.length > 0)
    throw new ApiError(
      'model_not_found',
      `No version of the model '${name}' is ready; its newest, ${rows[0]!.version}, is ${rows[0]!.status}.`,
    );
  if (!spec) throw noModel(name);
  return declaredDetails(toDeclared(spec, [spec, ...others], `${name}@${spec.version}`), spec);
};

/** Each model as its newest version, then its other versions that are ready: whatever a request may name. */
const listed = (rows: readonly VersionRow[]): Model[] =>
  rows.flatMap((row, i) =>
    i === 0 ? [toModel(row, rows, row.name)] : row.status === 'ready' ? [toModel(row, rows, `${row.name}@${row.version}`)] : [],
  );

const listedDeclared = (specs: readonly ModelSpec[]): Model[] =>
  specs.map((spec, i) => toDeclared(spec, specs, i === 0 ? spec.name : `${spec.name}@${spec.version}`));

/** A page of what the tenant sees, by name. */
export const listModels = async ({ db, models }: ReadDeps, { tenant }: Identity, query: ListModels): Promise<ModelList> => {
  const rows = await versionsOf(db, tenant);
  const own = [...Map.groupBy(rows, (row) => row.name)];
  const taken = new Set(own.map(([name]) => name));
  const common = [...Map.groupBy([...models.declared()].sort(newestFirst), (spec) => spec.name)].filter(([name]) => !taken.has(name));
  const all = [
    ...own.map(([name, each]) => ({ name, items: listed(each) })),
    ...common.map(([name, each]) => ({ name, items: listedDeclared(each) })),
  ]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(({ items }) => items);
  const from = query.after === undefined ? 0 : all.findIndex(({ id }) => id === query.after) + 1;
  if (query.after !== undefined && from === 0)
    throw new ApiError('invalid_value', `Invalid 'after': there is no model '${query.after}'.`, { param: 'after' });
  const { status, executor, tag, q } = query;
  const found = all
    .slice(from)
    .filter((model) => status === undefined || model.status === status)
    .filter((model) => executor === undefined || model.executor === executor)
    .filter((model) => tag === undefined || model.tags.includes(tag))
    .filter((model) => q === undefined || model.name.toLowerCase().includes(q.toLowerCase()));
  const data = found.slice(0, query.limit);
  return {
    object: 'list',
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: found.length > query.limit,
  };
};
