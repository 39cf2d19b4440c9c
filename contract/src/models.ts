import { Type, type Static } from 'typebox';
import { Nullable } from './common.ts';

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

export const Model = Type.Object(
  {
    id: Type.String({ description: 'What `model` of a request says: `name` for the newest version, `name@version` for the others.' }),
    object: Type.Literal('model'),
    created: Type.Integer({ description: 'Seconds since the epoch; 0 for models that the configuration declares.' }),
    owned_by: Type.String(),
    // What follows is ours; stock clients ignore it.
    name: Type.String(),
    version: Type.String({ description: 'Semantic: `1.10.0`.' }),
    executor: Type.String({ description: 'How it is run: `echo`, `onnx`, `openai`.' }),
    endpoints: Type.Array(Type.String(), { description: 'Where it answers.' }),
    status: Type.Literal('ready'),
  },
  { $id: 'Model' },
);
export type Model = Static<typeof Model>;

export const ModelList = Type.Object({ object: Type.Literal('list'), data: Type.Array(Type.Ref('Model')) }, { $id: 'ModelList' });
export type ModelList = Omit<Static<typeof ModelList>, 'data'> & { data: Model[] };

export const Predict = Type.Object(
  {
    model: Type.String({ minLength: 1, description: '`name` or `name@version`.' }),
    inputs: Type.Unknown({ description: 'The model\'s inputs: `{"smiles": "CCO"}`.' }),
  },
  { description: 'The same body as that of a line whose url is /v1/predict.' },
);
export type Predict = Static<typeof Predict>;

export const Prediction = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal('prediction'),
    model: Type.String(),
    version: Type.String(),
    outputs: Type.Unknown({ description: 'Names and values: `{"logS": -0.1}`.' }),
  },
  { $id: 'Prediction' },
);
export type Prediction = Static<typeof Prediction>;
