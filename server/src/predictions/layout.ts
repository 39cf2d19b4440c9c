import { datatypeOf, type Tensor } from '../executors/onnx/tensor.ts';
import type { Port } from '../executors/onnx/wire.ts';

/** The dimension that counts rows, by the tensor's name; null: the tensor is the same for all rows. */
export type Axes = Readonly<Record<string, number | null>>;

/** What vetting found out about a version. */
export interface Facts {
  inputs: Axes;
  outputs: Axes;
  /** A row's answer is the same alone and in company. */
  safe: boolean;
  /** Rows that a run should have; 1: they should not share one, be it for their answers or for their speed. */
  maxRows: number;
  /** Bytes that a process with the model holds. */
  memoryBytes: number;
}

/** How a model's inputs and outputs are made of rows. */
export interface Layout {
  inputs: readonly Port[];
  outputs: readonly Port[];
  smiles: boolean;
  /** Names for the numbers of a row, across all outputs; null: each output under its own name. */
  columns: readonly string[] | null;
  /** Null: no row can be told from another. */
  axes: { inputs: Axes; outputs: Axes } | null;
  /** Rows that may share a run; 1: none may. */
  maxRows: number;
}

export interface LayoutOptions {
  smiles: boolean;
  columns: readonly string[] | null;
  facts: Facts | null;
  /** What the model's options say; false: never, null: nothing. */
  batching: { max_rows?: number | undefined } | false | null;
}

const firstAxis = (ports: readonly Port[]): Axes => Object.fromEntries(ports.map(({ name }) => [name, 0]));

/**
 * The layout by what vetting found; for a declared model by the batches' own rule, that a first dimension which every
 * tensor leaves open counts rows, where they share runs only if its options say so.
 */
export const layoutOf = (
  { inputs, outputs }: { inputs: readonly Port[]; outputs: readonly Port[] },
  { smiles, columns, facts, batching }: LayoutOptions,
): Layout => {
  const layout = (axes: Layout['axes'], most: number): Layout => ({
    inputs,
    outputs,
    smiles,
    columns,
    axes,
    // What vetting found unsafe no option makes safe.
    maxRows: axes === null || batching === false || facts?.safe === false ? 1 : (batching?.max_rows ?? most),
  });
  // The features of molecules are made for their rows alone: 64 of them are 0.5 MB.
  if (smiles) return layout({ inputs: firstAxis(inputs), outputs: firstAxis(outputs) }, 64);
  const most = facts?.maxRows ?? (batching ? 64 : 1);
  if (
    facts &&
    outputs.every(({ name }) => typeof facts.outputs[name] === 'number') &&
    inputs.some(({ name }) => typeof facts.inputs[name] === 'number')
  )
    return layout({ inputs: facts.inputs, outputs: facts.outputs }, most);
  const plain = inputs.every(({ type }) => datatypeOf(type) !== null) && inputs.length > 0;
  const batched = plain && [...inputs, ...outputs].every(({ shape }) => typeof shape[0] === 'string');
  return layout(batched ? { inputs: firstAxis(inputs), outputs: firstAxis(outputs) } : null, most);
};

/** Values that are the same for all rows may be compared up to this size. */
const comparable = 64;

/**
 * What a question must have in common with another to share a run: the shapes of a row, the inputs that all rows share,
 * the outputs. Null: it runs alone.
 */
export const keyOf = (layout: Layout, tensors: readonly Tensor[], outputs: readonly string[] | null): string | null => {
  if (layout.maxRows === 1 || layout.axes === null) return null;
  let key = outputs === null ? '' : JSON.stringify(outputs);
  for (const [i, { name, shape, data }] of tensors.entries()) {
    const axis = layout.axes.inputs[name] ?? null;
    const declared = layout.inputs[i]!.shape;
    if (axis === null) {
      if (Array.isArray(data)) key += JSON.stringify(data);
      else if (data.byteLength > comparable) return null;
      else key += `|${shape.join()}=${data.join()}`;
      continue;
    }
    for (let d = 0; d < shape.length; d++) if (d !== axis && typeof declared[d] === 'string') key += `,${shape[d]}`;
  }
  return key;
};

/** How many rows tensors hold by the layout's axes; null where they disagree, or where there are no rows. */
export const rowsIn = ({ axes }: Layout, tensors: readonly Tensor[]): number | null => {
  let rows: number | null = null;
  for (const { name, shape } of tensors) {
    const axis = axes?.inputs[name] ?? null;
    if (axis === null) continue;
    if (rows !== null && rows !== shape[axis]) return null;
    rows = shape[axis]!;
  }
  return rows;
};
