import { Type } from 'typebox';

/** The Open Inference Protocol, version 2, as this server speaks it. Its errors are one text. */
export const InferenceError = Type.Object({ error: Type.String() }, { $id: 'InferenceError' });

export const InferenceServer = Type.Object(
  { name: Type.String(), version: Type.String(), extensions: Type.Array(Type.String()) },
  { $id: 'InferenceServer' },
);

const Port = Type.Object({
  name: Type.String(),
  datatype: Type.String({ description: '`FP32`, `INT64`, `BOOL`, `BYTES`, …' }),
  shape: Type.Array(Type.Integer(), { description: 'A dimension that varies is -1.' }),
});

export const InferenceModel = Type.Object(
  {
    name: Type.String(),
    versions: Type.Array(Type.String()),
    platform: Type.Literal('onnx_onnxv1'),
    inputs: Type.Array(Port),
    outputs: Type.Array(Port),
  },
  { $id: 'InferenceModel' },
);

const Parameters = Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]));

const Tensor = Type.Object({
  name: Type.String(),
  datatype: Type.String(),
  shape: Type.Array(Type.Integer({ minimum: 0 })),
  parameters: Type.Optional(Parameters),
  data: Type.Optional(
    Type.Array(Type.Unknown(), {
      description:
        'Nested as the shape says, or flat; integers to the digit. Absent where `parameters.binary_data_size` says how many bytes follow.',
    }),
  ),
});

export const InferenceRequest = Type.Object(
  {
    id: Type.Optional(Type.String()),
    parameters: Type.Optional(Parameters),
    inputs: Type.Array(Tensor),
    outputs: Type.Optional(
      Type.Array(Type.Object({ name: Type.String(), parameters: Type.Optional(Parameters) }), {
        description: 'Those that are wanted; absent: all.',
      }),
    ),
  },
  { $id: 'InferenceRequest' },
);

export const InferenceReply = Type.Object(
  {
    model_name: Type.String(),
    model_version: Type.String(),
    id: Type.Optional(Type.String()),
    outputs: Type.Array(Tensor),
  },
  { $id: 'InferenceReply' },
);
