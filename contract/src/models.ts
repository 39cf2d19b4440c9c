import { Type, type Static } from 'typebox';
import { Nullable, Page, Timestamp } from './common.ts';

export const modelStatuses = ['pending', 'uploaded', 'validating', 'ready', 'failed', 'archived'] as const;
export type ModelStatus = (typeof modelStatuses)[number];

const Dict = Type.Unsafe<Record<string, unknown>>({ type: 'object' });

/** An input or output of a model. */
export const ModelPort = Type.Object(
  {
    name: Type.String(),
    type: Type.String({ description: 'Of its elements: `float32`, `int64`, `string`, `bool` and the like.' }),
    shape: Type.Array(Type.Union([Type.Integer(), Type.String()]), {
      description: 'Its dimensions; a name, or the empty text, is one that varies.',
    }),
    batch_axis: Type.Optional(Nullable(Type.Integer({ description: 'The dimension that counts rows; null: none does.' }))),
  },
  { $id: 'ModelPort' },
);
export type ModelPort = Static<typeof ModelPort>;

/** What vetting did, step by step. */
export const ModelReport = Type.Object(
  {
    steps: Type.Array(
      Type.Object({
        name: Type.String(),
        status: Type.Enum(['passed', 'failed', 'warning', 'skipped']),
        ms: Type.Number(),
        log: Type.Optional(Type.Array(Type.String())),
        message: Type.Optional(Nullable(Type.String())),
        hint: Type.Optional(Nullable(Type.String({ description: 'What to do about it.' }))),
      }),
    ),
  },
  { $id: 'ModelReport', additionalProperties: true },
);
export type ModelReport = Static<typeof ModelReport>;

export const ModelVersionFile = Type.Object({
  filename: Nullable(Type.String()),
  bytes: Type.Integer(),
  sha256: Type.String({ description: 'SHA-256 of the content, in hex.' }),
});

export const Model = Type.Object(
  {
    id: Type.String({
      description:
        'What `model` of a request says: `name` where the model is meant, which is its newest version; `name@version` where one version is.',
    }),
    object: Type.Literal('model'),
    created: Type.Integer({ description: 'Seconds since the epoch; 0 for models that the configuration declares.' }),
    owned_by: Type.String({ description: 'The user who registered it; `sluice` for models that the configuration declares.' }),
    // What follows is ours; stock clients ignore it.
    name: Type.String(),
    version: Type.String({ description: 'Semantic: `1.10.0`. Of a model: its newest, whatever its status.' }),
    executor: Type.String({ description: 'How it is run: `echo`, `onnx`, `openai`.' }),
    endpoints: Type.Array(Type.String(), { description: 'Where it answers.' }),
    status: Type.Enum([...modelStatuses]),
    reason: Nullable(Type.String({ description: 'Why it has this status, where that is not plain.' })),
    status_at: Nullable(Type.Number({ description: 'Since when, in seconds since the epoch.' })),
    declared: Type.Boolean({ description: 'It comes from the configuration, is seen by everybody, and changes there only.' }),
    latest: Nullable(Type.String({ description: 'The newest version that is ready: what `name` alone means in a request.' })),
    versions: Type.Integer({ description: 'How many the model has.' }),
    aliases: Type.Array(Type.String(), { description: 'Names that mean this version: `name@champion`.' }),
    tags: Type.Array(Type.String()),
    file: Nullable(ModelVersionFile),
  },
  { $id: 'Model' },
);
export type Model = Static<typeof Model>;

const OutputColumns = Type.Record(
  Type.String(),
  Type.Object(
    {
      title: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
      unit: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: '`log10(mol/L)`.' })),
    },
    { additionalProperties: false },
  ),
  { maxProperties: 1_000, description: 'Title and unit of outputs, by their keys; where results name columns they are shown.' },
);

/** One version, with everything that is known of it. */
export const ModelDetails = Type.Object(
  {
    ...Model.properties,
    options: Dict,
    schema: Nullable(Dict),
    output_columns: Nullable(OutputColumns),
    card: Nullable(Type.String({ description: 'What it is and is for, in Markdown.' })),
    inputs: Nullable(Type.Array(Type.Ref('ModelPort'))),
    outputs: Nullable(Type.Array(Type.Ref('ModelPort'))),
    metadata: Nullable(Dict),
    report: Nullable(Type.Ref('ModelReport')),
    ready_at: Nullable(Type.Number()),
  },
  { $id: 'ModelDetails' },
);
export type ModelDetails = Omit<Static<typeof ModelDetails>, 'inputs' | 'outputs' | 'report'> & {
  inputs: ModelPort[] | null;
  outputs: ModelPort[] | null;
  report: ModelReport | null;
};

