import type { Json, JsonObject } from '../executors/executor.ts';
import { smilesOf } from '../executors/onnx/smiles.ts';
import {
  datatypeOf,
  invalidInput,
  kindOf,
  roomFor,
  sizeOf,
  textProblem,
  type Datatype,
  type Tensor,
  type Values,
} from '../executors/onnx/tensor.ts';
import type { Port } from '../executors/onnx/wire.ts';
import { ApiError } from '../lib/errors.ts';
import { didYouMean } from '../lib/suggest.ts';
import type { Question } from './ask.ts';
import { rowsIn, type Layout } from './layout.ts';

/**
 * How the inputs of a request were given, and so how its outputs are:
 * `row`: one row, `{"x": [1, 2]}`; `rows`: a list of such; `tensors`: each input with all its dimensions.
 */
export type Form = 'row' | 'rows' | 'tensors';

/** What a request asks of a model; several questions where its rows cannot share one. */
export interface Asked {
  form: Form;
  questions: Question[];
}

const isObject = (value: Json | undefined): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The shape of nested lists, by their first items. */
const shapeOf = (value: Json | undefined): number[] => {
  const shape: number[] = [];
  for (let at: Json | undefined = value; Array.isArray(at); at = at[0]) shape.push(at.length);
  return shape;
};

type Put = (value: Json | undefined, at: number) => string | null;

const largest: Partial<Record<Datatype, number>> = { FP32: 3.4028235e38, FP16: 65_504 };

/** Puts one value in its place, or says what is wrong with it. */
const putting = (datatype: Datatype, data: Values | string[]): Put => {
  if (Array.isArray(data))
    return (value, at) => {
      if (typeof value !== 'string') return `must be a string (${datatype}).`;
      data[at] = value;
      return textProblem(value);
    };
  const { range } = kindOf(datatype);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array)
    return (value, at) => {
      const problem = whole(value, datatype, range);
      if (problem === null) data[at] = BigInt(Number(value));
      return problem;
    };
  if (range !== null)
    return (value, at) => {
      const given = datatype === 'BOOL' && typeof value === 'boolean' ? Number(value) : value;
      const problem = whole(given, datatype, range);
      if (problem === null) data[at] = Number(given);
      return problem;
    };
  const most = largest[datatype] ?? Infinity;
  // Bits of a float16 are written through the type that knows them.
  const floats = datatype === 'FP16' ? new Float16Array(data.buffer, data.byteOffset, data.length) : data;
  return (value, at) => {
    if (typeof value !== 'number') return 'must be a number.';
    if (!(Math.abs(value) <= most)) return Number.isFinite(value) ? `is too large for ${datatype}.` : 'is not a finite number.';
    floats[at] = value;
    return null;
  };
};

const whole = (value: Json | undefined, datatype: Datatype, range: [number, number] | null): string | null => {
  if (typeof value !== 'number') return `must be a number${datatype === 'BOOL' ? ' or a boolean' : ''}.`;
  const [least, most] = range ?? [-Infinity, Infinity];
  return Number.isInteger(value) && value >= least && value <= most
    ? null
    : `must be a whole number from ${least} to ${most} (${datatype}).`;
};

/** Writes nested lists of shape `dims` from `at` on; returns where the next would go. */
const fill = (value: Json | undefined, dims: readonly number[], depth: number, put: Put, at: number, path: string): number => {
  if (depth === dims.length) {
    const problem = put(value, at);
    if (problem !== null) throw invalidInput(path, problem);
    return at + 1;
  }
  const length = dims[depth]!;
  if (!Array.isArray(value)) throw invalidInput(path, `must be a list of ${length}.`);
  if (value.length !== length) throw invalidInput(path, `has ${value.length} items; it must have ${length}.`);
  if (depth < dims.length - 1) {
    for (let i = 0; i < length; i++) at = fill(value[i], dims, depth + 1, put, at, `${path}[${i}]`);
    return at;
  }
  // No path is made for a value that is right.
  for (let i = 0; i < length; i++) {
    const problem = put(value[i], at++);
    if (problem !== null) throw invalidInput(`${path}[${i}]`, problem);
  }
  return at;
};

