import { Type, type Static } from 'typebox';
import { Nullable } from './common.ts';

export const SignIn = Type.Object({ api_key: Type.String({ minLength: 1, maxLength: 1_000 }) }, { additionalProperties: false });

export const PortalSession = Type.Object(
  {
    object: Type.Literal('portal.session'),
    tenant: Type.String(),
    user: Type.String(),
    role: Type.Enum(['admin', 'user']),
    csrf_token: Nullable(
      Type.String({ description: 'To be sent as `x-csrf-token` with all that changes something; null where the request came with a key.' }),
    ),
    expires_at: Nullable(
      Type.Integer({ description: 'When the session ends if it is not used before; null where the request came with a key.' }),
    ),
    now: Type.Number({ description: "The server's clock: seconds since the epoch, with fractions." }),
    server: Type.Object({ name: Type.String(), version: Type.String() }),
    config: Type.Object({
      grafana_url: Nullable(Type.String()),
      live_max_hz: Type.Number({ description: 'Updates a second that a page may show; 0: none by itself.' }),
      pools: Type.Array(Type.Object({ name: Type.String(), preemptible: Type.Boolean() })),
    }),
    limits: Type.Object({
      max_lines: Type.Integer(),
      max_file_bytes: Type.Integer(),
      max_line_bytes: Type.Integer(),
      max_model_bytes: Type.Integer(),
      openai: Type.Boolean({ description: "OpenAI's own limits hold." }),
    }),
  },
  { $id: 'PortalSession', description: 'Who a page speaks for, and what it needs to know of the server.' },
);
export type PortalSession = Static<typeof PortalSession>;

export const SignedOut = Type.Object({ object: Type.Literal('portal.session'), deleted: Type.Literal(true) });
