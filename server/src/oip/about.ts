import { datatypeOf, type Datatype } from '../executors/onnx/tensor.ts';
import type { Port } from '../executors/onnx/wire.ts';
import type { ModelSpec } from '../models/models.ts';

export interface Ports {
  inputs: readonly Port[];
  outputs: readonly Port[];
}

/** A dimension that varies is -1. */
const shapeOf = ({ shape }: Port): number[] => shape.map((dimension) => (typeof dimension === 'string' ? -1 : dimension));

const tensor = (port: Port) => ({ name: port.name, datatype: datatypeOf(port.type) ?? port.type, shape: shapeOf(port) });

/** What a model takes and gives. `versions`: all of it that can be asked. */
export const metadataOf = ({ name }: ModelSpec, versions: readonly string[], { inputs, outputs }: Ports) => ({
  name,
  versions: [...versions],
  platform: 'onnx_onnxv1',
  inputs: inputs.map(tensor),
  outputs: outputs.map(tensor),
});

/** Triton's configurations have names of their own for the datatypes. */
const configType = (type: string): string => {
  const datatype: Datatype | null = datatypeOf(type);
  return `TYPE_${datatype === 'BYTES' ? 'STRING' : (datatype ?? 'INVALID')}`;
};

const configured = (port: Port) => ({ name: port.name, data_type: configType(port.type), dims: shapeOf(port) });

/** The same as Triton's clients ask for it. `max_batch_size` is 0: shapes hold every dimension there is. */
export const configOf = ({ name }: ModelSpec, { inputs, outputs }: Ports) => ({
  name,
  platform: 'onnxruntime_onnx',
  backend: 'onnxruntime',
  max_batch_size: 0,
  input: inputs.map(configured),
  output: outputs.map(configured),
});