/** The tensor of one input: `values` one after another, each of `dims`. */
const tensorOf = (
  port: Port,
  values: readonly (Json | undefined)[],
  dims: readonly number[],
  shape: number[],
  path: (row: number) => string,
): Tensor => {
  const datatype = datatypeOf(port.type);
  if (!datatype) throw invalidInput(`inputs.${port.name}`, `has type ${port.type}, which cannot be given.`);
  const size = sizeOf(shape);
  const data = datatype === 'BYTES' ? Array.from({ length: size }, () => '') : roomFor(datatype, size);
  const put = putting(datatype, data);
  let at = 0;
  for (let row = 0; row < values.length; row++) at = fill(values[row], dims, 0, put, at, path(row));
  return { name: port.name, datatype, shape, data };
};

/** Dimensions that are open take the sizes that were given; `fill` sees to it that fixed ones are met. */
const sized = (declared: readonly (number | string)[], value: Json | undefined, path: string): number[] => {
  const given = shapeOf(value);
  if (given.length !== declared.length)
    throw invalidInput(
      path,
      declared.length === 0 ? 'must be a single value.' : `must be nested ${declared.length} deep, not ${given.length}.`,
    );
  return declared.map((dimension, i) => (typeof dimension === 'number' ? dimension : given[i]!));
};

const fixed = (shape: readonly (number | string)[]): shape is number[] => shape.every((dimension) => typeof dimension === 'number');

const checkNames = (row: JsonObject, layout: Layout, path: string): void => {
  for (const name in row)
    if (!layout.inputs.some((port) => port.name === name)) {
      const names = layout.inputs.map((port) => port.name);
      throw invalidInput(`${path}.${name}`, `is not known; this model takes ${names.join(', ')}.${didYouMean(name, names)}`);
    }
  for (const { name } of layout.inputs) if (row[name] === undefined) throw invalidInput(`${path}.${name}`, 'is missing.');
};

/** One row by itself: each input without the dimension that counts rows, which becomes 1. */
const single = (row: JsonObject, layout: Layout, path: string): Tensor[] =>
  layout.inputs.map((port) => {
    const axis = layout.axes?.inputs[port.name] ?? null;
    const at = `${path}.${port.name}`;
    const dims = sized(axis === null ? port.shape : port.shape.toSpliced(axis, 1), row[port.name], at);
    return tensorOf(port, [row[port.name]], dims, axis === null ? dims : dims.toSpliced(axis, 0, 1), () => at);
  });

/** Rows one after another, where the first dimension counts them and all others are fixed. */
const stacked = (rows: readonly JsonObject[], layout: Layout, path: (row: number) => string): Tensor[] | null => {
  const { axes, inputs } = layout;
  if (axes === null) return null;
  const tensors: Tensor[] = [];
  for (const port of inputs) {
    const dims = port.shape.slice(1);
    if (axes.inputs[port.name] !== 0 || !fixed(dims)) return null;
    const values = rows.map((row) => row[port.name]);
    tensors.push(tensorOf(port, values, dims, [rows.length, ...dims], (row) => `${path(row)}.${port.name}`));
  }
  return tensors;
};

const question = (
  tensors: readonly Tensor[],
  rows: number,
  outputs: readonly string[] | null,
  about: Partial<Question> = {},
): Question => ({
  tensors,
  smiles: null,
  rows,
  apart: true,
  outputs,
  ...about,
});

const smilesAt = (inputs: Json | undefined, path: string, as = `${path}.smiles`): string => {
  const read = smilesOf(inputs);
  if ('smiles' in read) return read.smiles;
  throw new ApiError(
    'invalid_input',
    read.problem.replace(/^inputs(\.smiles)?/, (_, field) => (field ? as : path)),
    { param: as },
  );
};

