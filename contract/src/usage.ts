import { Type, type Static } from 'typebox';
import { Nullable } from './common.ts';

const Use = Type.Object({
  used: Type.Integer(),
  limit: Nullable(Type.Integer({ description: 'Null: any number.' })),
});

const Held = Type.Object({ batches: Use, queued_requests: Use, in_flight: Use, queued_bytes: Use });
export type Held = Static<typeof Held>;

export const UsageReport = Type.Object(
  {
    object: Type.Literal('usage'),
    user: Type.Object({ name: Type.String(), ...Held.properties }),
    tenant: Type.Object({ name: Type.String(), ...Held.properties }),
    global: Held,
  },
  { $id: 'UsageReport' },
);
export type UsageReport = Static<typeof UsageReport>;
