import type { PortalSearch } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import { foundFirst, lookedRows } from '../batches/page.ts';
import { findRequest } from '../batches/request-routes.ts';
import type { Db } from '../db/db.ts';
import { sql, type Statement } from '../db/sql.ts';
import { ApiError } from '../lib/errors.ts';
import { requestId } from '../lib/ids.ts';
import type { Models } from '../models/models.ts';
import { findId } from '../requests/find.ts';
import type { ViewedBatch } from '../requests/view.ts';
import type { Storage } from '../storage/storage.ts';

export interface SearchDeps {
  db: Db;
  storage: Storage;
  models: Models;
}

type Found = PortalSearch['data'][number];

/** Of the newest batches, those that are looked through for a custom_id: so many, and so many lines of them. */
const lookedBatches = 30;
const lookedLines = 2_000_000;

const found = (kind: Found['kind'], id: string, title: string, rest: Partial<Found> = {}): Found => ({
  kind,
  id,
  title,
  detail: null,
  status: null,
  batch_id: null,
  line: null,
  exact: false,
  created_at: null,
  ...rest,
});

interface NamedRow {
  id: string;
  name: string | null;
  detail: string | null;
  status: string | null;
  created_at: number;
}

const toFound =
  (kind: Found['kind'], exact: boolean) =>
  ({ id, name, ...rest }: NamedRow): Found =>
    found(kind, id, name ?? id, { ...rest, exact });

const created = (column: 'b' | 'f' | 'j') => {
  const at = { b: sql`b.created_at`, f: sql`f.created_at`, j: sql`j.created_at` }[column];
  return sql`floor(extract(epoch from ${at}))::bigint as created_at`;
};

/** By an id, or its beginning: ids are of one kind of letters, so that a range has them all. */
const byId = async (db: Db, tenant: string, id: string, limit: number): Promise<Found[]> => {
  const range = (kind: 'b' | 'f' | 'j') => {
    const column = { b: sql`b.id`, f: sql`f.id`, j: sql`j.id` }[kind];
    // What stands after any letter or digit, in every order there is.
    return sql`${column} >= ${id} and ${column} <= ${`${id}zzzzzzzz`} and starts_with(${column}, ${id})`;
  };
  if (id.startsWith('batch_'))
    return (
      await db.many<NamedRow>(sql`
        select b.id, b.name, b.created_by as detail, b.status, ${created('b')} from batches b where b.tenant_id = ${tenant} and ${range('b')} order by b.id desc limit ${limit}`)
    ).map((row) => toFound('batch', row.id === id)(row));
  if (id.startsWith('file-'))
    return (
      await db.many<NamedRow>(sql`
        select f.id, f.filename as name, f.purpose as detail, null as status, ${created('f')} from files f
        where f.tenant_id = ${tenant} and f.deleted_at is null and ${range('f')} order by f.id limit ${limit}`)
    ).map((row) => toFound('file', row.id === id)(row));
  return (
    await db.many<NamedRow>(sql`
      select j.id, null as name, substr(j.model, strpos(j.model, ':') + 1) as detail, j.state as status, ${created('j')} from jobs j
      where j.tenant_id = ${tenant} and ${range('j')} order by j.id desc limit ${limit}`)
  ).map((row) => toFound('job', row.id === id)(row));
};

const requestOf = async ({ db }: SearchDeps, identity: Identity, id: string): Promise<Found[]> => {
  try {
    const { batch, line } = await findRequest(db, identity, id);
    return [
      found('request', id, `Line ${line} of ${batch.name ?? batch.id}`, { batch_id: batch.id, line, status: batch.status, exact: true }),
    ];
  } catch (error) {
    if (error instanceof ApiError) return [];
    throw error;
  }
};

