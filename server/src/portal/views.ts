import type { CreateView, PatchView, View } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import type { Db } from '../db/db.ts';
import { none, sql } from '../db/sql.ts';
import { ApiError } from '../lib/errors.ts';
import { newViewId } from '../lib/ids.ts';

/** Views that a user may keep. */
const most = 200;

type Row = Omit<View, 'object' | 'mine'>;

const columns = sql`v.id, v.screen, v.name, v.slug, v.query, v.shared, v.user_id as owner,
  floor(extract(epoch from v.created_at))::bigint as created_at, floor(extract(epoch from v.updated_at))::bigint as updated_at`;

const toView = (row: Row, { user }: Identity): View => ({ ...row, object: 'view', mine: row.owner === user });

const missing = (id: string): ApiError => new ApiError('not_found', `No view found with id '${id}'.`, { param: 'id' });

/** One's own, and those that others of the tenant share. */
export const listViews = async (db: Db, identity: Identity, screen?: string): Promise<View[]> => {
  const rows = await db.many<Row>(sql`
    select ${columns} from views v
    where v.tenant_id = ${identity.tenant} and (v.user_id = ${identity.user} or v.shared) ${screen === undefined ? none : sql`and v.screen = ${screen}`}
    order by v.user_id <> ${identity.user}, lower(v.name), v.id`);
  return rows.map((row) => toView(row, identity));
};

/** Letters, digits and dashes of a name, in any script. */
const slugOf = (name: string): string =>
  name
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 60) || 'view';

export const createView = async (db: Db, identity: Identity, body: CreateView): Promise<View> => {
  const base = slugOf(body.name);
  const row = await db.transaction(async (tx) => {
    // One at a time of a user's, so that none takes the slug that another is about to.
    await tx.run(sql`select pg_advisory_xact_lock(730583, hashtext(${`${identity.tenant}\n${identity.user}`}))`);
    const taken = await tx.many<{ slug: string; screen: string }>(
      sql`select slug, screen from views where tenant_id = ${identity.tenant} and user_id = ${identity.user}`,
    );
    if (taken.length >= most) throw new ApiError('conflict', `You have ${most} views already. Delete one first.`);
    const slugs = new Set(taken.filter(({ screen }) => screen === body.screen).map(({ slug }) => slug));
    let slug = base;
    for (let n = 2; slugs.has(slug); n++) slug = `${base}-${n}`;
    return tx.one<Row>(sql`
      insert into views as v (id, tenant_id, user_id, screen, name, slug, query, shared)
      values (${newViewId()}, ${identity.tenant}, ${identity.user}, ${body.screen}, ${body.name}, ${slug}, ${JSON.stringify(body.query)}::jsonb, ${body.shared ?? false})
      returning ${columns}`);
  });
  return toView(row, identity);
};

/** Changed by whom it belongs to only; to others a shared view is there to be read. */
const owned = async (db: Db, { tenant, user }: Identity, id: string): Promise<void> => {
  const row = await db.maybe<{ user_id: string; shared: boolean }>(
    sql`select user_id, shared from views where id = ${id} and tenant_id = ${tenant}`,
  );
  if (row === null || (row.user_id !== user && !row.shared)) throw missing(id);
  if (row.user_id !== user) throw new ApiError('permission_denied', `The view belongs to ${row.user_id}. Save one of your own.`);
};

export const patchView = async (db: Db, identity: Identity, id: string, { name, query, shared }: PatchView): Promise<View> => {
  await owned(db, identity, id);
  const row = await db.maybe<Row>(sql`
    update views v set updated_at = now(), name = coalesce(${name ?? null}, v.name), query = coalesce(${query === undefined ? null : JSON.stringify(query)}::jsonb, v.query),
      shared = coalesce(${shared ?? null}::boolean, v.shared)
    where v.id = ${id} and v.tenant_id = ${identity.tenant} and v.user_id = ${identity.user} returning ${columns}`);
  if (row === null) throw missing(id);
  return toView(row, identity);
};

export const deleteView = async (db: Db, identity: Identity, id: string): Promise<void> => {
  await owned(db, identity, id);
  await db.run(sql`delete from views where id = ${id} and tenant_id = ${identity.tenant} and user_id = ${identity.user}`);
};