export const ModelList = Page(Type.Ref('Model'));
export type ModelList = Omit<Static<typeof ModelList>, 'data'> & { data: Model[] };

export const ListModels = Type.Object({
  status: Type.Optional(Type.Enum([...modelStatuses], { description: 'Only models whose newest version has this status.' })),
  executor: Type.Optional(Type.String()),
  tag: Type.Optional(Type.String()),
  q: Type.Optional(Type.String({ description: 'Only models whose name holds this.' })),
  limit: Type.Integer({ minimum: 1, maximum: 10_000, default: 1_000 }),
  after: Type.Optional(Type.String({ description: 'The last id of the page before.' })),
});
export type ListModels = Static<typeof ListModels>;

const Tags = Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 64, uniqueItems: true });
const Card = Nullable(Type.String({ maxLength: 200_000, description: 'What it is and is for, in Markdown.' }));
const InputSchema = Nullable(Type.Unsafe<Record<string, unknown>>({ type: 'object', description: 'A JSON Schema of its inputs.' }));

export const CreateModel = Type.Object(
  {
    name: Type.String({ description: "1 to 128 letters, digits, '.', '_', '-' or '/'." }),
    version: Type.Optional(Type.String({ description: 'Semantic: `1.10.0`. Absent: `1.0.0`.' })),
    executor: Type.Optional(
      Type.String({ description: '`onnx` (also where it is absent), whose file is uploaded next; others need an admin key.' }),
    ),
    options: Type.Optional(Dict),
    schema: Type.Optional(InputSchema),
    output_columns: Type.Optional(Nullable(OutputColumns)),
    tags: Type.Optional(Tags),
    card: Type.Optional(Card),
  },
  { additionalProperties: false },
);
export type CreateModel = Static<typeof CreateModel>;

export const UpdateModel = Type.Object(
  {
    tags: Type.Optional(Tags),
    card: Type.Optional(Card),
    options: Type.Optional(Type.Unsafe<Record<string, unknown>>({ type: 'object', description: 'Not of a version that is or was ready.' })),
    schema: Type.Optional(InputSchema),
    output_columns: Type.Optional(Nullable(OutputColumns)),
  },
  { additionalProperties: false },
);
export type UpdateModel = Static<typeof UpdateModel>;

export const DeletedModel = Type.Object(
  { id: Type.String(), object: Type.Literal('model'), deleted: Type.Literal(true) },
  { $id: 'DeletedModel' },
);
export type DeletedModel = Static<typeof DeletedModel>;

export const ModelAlias = Type.Object(
  {
    object: Type.Literal('model.alias'),
    alias: Type.String(),
    model: Type.String(),
    version: Nullable(Type.String({ description: 'Null once it was deleted.' })),
    moved_at: Timestamp,
    moved_by: Type.String(),
  },
  { $id: 'ModelAlias' },
);
export type ModelAlias = Static<typeof ModelAlias>;

export const ModelAliasList = Type.Object({ object: Type.Literal('list'), data: Type.Array(Type.Ref('ModelAlias')) });

export const MoveAlias = Type.Object(
  { version: Type.String({ description: 'A version that is ready.' }) },
  { additionalProperties: false },
);

export const ModelAliasMove = Type.Object(
  {
    object: Type.Literal('model.alias_move'),
    from: Nullable(Type.String()),
    to: Nullable(Type.String()),
    by: Type.String(),
    at: Timestamp,
    rollback: Type.Boolean({ description: 'It took an earlier move back.' }),
    rolled_back: Type.Boolean({ description: 'A later one took it back.' }),
  },
  { $id: 'ModelAliasMove' },
);
export type ModelAliasMove = Static<typeof ModelAliasMove>;

export const ModelAliasHistory = Type.Object({ object: Type.Literal('list'), data: Type.Array(Type.Ref('ModelAliasMove')) });