const batchesNamed = async (db: Db, tenant: string, q: string, limit: number): Promise<Found[]> => {
  const meant = sql`b.tenant_id = ${tenant} and b.words @@ search_query(${tenant}, ${q})`;
  const read = (from: Statement) =>
    db.many<NamedRow>(sql`
      select b.id, b.name, b.created_by as detail, b.status, ${created('b')} from ${from} order by b.created_at desc, b.no desc limit ${limit}`);
  const newest = await read(
    sql`(select * from batches b where b.tenant_id = ${tenant} order by b.created_at desc, b.no desc limit ${lookedRows}) b where ${meant}`,
  );
  const rows = newest.length === limit ? newest : await read(foundFirst(meant));
  if (rows.length >= limit) return rows.map(toFound('batch', false));
  // Why something of them failed, where their names say nothing.
  const failed = await db.many<NamedRow>(sql`
    select b.id, b.name, c.what as detail, b.status, ${created('b')}
    from (
      select f.batch_no, max(f.code || ': ' || f.cause) as what from failure_causes f
      where search_vector(f.tenant_id, f.code || ' ' || f.cause) @@ search_query(${tenant}, ${q}) group by 1 order by 1 desc limit ${limit}) c
    join batches b on b.no = c.batch_no where b.tenant_id = ${tenant} order by b.no desc`);
  const named = new Set(rows.map(({ id }) => id));
  return [...rows, ...failed.filter(({ id }) => !named.has(id))].slice(0, limit).map(toFound('batch', false));
};

const filesNamed = async (db: Db, tenant: string, q: string, limit: number): Promise<Found[]> =>
  (
    await db.many<NamedRow>(sql`
      select f.id, f.filename as name, f.purpose as detail, null as status, ${created('f')} from files f
      where f.tenant_id = ${tenant} and f.deleted_at is null and search_vector(f.tenant_id, f.filename) @@ search_query(${tenant}, ${q})
      order by f.created_at desc, f.id desc limit ${limit}`)
  ).map(toFound('file', false));

const modelsNamed = (models: Models, tenant: string, q: string, limit: number): Found[] => {
  const text = q.toLowerCase();
  const names = new Map<string, string[]>();
  for (const { name, version } of models.seen(tenant)) names.set(name, [...(names.get(name) ?? []), version]);
  return [...names]
    .filter(([name]) => name.toLowerCase().includes(text))
    .sort(([a], [b]) => Number(!a.toLowerCase().startsWith(text)) - Number(!b.toLowerCase().startsWith(text)) || (a < b ? -1 : 1))
    .slice(0, limit)
    .map(([name, versions]) => found('model', name, name, { detail: versions.join(', '), exact: name.toLowerCase() === text }));
};

/** Requests of that custom_id in the newest batches: each batch's index is gone through, 24 bytes a line. */
const requestsNamed = async ({ db, storage }: SearchDeps, tenant: string, q: string, limit: number): Promise<Found[]> => {
  const batches = await db.many<ViewedBatch & { name: string | null; status: string }>(sql`
    select no, id, total, input_key, index_key, pool_history, name, status from batches
    where tenant_id = ${tenant} and index_key is not null order by created_at desc, no desc limit ${lookedBatches}`);
  const all: Found[] = [];
  let lines = 0;
  for (const batch of batches) {
    if (all.length >= limit || (lines += batch.total) > lookedLines) break;
    for (const line of await findId(storage, batch, q))
      all.push(
        found('request', requestId(batch.id, line), q, {
          detail: `Line ${line} of ${batch.name ?? batch.id}`,
          status: batch.status,
          batch_id: batch.id,
          line,
          exact: true,
        }),
      );
  }
  return all;
};

const idPattern = /\b(batch_req_[0-9a-f]{32}|batch_[0-9a-f]{2,32}|job_[0-9a-f]{2,24}|file-[A-Za-z0-9]{2,40})\b/;

/** For ⌘K: whatever a text may name. An id, or an address that holds one, leads to that; else names, errors and custom_ids. */
export const search = async (deps: SearchDeps, identity: Identity, text: string, limit: number): Promise<PortalSearch> => {
  const q = text.trim();
  const { tenant } = identity;
  const id = idPattern.exec(q)?.[1];
  if (id !== undefined) {
    const data = id.startsWith('batch_req_') ? await requestOf(deps, identity, id) : await byId(deps.db, tenant, id, limit);
    return { object: 'list', data, searched: 'ids' };
  }
  const oneWord = !/\s/.test(q);
  const [batches, files, requests] = await Promise.all([
    batchesNamed(deps.db, tenant, q, limit),
    filesNamed(deps.db, tenant, q, limit),
    oneWord ? requestsNamed(deps, tenant, q, limit) : [],
  ]);
  const models = modelsNamed(deps.models, tenant, q, limit);
  return {
    object: 'list',
    data: [...requests, ...models, ...batches, ...files],
    searched: `names, metadata and errors of batches, names of files and models${oneWord ? `, custom_ids of the newest ${lookedBatches} batches` : ''}`,
  };
};
