import { Type, type Static } from 'typebox';
import { Nullable, Timestamp } from './common.ts';

export const maxRouteModels = 16;

const weight = { minimum: 0, maximum: 1_000_000, description: 'How much its answer counts beside those of the others. Default 1.' };
const from = { minimum: 0, description: 'Seconds since the epoch from which it is recommended; absent or null: always has been.' };
const until = { minimum: 0, description: 'Seconds since the epoch from which it is not any more; absent or null: without an end.' };

const RouteModel = Type.Object({
  model: Type.String({ description: '`name`, `name@version` or `name@alias`.' }),
  weight: Type.Number(weight),
  valid_from: Nullable(Type.Integer(from)),
  valid_until: Nullable(Type.Integer(until)),
});

export const SetRoute = Type.Object(
  {
    models: Type.Array(
      Type.Union([
        Type.String({ minLength: 1, maxLength: 200 }),
        Type.Object(
          {
            model: Type.String({ minLength: 1, maxLength: 200, description: '`name`, `name@version` or `name@alias`.' }),
            weight: Type.Optional(Type.Number(weight)),
            valid_from: Type.Optional(Nullable(Type.Integer(from))),
            valid_until: Type.Optional(Nullable(Type.Integer(until))),
          },
          { additionalProperties: false },
        ),
      ]),
      { maxItems: maxRouteModels, description: 'The models recommended; a text is a model of weight 1, without dates.' },
    ),
    note: Type.Optional(Nullable(Type.String({ maxLength: 1_000, description: 'Why; it is kept in the history too.' }))),
  },
  { additionalProperties: false },
);
export type SetRoute = Static<typeof SetRoute>;

export const Route = Type.Object(
  {
    object: Type.Literal('route'),
    target: Type.String(),
    series: Nullable(Type.String({ description: 'Null: of every series that has no route of its own.' })),
    models: Type.Array(
      Type.Object({
        ...RouteModel.properties,
        resolved: Nullable(Type.String({ description: '`name@version` as a batch would run it now; null: there is none that is ready.' })),
        valid: Type.Boolean({ description: 'Whether it is recommended now.' }),
      }),
    ),
    note: Nullable(Type.String()),
    declared: Type.Boolean({ description: 'The configuration declares it; it is changed there only.' }),
    created_at: Nullable(Timestamp),
    created_by: Nullable(Type.String()),
    updated_at: Nullable(Timestamp),
    updated_by: Nullable(Type.String()),
  },
  { $id: 'Route' },
);
export type Route = Static<typeof Route>;

export const RouteList = Type.Object({ object: Type.Literal('list'), data: Type.Array(Type.Ref('Route')) });

export const RouteChange = Type.Object(
  {
    object: Type.Literal('route.change'),
    at: Timestamp,
    by: Type.String(),
    from: Nullable(Type.Array(RouteModel, { description: 'Null: there was no route.' })),
    to: Nullable(Type.Array(RouteModel, { description: 'Null: it was removed.' })),
    note: Nullable(Type.String()),
  },
  { $id: 'RouteChange' },
);
export type RouteChange = Static<typeof RouteChange>;

export const RouteHistory = Type.Object({ object: Type.Literal('list'), data: Type.Array(Type.Ref('RouteChange')) });

export const DeletedRoute = Type.Object({
  object: Type.Literal('route'),
  target: Type.String(),
  series: Nullable(Type.String()),
  deleted: Type.Literal(true),
});
export type DeletedRoute = Static<typeof DeletedRoute>;

export const RouteOptions = Type.Object(
  {
    object: Type.Literal('route.options'),
    targets: Type.Array(
      Type.Object({
        target: Type.String(),
        series: Type.Array(Type.String(), { description: 'Those that have a route of their own.' }),
        any_series: Type.Boolean({ description: 'Whether other series, or none, can be asked for too.' }),
        models: Type.Array(Type.String(), { description: '`name@version` of the route without a series, as a batch would run it now.' }),
      }),
    ),
    models: Type.Array(
      Type.Object({
        id: Type.String({ description: 'What `model` of a batch says.' }),
        name: Type.String(),
        version: Type.String(),
        executor: Type.String(),
        endpoints: Type.Array(Type.String()),
      }),
    ),
    output_formats: Type.Array(Type.String()),
    priorities: Type.Array(Type.String()),
    completion_windows: Type.Array(Type.String(), { description: 'Usual ones; any other of `15m`, `6h`, `7d` can be asked for.' }),
    limits: Type.Object({
      max_models: Type.Integer({ description: 'Models of one batch.' }),
      max_lines: Type.Integer({ description: 'Lines or rows of one batch.' }),
      max_line_bytes: Type.Integer(),
      max_file_bytes: Type.Integer(),
    }),
  },
  { $id: 'RouteOptions' },
);
export type RouteOptions = Static<typeof RouteOptions>;
