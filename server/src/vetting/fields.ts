import { wires } from './wire.ts';

/**
 * The messages of an ONNX file in which a tensor can be, or that we read: onnx.proto of IR version 13. A field that is
 * not in here is refused, so that nothing is in a place where nobody looked.
 */
type Kind = 'number' | 'numbers' | 'float' | 'floats' | 'bytes';

const allowed: Record<Kind, readonly number[]> = {
  number: [wires.varint],
  // Repeated numbers are written one by one, or together.
  numbers: [wires.varint, wires.bytes],
  float: [wires.fixed32],
  floats: [wires.fixed32, wires.fixed64, wires.bytes],
  bytes: [wires.bytes],
};

const table = <const Names extends string>(fields: Record<number, readonly [name: Names, kind: Kind]>) =>
  new Map(Object.entries(fields).map(([number, [name, kind]]) => [Number(number), { name, wires: allowed[kind] }]));

export const messages = {
  model: table({
    1: ['ir_version', 'number'],
    2: ['producer_name', 'bytes'],
    3: ['producer_version', 'bytes'],
    4: ['domain', 'bytes'],
    5: ['model_version', 'number'],
    6: ['doc_string', 'bytes'],
    7: ['graph', 'bytes'],
    8: ['opset_import', 'bytes'],
    14: ['metadata_props', 'bytes'],
    20: ['training_info', 'bytes'],
    25: ['functions', 'bytes'],
    26: ['configuration', 'bytes'],
  }),
  graph: table({
    1: ['node', 'bytes'],
    2: ['name', 'bytes'],
    5: ['initializer', 'bytes'],
    10: ['doc_string', 'bytes'],
    11: ['input', 'bytes'],
    12: ['output', 'bytes'],
    13: ['value_info', 'bytes'],
    14: ['quantization_annotation', 'bytes'],
    15: ['sparse_initializer', 'bytes'],
    16: ['metadata_props', 'bytes'],
  }),
  node: table({
    1: ['input', 'bytes'],
    2: ['output', 'bytes'],
    3: ['name', 'bytes'],
    4: ['op_type', 'bytes'],
    5: ['attribute', 'bytes'],
    6: ['doc_string', 'bytes'],
    7: ['domain', 'bytes'],
    8: ['overload', 'bytes'],
    9: ['metadata_props', 'bytes'],
    10: ['device_configurations', 'bytes'],
  }),
  attribute: table({
    1: ['name', 'bytes'],
    2: ['f', 'float'],
    3: ['i', 'number'],
    4: ['s', 'bytes'],
    5: ['t', 'bytes'],
    6: ['g', 'bytes'],
    7: ['floats', 'floats'],
    8: ['ints', 'numbers'],
    9: ['strings', 'bytes'],
    10: ['tensors', 'bytes'],
    11: ['graphs', 'bytes'],
    13: ['doc_string', 'bytes'],
    14: ['tp', 'bytes'],
    15: ['type_protos', 'bytes'],
    20: ['type', 'number'],
    21: ['ref_attr_name', 'bytes'],
    22: ['sparse_tensor', 'bytes'],
    23: ['sparse_tensors', 'bytes'],
  }),
  tensor: table({
    1: ['dims', 'numbers'],
    2: ['data_type', 'number'],
    3: ['segment', 'bytes'],
    4: ['float_data', 'floats'],
    5: ['int32_data', 'numbers'],
    6: ['string_data', 'bytes'],
    7: ['int64_data', 'numbers'],
    8: ['name', 'bytes'],
    9: ['raw_data', 'bytes'],
    10: ['double_data', 'floats'],
    11: ['uint64_data', 'numbers'],
    12: ['doc_string', 'bytes'],
    13: ['external_data', 'bytes'],
    14: ['data_location', 'number'],
    16: ['metadata_props', 'bytes'],
  }),
  sparse: table({ 1: ['values', 'bytes'], 2: ['indices', 'bytes'], 3: ['dims', 'numbers'] }),
  function: table({
    1: ['name', 'bytes'],
    2: ['since_version', 'number'],
    3: ['status', 'number'],
    4: ['input', 'bytes'],
    5: ['output', 'bytes'],
    6: ['attribute', 'bytes'],
    7: ['node', 'bytes'],
    8: ['doc_string', 'bytes'],
    9: ['opset_import', 'bytes'],
    10: ['domain', 'bytes'],
    11: ['attribute_proto', 'bytes'],
    12: ['value_info', 'bytes'],
    13: ['overload', 'bytes'],
    14: ['metadata_props', 'bytes'],
  }),
  training: table({
    1: ['initialization', 'bytes'],
    2: ['algorithm', 'bytes'],
    3: ['initialization_binding', 'bytes'],
    4: ['update_binding', 'bytes'],
  }),
  pair: table({ 1: ['key', 'bytes'], 2: ['value', 'bytes'] }),
  opset: table({ 1: ['domain', 'bytes'], 2: ['version', 'number'] }),
  port: table({ 1: ['name', 'bytes'], 2: ['type', 'bytes'], 3: ['doc_string', 'bytes'], 4: ['metadata_props', 'bytes'] }),
  type: table({
    1: ['tensor_type', 'bytes'],
    4: ['sequence_type', 'bytes'],
    5: ['map_type', 'bytes'],
    6: ['denotation', 'bytes'],
    7: ['opaque_type', 'bytes'],
    8: ['sparse_tensor_type', 'bytes'],
    9: ['optional_type', 'bytes'],
  }),
  tensorType: table({ 1: ['elem_type', 'number'], 2: ['shape', 'bytes'] }),
  shape: table({ 1: ['dim', 'bytes'] }),
  dim: table({ 1: ['dim_value', 'number'], 2: ['dim_param', 'bytes'], 3: ['denotation', 'bytes'] }),
};

/** TensorProto.DataType, in the words of ONNX Runtime where it has one. */
export const dataTypes = [
  'undefined',
  'float32',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'float64',
  'uint32',
  'uint64',
  'complex64',
  'complex128',
  'bfloat16',
  'float8e4m3fn',
  'float8e4m3fnuz',
  'float8e5m2',
  'float8e5m2fnuz',
  'uint4',
  'int4',
  'float4e2m1',
  'float8e8m0',
  'uint2',
  'int2',
];

/** What onnxruntime-node 1.30 runs; a test asks it. */
export const newest = {
  ir: 13,
  opsets: new Map([
    ['ai.onnx', 26],
    ['ai.onnx.ml', 5],
    ['com.microsoft', 1],
  ]),
};

/** Of Microsoft's operators those that a file from a stranger may not have: this one names files, and what loads them. */
export const refusedOperators = new Set(['com.microsoft:EPContext']);
