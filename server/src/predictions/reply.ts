import { float32Text, textsOf } from '../executors/onnx/outputs.ts';
import { sizeOf, type Tensor } from '../executors/onnx/tensor.ts';
import { ApiError } from '../lib/errors.ts';
import type { Form } from './inputs.ts';
import type { Layout } from './layout.ts';

type Item = (index: number) => string | null;

const written = (item: Item, index: number, name: string): string => {
  const text = item(index);
  if (text === null)
    throw new ApiError('executor_error', `outputs.${name} holds a value that is not a finite number, which JSON cannot hold.`, {
      param: `outputs.${name}`,
    });
  return text;
};

/** Nested lists of shape `dims`; `at` is the index of a place in them. */
const nest = (dims: readonly number[], depth: number, at: (index: number) => string, first: number): string => {
  if (depth === dims.length) return at(first);
  let size = 1;
  for (let d = depth + 1; d < dims.length; d++) size *= dims[d]!;
  let text = '[';
  for (let i = 0; i < dims[depth]!; i++) text += (i === 0 ? '' : ',') + nest(dims, depth + 1, at, first + i * size);
  return `${text}]`;
};

interface Column {
  name: string;
  /** Of one row. */
  dims: readonly number[];
  size: number;
  /** The value at a place of a row. */
  at: (row: number, index: number) => string;
}

const columnOf = (output: Tensor, axis: number | null): Column => {
  const { name, shape } = output;
  const item = textsOf(output);
  if (axis === null) {
    // As lines of a batch have it: a first dimension of 1 says nothing.
    const dims = shape[0] === 1 ? shape.slice(1) : shape;
    return { name, dims, size: sizeOf(dims), at: (_, index) => written(item, index, name) };
  }
  const dims = shape.toSpliced(axis, 1);
  const size = sizeOf(dims);
  const inner = sizeOf(shape.slice(axis + 1));
  const rows = shape[axis]!;
  const at = (row: number, index: number) => written(item, (Math.floor(index / inner) * rows + row) * inner + (index % inner), name);
  return { name, dims, size, at };
};

/**
 * The only row of an answer that is one list of float32 numbers, as most are: what `rowText` writes, in a quarter of the
 * time. Null where it is something else.
 */
const plainRow = (outputs: readonly Tensor[], { columns }: Layout): string | null => {
  const [only] = outputs;
  if (only === undefined || outputs.length > 1 || columns !== null) return null;
  const { name, datatype, shape, data } = only;
  if (datatype !== 'FP32' || shape.length !== 2 || shape[0] !== 1 || Array.isArray(data)) return null;
  let text = '';
  for (const value of data) {
    const next = float32Text(Number(value));
    if (next === null) return null;
    text += text === '' ? next : `,${next}`;
  }
  return `{${JSON.stringify(name)}:${data.length === 1 ? text : `[${text}]`}}`;
};

const rowText = (columns: readonly Column[], row: number, { columns: names }: Layout, wanted: readonly string[] | null): string => {
  let text = '{';
  let count = 0;
  const add = (name: string, value: string) => {
    text += `${count++ === 0 ? '' : ','}${JSON.stringify(name)}:${value}`;
  };
  if (names === null)
    for (const { name, dims, size, at } of columns)
      add(
        name,
        nest(size === 1 ? [] : dims, 0, (index) => at(row, index), 0),
      );
  else {
    let next = 0;
    for (const { size, at } of columns)
      for (let i = 0; i < size; i++) {
        const name = names[next++];
        if (name !== undefined && (wanted === null || wanted.includes(name))) add(name, at(row, i));
      }
    if (next !== names.length)
      throw new ApiError('executor_error', `The model gave ${next} values for a row; its option 'outputs' names ${names.length}.`);
  }
  return `${text}}`;
};

/** The rows of one answer, as JSON; `wanted`: of the names that the model's option `outputs` gives. */
export const rowTexts = (outputs: readonly Tensor[], rows: number, layout: Layout, wanted: readonly string[] | null): string[] => {
  const plain = rows === 1 ? plainRow(outputs, layout) : null;
  if (plain !== null) return [plain];
  const columns = outputs.map((output) => columnOf(output, layout.axes?.outputs[output.name] ?? null));
  return Array.from({ length: rows }, (_, row) => rowText(columns, row, layout, wanted));
};

/** The answer to tensors: each output with all its dimensions, or each named number of the rows in a list. */
const tensorTexts = (outputs: readonly Tensor[], rows: number, layout: Layout, wanted: readonly string[] | null): string => {
  if (layout.columns === null)
    return `{${outputs
      .map((output) => {
        const item = textsOf(output);
        return `${JSON.stringify(output.name)}:${nest(output.shape, 0, (index) => written(item, index, output.name), 0)}`;
      })
      .join()}}`;
  const texts = rowTexts(outputs, rows, layout, wanted).map((text) => JSON.parse(text) as Record<string, unknown>);
  return JSON.stringify(Object.fromEntries((wanted ?? layout.columns).map((name) => [name, texts.map((row) => row[name])])));
};

/** The `outputs` of a reply, in the form in which the inputs were given. */
export const outputsText = (
  form: Form,
  answers: readonly { outputs: readonly Tensor[]; rows: number }[],
  layout: Layout,
  wanted: readonly string[] | null,
): string => {
  const [first] = answers;
  if (form === 'tensors' && first) return tensorTexts(first.outputs, first.rows, layout, wanted);
  const texts = answers.flatMap(({ outputs, rows }) => rowTexts(outputs, rows, layout, wanted));
  return form === 'row' ? texts[0]! : `[${texts.join()}]`;
};
