import { CreateView, DeletedView, KeyList, PatchView, PortalSettings, PutSettings, View, ViewList } from '@sluice/contract';
import { Type } from 'typebox';
import type { ApiKey } from '../auth/identity.ts';
import { keyId, keyPrefix, lastUses, type KeyUses } from '../auth/uses.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import type { App } from '../lib/app.ts';
import { ApiError } from '../lib/errors.ts';
import { createView, deleteView, listViews, patchView } from './views.ts';

export interface OwnDeps {
  db: Db;
  keys: readonly ApiKey[];
  uses: KeyUses;
}

const anyId = Type.Object({ id: Type.String() });
const mostBytes = 32_768;

/** What is a user's own: saved views, how pages are set up, and keys. */
export const ownRoutes = (app: App, { db, keys, uses }: OwnDeps): void => {
  app.get(
    '/v1/portal/views',
    {
      schema: {
        summary: 'Saved views: one’s own, and those that others of the tenant share',
        operationId: 'listViews',
        querystring: Type.Object({ screen: Type.Optional(Type.String()) }),
        response: { 200: ViewList },
      },
    },
    async ({ identity, query }) => ({ object: 'list' as const, data: await listViews(db, identity, query.screen) }),
  );

  app.post(
    '/v1/portal/views',
    { schema: { summary: 'Save a view', operationId: 'createView', body: CreateView, response: { 200: View } } },
    ({ identity, body }): Promise<View> => createView(db, identity, body),
  );

  app.patch(
    '/v1/portal/views/:id',
    { schema: { summary: 'Change a view', operationId: 'updateView', params: anyId, body: PatchView, response: { 200: View } } },
    ({ identity, params, body }): Promise<View> => patchView(db, identity, params.id, body),
  );

  app.delete(
    '/v1/portal/views/:id',
    { schema: { summary: 'Delete a view', operationId: 'deleteView', params: anyId, response: { 200: DeletedView } } },
    async ({ identity, params: { id } }) => {
      await deleteView(db, identity, id);
      return { id, object: 'view' as const, deleted: true as const };
    },
  );

  app.get(
    '/v1/portal/settings',
    { schema: { summary: 'How pages are set up for the user', operationId: 'getPortalSettings', response: { 200: PortalSettings } } },
    async ({ identity: { tenant, user } }): Promise<PortalSettings> => {
      const row = await db.maybe<Pick<PortalSettings, 'settings' | 'updated_at'>>(
        sql`select settings, floor(extract(epoch from updated_at))::bigint as updated_at from settings where tenant_id = ${tenant} and user_id = ${user}`,
      );
      return { object: 'portal.settings', settings: row?.settings ?? {}, updated_at: row?.updated_at ?? null };
    },
  );

  app.put(
    '/v1/portal/settings',
    {
      schema: {
        summary: 'Set pages up for the user: in the place of all that was set before',
        operationId: 'putPortalSettings',
        body: PutSettings,
        response: { 200: PortalSettings },
      },
    },
    async ({ identity: { tenant, user }, body }): Promise<PortalSettings> => {
      const text = JSON.stringify(body.settings);
      if (Buffer.byteLength(text) > mostBytes)
        throw new ApiError('payload_too_large', `Settings may have ${mostBytes} bytes as JSON.`, { param: 'settings' });
      const row = await db.one<Pick<PortalSettings, 'settings' | 'updated_at'>>(sql`
        insert into settings (tenant_id, user_id, settings) values (${tenant}, ${user}, ${text}::jsonb)
        on conflict (tenant_id, user_id) do update set settings = excluded.settings, updated_at = now()
        returning settings, floor(extract(epoch from updated_at))::bigint as updated_at`);
      return { object: 'portal.settings', ...row };
    },
  );

  app.get(
    '/v1/portal/keys',
    {
      schema: {
        summary: 'API keys: one’s own; an admin’s request has all of the tenant',
        description: 'Keys stand in the configuration; here is which there are and when they were used last.',
        operationId: 'listKeys',
        response: { 200: KeyList },
      },
    },
    async ({ identity, session, headers }): Promise<KeyList> => {
      await uses.write();
      const seen = keys.filter(({ tenant, user }) => tenant === identity.tenant && (identity.role === 'admin' || user === identity.user));
      const last = await lastUses(
        db,
        seen.map(({ key }) => keyId(key)),
      );
      const current = session?.key.key ?? /^Bearer +(\S+)/i.exec(headers.authorization ?? '')?.[1];
      const data = seen.map(({ key, user, role = 'user' }) => ({
        id: keyId(key),
        object: 'key' as const,
        prefix: keyPrefix(key),
        user,
        role,
        last_used_at: last.get(keyId(key)) ?? null,
        current: key === current,
      }));
      return { object: 'list', data };
    },
  );
};
