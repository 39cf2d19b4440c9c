import { Type, type Static, type TSchema } from 'typebox';

/** Null is a value of its own in every object OpenAI's clients read: the key is always there. */
export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

/** Seconds since the epoch. */
export const Timestamp = Type.Integer({ minimum: 0, description: 'Seconds since the epoch.' });

/** A page of a list. Clients send `after=<last_id>` for the next, and stop at `has_more: false`. */
export const Page = <T extends TSchema>(item: T) =>
  Type.Object({
    object: Type.Literal('list'),
    data: Type.Array(item),
    first_id: Nullable(Type.String()),
    last_id: Nullable(Type.String()),
    has_more: Type.Boolean(),
  });

// Not Type.Record: it forgets what its keys may be, and lets a key with a line end hold anything.
export const Metadata = Type.Unsafe<Record<string, string>>({
  type: 'object',
  propertyNames: { maxLength: 64 },
  additionalProperties: { type: 'string', maxLength: 512 },
  maxProperties: 16,
  description: 'Up to 16 pairs of strings: keys of at most 64 characters, values of at most 512.',
});
export type Metadata = Static<typeof Metadata>;

export const ErrorReply = Type.Object(
  { error: Type.Object({ message: Type.String(), type: Type.String(), param: Nullable(Type.String()), code: Nullable(Type.String()) }) },
  { $id: 'Error', description: 'Every reply that is not a success.' },
);
