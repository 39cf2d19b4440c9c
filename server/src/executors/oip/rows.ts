import { textsOf } from '../onnx/outputs.ts';
import { datatypeOf, invalidInput, sizeOf, type Datatype, type Tensor } from '../onnx/tensor.ts';
import { ApiError } from '../../lib/errors.ts';
import { didYouMean } from '../../lib/suggest.ts';
import type { Json, JsonObject } from '../executor.ts';
import { datatypeAt, fromJson } from './elements.ts';
import { isObject } from './message.ts';

/** A tensor as a model's metadata has it; a dimension of -1 varies. */
export interface RemotePort {
  name: string;
  datatype: Datatype;
  shape: number[];
}

export interface RemotePorts {
  inputs: RemotePort[];
  outputs: RemotePort[];
}

/** Triton and KServe may name the datatypes as configurations do. */
const datatypeIn = (given: unknown, path: string): Datatype => {
  const plain = typeof given === 'string' ? given.replace(/^TYPE_/, '') : given;
  return (typeof plain === 'string' ? datatypeOf(plain.toLowerCase()) : null) ?? datatypeAt(plain, path);
};

const portsIn = (given: unknown, path: string): RemotePort[] => {
  if (!Array.isArray(given) || given.length === 0) throw invalidInput(path, 'must be a list of tensors.');
  return given.map((port: unknown, i) => {
    const { name, datatype, shape } = isObject(port) ? port : {};
    if (typeof name !== 'string' || !Array.isArray(shape)) throw invalidInput(`${path}[${i}]`, 'must have a name and a shape.');
    const dims = shape.map((dimension: unknown) => Number(dimension));
    if (!dims.every((dimension) => Number.isSafeInteger(dimension) && dimension >= -1))
      throw invalidInput(`${path}[${i}].shape`, 'is no shape.');
    return { name, datatype: datatypeIn(datatype, `${path}.${name}`), shape: dims };
  });
};

/** What a model takes and gives, out of its metadata. Throws `invalid_input` where that does not say. */
export const remotePortsOf = (metadata: Readonly<Record<string, unknown>>): RemotePorts => ({
  inputs: portsIn(metadata['inputs'], 'inputs'),
  outputs: portsIn(metadata['outputs'], 'outputs'),
});

/** `row`: one row, `{"x": [1, 2]}`; `rows`: a list of such; `tensors`: each input with all its dimensions. */
export type Form = 'row' | 'rows' | 'tensors';

/** Whether the first dimension counts rows. */
const counts = ({ shape }: RemotePort): boolean => shape[0] === -1;

const depthOf = (value: Json | undefined): number => {
  let depth = 0;
  for (let at = value; Array.isArray(at); at = at[0]) depth++;
  return depth;
};

const shapeOf = (value: Json): number[] => {
  const shape: number[] = [];
  for (let at: Json | undefined = value; Array.isArray(at); at = at[0]) shape.push(at.length);
  return shape;
};

const tensorOf = ({ name, datatype, shape }: RemotePort, value: Json, path: string): Tensor => {
  const given = shapeOf(value);
  if (given.length !== shape.length) throw invalidInput(path, `must be nested ${shape.length} deep, not ${given.length}.`);
  const wrong = shape.findIndex((dimension, i) => dimension !== -1 && dimension !== given[i]);
  if (wrong >= 0) throw invalidInput(path, `has shape [${given.join(', ')}]; the model takes [${shape.join(', ')}].`);
  return { name, datatype, shape: given, data: fromJson(Array.isArray(value) ? value : [value], datatype, given, path) };
};

const checkNames = (given: JsonObject, ports: readonly RemotePort[], path: string): void => {
  const names = ports.map(({ name }) => name);
  for (const name of Object.keys(given))
    if (!names.includes(name))
      throw invalidInput(`${path}.${name}`, `is not known; this model takes ${names.join(', ')}.${didYouMean(name, names)}`);
  for (const name of names) if (given[name] === undefined) throw invalidInput(`${path}.${name}`, 'is missing.');
};

/** An object of JSON; numbers that keep their own text are none. */
const isRow = (value: Json | undefined): value is JsonObject => isObject(value) && !('rawJSON' in value);

