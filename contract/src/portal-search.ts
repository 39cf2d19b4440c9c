import { Type, type Static } from 'typebox';
import { Nullable, Timestamp } from './common.ts';

export const foundKinds = ['batch', 'request', 'file', 'job', 'model'] as const;

export const PortalSearch = Type.Object(
  {
    object: Type.Literal('list'),
    data: Type.Array(
      Type.Object({
        kind: Type.Enum([...foundKinds]),
        id: Type.String(),
        title: Type.String(),
        detail: Nullable(Type.String({ description: 'What tells it from others of its kind.' })),
        status: Nullable(Type.String()),
        batch_id: Nullable(Type.String({ description: 'Of a request: its batch.' })),
        line: Nullable(Type.Integer()),
        exact: Type.Boolean({ description: 'The text is its id.' }),
        created_at: Nullable(Timestamp),
      }),
      { description: 'What the text is the id of first; else kind by kind, the newest first.' },
    ),
    searched: Type.String({ description: 'What was looked through, in words.' }),
  },
  { $id: 'PortalSearch' },
);
export type PortalSearch = Static<typeof PortalSearch>;

const query = Type.Unsafe<Record<string, string>>({
  type: 'object',
  propertyNames: { maxLength: 64 },
  additionalProperties: { type: 'string', maxLength: 2_000 },
  maxProperties: 30,
  description: 'The parameters of the page’s address: filter, sort, columns.',
});

const screen = Type.String({ pattern: '^[a-z][a-z-]{0,39}$', description: 'The screen it is of, such as `batches`.' });
const name = Type.String({ minLength: 1, maxLength: 100 });

export const CreateView = Type.Object({ screen, name, query, shared: Type.Optional(Type.Boolean()) }, { additionalProperties: false });
export type CreateView = Static<typeof CreateView>;

export const PatchView = Type.Object(
  { name: Type.Optional(name), query: Type.Optional(query), shared: Type.Optional(Type.Boolean()) },
  { additionalProperties: false, minProperties: 1 },
);
export type PatchView = Static<typeof PatchView>;

export const View = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal('view'),
    screen: Type.String(),
    name: Type.String(),
    slug: Type.String({ description: 'What an address calls it: `?view=slug`. It stays when the name changes.' }),
    query,
    shared: Type.Boolean({ description: 'Everybody of the tenant sees it.' }),
    owner: Type.String(),
    mine: Type.Boolean(),
    created_at: Timestamp,
    updated_at: Timestamp,
  },
  { $id: 'View' },
);
export type View = Static<typeof View>;

export const ViewList = Type.Object({ object: Type.Literal('list'), data: Type.Array(Type.Ref('View')) });
export const DeletedView = Type.Object({ id: Type.String(), object: Type.Literal('view'), deleted: Type.Literal(true) });

const settings = Type.Unsafe<Record<string, unknown>>({
  type: 'object',
  maxProperties: 100,
  propertyNames: { maxLength: 64 },
  description: 'Whatever pages keep for a user, such as the tiles of the dashboard in their order; at most 32 kB.',
});

export const PutSettings = Type.Object({ settings }, { additionalProperties: false });
export const PortalSettings = Type.Object(
  { object: Type.Literal('portal.settings'), settings, updated_at: Nullable(Timestamp) },
  { $id: 'PortalSettings' },
);
export type PortalSettings = Static<typeof PortalSettings>;

export const KeyList = Type.Object(
  {
    object: Type.Literal('list'),
    data: Type.Array(
      Type.Object({
        id: Type.String(),
        object: Type.Literal('key'),
        prefix: Type.String({ description: 'Its first characters; of a short one, fewer.' }),
        user: Type.String(),
        role: Type.Enum(['admin', 'user']),
        last_used_at: Nullable(Type.Integer({ description: 'To the minute; null: not since this is noted.' })),
        current: Type.Boolean({ description: 'This request came with it, or with a session that was opened with it.' }),
      }),
    ),
  },
  { $id: 'KeyList' },
);
export type KeyList = Static<typeof KeyList>;
