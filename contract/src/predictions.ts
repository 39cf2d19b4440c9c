import { Type, type Static } from 'typebox';

const wish = {
  inputs: Type.Unknown({
    description:
      'One row, `{"smiles": "CCO"}`; rows, `[{"x": [1, 2]}, {"x": [3, 4]}]`; or each input with all its dimensions, `{"x": [[1, 2], [3, 4]]}`. The outputs come in the same form. A model of one input also takes its value without the name.',
  }),
  outputs: Type.Optional(Type.Array(Type.String(), { description: 'The outputs wanted; without it all of them.' })),
  skip_cache: Type.Optional(Type.Boolean({ description: 'Neither take a kept answer nor keep this one, as `Cache-Control: no-store`.' })),
  timeout_ms: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 86_400_000, description: 'Milliseconds after which the answer is of no use; it is then 504.' }),
  ),
};

export const Predict = Type.Object(
  {
    model: Type.String({ minLength: 1, description: '`name`, `name@version` or `name@alias`.' }),
    ...wish,
  },
  { description: 'The same body as that of a line whose url is /v1/predict.' },
);
export type Predict = Static<typeof Predict>;

export const PredictBody = Type.Object(wish, { description: 'As that of /v1/predict, without the model.' });
export type PredictBody = Static<typeof PredictBody>;

export const Prediction = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal('prediction'),
    model: Type.String(),
    version: Type.String(),
    outputs: Type.Unknown({ description: 'Names and values, `{"logS": -0.1}`; a list of such where rows were asked for.' }),
  },
  { $id: 'Prediction' },
);
export type Prediction = Static<typeof Prediction>;