/**
 * The inputs of a request as tensors of the remote model. A list of objects is rows; an object is one row, or the tensors
 * with all their dimensions, by how deep its lists are nested; anything else is the value of the only input. Throws
 * `invalid_input` with the path of what is wrong.
 */
export const tensorsIn = (inputs: Json | undefined, ports: readonly RemotePort[]): { form: Form; tensors: Tensor[] } => {
  const names = ports.map(({ name }) => name);
  if (inputs === undefined || inputs === null) throw invalidInput('inputs', `is missing; this model takes ${names.join(', ')}.`);
  if (Array.isArray(inputs) && isRow(inputs[0])) {
    if (!ports.every(counts)) throw invalidInput('inputs', 'is a list of rows; not all inputs of this model have rows.');
    const rows = inputs.map((row, i) => {
      if (!isRow(row)) throw invalidInput(`inputs[${i}]`, 'must be an object, as the row before it.');
      checkNames(row, ports, `inputs[${i}]`);
      return row;
    });
    const column = (port: RemotePort) => rows.map((row) => row[port.name]!);
    return { form: 'rows', tensors: ports.map((port) => tensorOf(port, column(port), `inputs.${port.name}`)) };
  }
  if (!isRow(inputs) && names.length !== 1) throw invalidInput('inputs', `must be an object with ${names.join(', ')}.`);
  const given: JsonObject = isRow(inputs) ? inputs : { [names[0]!]: inputs };
  checkNames(given, ports, 'inputs');
  const first = ports.find(counts);
  const row = first !== undefined && depthOf(given[first.name]) === first.shape.length - 1;
  const tensors = ports.map((port) => {
    const value = given[port.name]!;
    return tensorOf(port, row && counts(port) ? [value] : value, `inputs.${port.name}`);
  });
  return { form: row ? 'row' : 'tensors', tensors };
};

/** Nested lists of shape `dims` over the values from `first` on. */
const nest = (dims: readonly number[], depth: number, item: (index: number) => string, first: number): string => {
  if (depth === dims.length) return item(first);
  const size = sizeOf(dims.slice(depth + 1));
  return `[${Array.from({ length: dims[depth]! }, (_, i) => nest(dims, depth + 1, item, first + i * size)).join()}]`;
};

/** The outputs as JSON text, in the form in which the inputs were given. Throws `executor_error` for what JSON cannot hold. */
export const outputsOf = (form: Form, outputs: readonly Tensor[]): string => {
  const columns = outputs.map((output) => {
    const text = textsOf(output);
    const item = (index: number) => {
      const value = text(index);
      if (value === null)
        throw new ApiError('executor_error', `outputs.${output.name} holds a value that is not a finite number, which JSON cannot hold.`);
      return value;
    };
    return { name: JSON.stringify(output.name), shape: output.shape, item };
  });
  if (form === 'tensors') return `{${columns.map(({ name, shape, item }) => `${name}:${nest(shape, 0, item, 0)}`).join()}}`;
  const rows = form === 'row' ? 1 : (outputs[0]?.shape[0] ?? 0);
  const texts = Array.from({ length: rows }, (_, row) => {
    const fields = columns.map(({ name, shape, item }) => {
      const inner = shape[0] === rows ? shape.slice(1) : shape;
      const size = sizeOf(inner);
      return `${name}:${nest(size === 1 ? [] : inner, 0, item, shape[0] === rows ? row * size : 0)}`;
    });
    return `{${fields.join()}}`;
  });
  return form === 'row' ? texts[0]! : `[${texts.join()}]`;
};

/** Holds the outputs of a reply against what the model says it gives. Throws `invalid_input`. */
export const checkReply = (outputs: readonly Tensor[], ports: readonly RemotePort[]): void => {
  for (const { name, datatype } of outputs) {
    const port = ports.find((known) => known.name === name);
    if (port && port.datatype !== datatype)
      throw invalidInput(`outputs.${name}`, `is ${datatype}; the model's metadata says ${port.datatype}.`);
  }
  if (outputs.length === 0) throw invalidInput('outputs', 'is empty.');
};