const molecules = (inputs: Json | undefined): { form: Form; smiles: string[] } => {
  if (Array.isArray(inputs)) return { form: 'rows', smiles: inputs.map((row, i) => smilesAt(row, `inputs[${i}]`)) };
  const column = isObject(inputs) ? inputs['smiles'] : null;
  if (!isObject(inputs) || !Array.isArray(column)) return { form: 'row', smiles: [smilesAt(inputs, 'inputs')] };
  return { form: 'tensors', smiles: column.map((smiles, i) => smilesAt({ ...inputs, smiles }, 'inputs', `inputs.smiles[${i}]`)) };
};

/** Whether the value of the first input that has rows is nested as deep as the whole tensor, and so holds all rows. */
const isWhole = (row: JsonObject, { inputs, axes }: Layout): boolean => {
  const port = inputs.find(({ name }) => typeof axes?.inputs[name] === 'number');
  return port !== undefined && shapeOf(row[port.name]).length === port.shape.length;
};

/**
 * The inputs of a request, checked against the model. Throws `invalid_input` with the path of what is wrong.
 *
 * A list of objects is rows. An object is one row, or the tensors with all their dimensions, by how deep its lists are
 * nested. Anything else is the value of the model's only input, given without its name.
 */
export const readInputs = (inputs: Json | undefined, layout: Layout, outputs: readonly string[] | null): Asked => {
  if (Array.isArray(inputs) && inputs.length === 0) throw invalidInput('inputs', 'is empty: it holds no row.');
  if (layout.smiles) {
    const { form, smiles } = molecules(inputs);
    if (smiles.length === 0) throw invalidInput('inputs.smiles', 'is empty: it holds no row.');
    return { form, questions: [question([], smiles.length, outputs, { smiles })] };
  }
  const names = layout.inputs.map(({ name }) => name);
  if (inputs === undefined || inputs === null) throw invalidInput('inputs', `is missing; this model takes ${names.join(', ')}.`);
  if (Array.isArray(inputs) && isObject(inputs[0])) {
    const rows = inputs.map((row, i) => {
      if (!isObject(row)) throw invalidInput(`inputs[${i}]`, `must be an object with ${names.join(', ')}, as the row before it.`);
      checkNames(row, layout, `inputs[${i}]`);
      return row;
    });
    const together = stacked(rows, layout, (row) => `inputs[${row}]`);
    if (together) return { form: 'rows', questions: [question(together, rows.length, outputs)] };
    return { form: 'rows', questions: rows.map((row, i) => question(single(row, layout, `inputs[${i}]`), 1, outputs)) };
  }
  if (!isObject(inputs) && names.length !== 1) throw invalidInput('inputs', `must be an object with ${names.join(', ')}.`);
  const named: JsonObject = isObject(inputs) ? inputs : { [names[0]!]: inputs };
  checkNames(named, layout, 'inputs');
  if (!isWhole(named, layout)) {
    const one = stacked([named], layout, () => 'inputs');
    return { form: 'row', questions: [question(one ?? single(named, layout, 'inputs'), 1, outputs)] };
  }
  const tensors = layout.inputs.map((port) => {
    const shape = sized(port.shape, named[port.name], `inputs.${port.name}`);
    return tensorOf(port, [named[port.name]], shape, shape, () => `inputs.${port.name}`);
  });
  return { form: 'tensors', questions: [wholeOf(tensors, layout, outputs)] };
};

/** Tensors with all their dimensions: rows where the layout tells them apart, or a run of their own. */
export const wholeOf = (tensors: readonly Tensor[], layout: Layout, outputs: readonly string[] | null): Question => {
  const rows = rowsIn(layout, tensors);
  return question(tensors, rows ?? 1, outputs, { apart: false, alone: rows === null || rows === 0 });
};
