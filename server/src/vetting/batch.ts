import { joinOf, sizeOf, sliceOf, type Tensor } from '../executors/onnx/tensor.ts';
import { dimensionKey, halfValue, isOpen, namesRows, synthesize, type Plan, type Port, type Sizes } from './synthesize.ts';

/** The dimension that counts rows, by tensor; null: none does. */
export type Axes = Record<string, number | null>;

export type Run = (inputs: readonly Tensor[]) => Promise<Tensor[]>;

/** A model, and inputs that are known to work. */
export interface Trial {
  run: Run;
  inputs: readonly Port[];
  sizes: Sizes;
  plan: Plan;
}

/** How unusual it is that this dimension counts rows: not at all where its name says so, else the more the later it is. */
const oddity = (port: Port, axis: number): number => (namesRows(dimensionKey(port, axis)) ? 0 : axis + 1);

/** Ways in which rows could lie in the inputs: a dimension of each, the most usual ways first. */
export const guesses = (inputs: readonly Port[]): Axes[] => {
  const choices = inputs.map((port) => [...port.shape.flatMap((dimension, axis) => (isOpen(dimension) ? [axis] : [])), null]);
  let all: { axes: Axes; cost: number }[] = [{ axes: {}, cost: 0 }];
  inputs.forEach((port, i) => {
    const open = choices[i]!.length > 1;
    all = all
      .flatMap(({ axes, cost }) =>
        choices[i]!.map((axis) => ({
          axes: { ...axes, [port.name]: axis },
          cost: cost + (axis === null ? (open ? 10 : 0) : oddity(port, axis)),
        })),
      )
      .toSorted((a, b) => a.cost - b.cost)
      .slice(0, 64);
  });
  return all
    .map(({ axes }) => axes)
    .filter((axes) => {
      const chosen = chosenKeys(inputs, axes);
      if (chosen.size === 0) return false;
      // One name is one size: where it counts rows, it does so in every input that has it, and there alone.
      const consistent = inputs.every((port) =>
        port.shape.every((dimension, axis) => !isOpen(dimension) || chosen.has(dimensionKey(port, axis)) === (axes[port.name] === axis)),
      );
      return consistent && inputs.some((port) => axes[port.name] === 0 || (axes[port.name] !== null && [...chosen].some(namesRows)));
    })
    .slice(0, 12);
};

const chosenKeys = (inputs: readonly Port[], axes: Axes): Set<string> =>
  new Set(
    inputs.flatMap((port) => {
      const axis = axes[port.name];
      return typeof axis === 'number' ? [dimensionKey(port, axis)] : [];
    }),
  );

/** Rows by their numbers, together in one run's inputs. What has no rows is that of row 0. */
export const together = ({ inputs, sizes, plan }: Trial, axes: Axes, rows: readonly number[]): Tensor[] => {
  const ones = new Map(sizes);
  for (const key of chosenKeys(inputs, axes)) ones.set(key, 1);
  const each = rows.map((row) => synthesize(inputs, ones, plan, row));
  const common = synthesize(inputs, ones, plan, 0);
  return inputs.map((port, i) => {
    const axis = axes[port.name] ?? null;
    return axis === null
      ? common[i]!
      : joinOf(
          each.map((tensors) => tensors[i]!),
          axis,
        );
  });
};

export type Found = { inputs: Axes; outputs: Axes } | { reason: string };

/** Where the rows are in the outputs, if they are where `axes` has them in the inputs: which dimension grows with them. */
export const outputAxes = async (trial: Trial, axes: Axes): Promise<Found> => {
  const shapes: number[][][] = [];
  for (const rows of [[0], [0, 1], [0, 1, 2]]) {
    let outputs: Tensor[];
    try {
      outputs = await trial.run(together(trial, axes, rows));
    } catch (error) {
      return { reason: `${rows.length} rows: ${error instanceof Error ? error.message : String(error)}` };
    }
    shapes.push(outputs.map(({ shape }) => shape));
    if (rows.length < 3) continue;
    const found: Axes = {};
    for (const [i, { name }] of outputs.entries()) {
      const [one, two, three] = shapes.map((shape) => shape[i]!);
      if (one!.length !== two!.length || two!.length !== three!.length)
        return { reason: `The rank of the output ${name} changes with the rows.` };
      const moving = one!.flatMap((_, axis) => (one![axis] === two![axis] && two![axis] === three![axis] ? [] : [axis]));
      if (moving.length > 1) return { reason: `More than one dimension of the output ${name} grows with the rows.` };
      const [axis] = moving;
      if (axis !== undefined && (one![axis] !== 1 || two![axis] !== 2 || three![axis] !== 3))
        return { reason: `The output ${name} has ${one![axis]}, ${two![axis]} and ${three![axis]} rows for 1, 2 and 3.` };
      found[name] = axis ?? null;
    }
    if (Object.values(found).every((axis) => axis === null)) return { reason: 'No output grows with the rows.' };
    return { inputs: axes, outputs: found };
  }
  return { reason: 'No output grows with the rows.' };
};

const tolerances: Partial<Record<Tensor['datatype'], { relative: number; absolute: number }>> = {
  FP16: { relative: 5e-3, absolute: 1e-4 },
  FP32: { relative: 1e-4, absolute: 1e-6 },
  FP64: { relative: 1e-8, absolute: 1e-12 },
};

const valuesOf = ({ datatype, data }: Tensor): ArrayLike<number | bigint | string> =>
  datatype === 'FP16' && data instanceof Uint16Array ? Array.from(data, halfValue) : data;

/** The largest finite number in it, without its sign; 0 where there is none. */
export const largestOf = (tensor: Tensor): number => {
  let most = 0;
  const values = valuesOf(tensor);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value === 'number' && Number.isFinite(value)) most = Math.max(most, Math.abs(value));
  }
  return most;
};

/**
 * How far two tensors are apart, as a share of what is let pass; above 1 they differ. Sums in another order give other
 * last digits: of a float the difference is measured against `largest`, all else has to be equal.
 */
export const apart = (a: Tensor, b: Tensor, largest: number): number => {
  if (a.shape.length !== b.shape.length || a.shape.some((size, axis) => size !== b.shape[axis])) return Infinity;
  const allowed = tolerances[a.datatype];
  const [x, y] = [valuesOf(a), valuesOf(b)];
  let most = 0;
  for (let i = 0; i < x.length; i++) {
    const [p, q] = [x[i]!, y[i]!];
    if (Object.is(p, q)) continue;
    if (!allowed || typeof p !== 'number' || typeof q !== 'number') return Infinity;
    if (!Number.isFinite(p) || !Number.isFinite(q)) return Infinity;
    most = Math.max(most, Math.abs(p - q));
  }
  return allowed ? most / (allowed.absolute + allowed.relative * largest) : 0;
};

export type Equivalence = { same: true; most: number; runs: number } | { same: false; reason: string };

/** Whether rows have the same answers alone and in the company of others, in any order. */
export const equivalent = async (trial: Trial, axes: { inputs: Axes; outputs: Axes }, count: number): Promise<Equivalence> => {
  const rows = Array.from({ length: count }, (_, row) => row);
  const alone: Tensor[][] = [];
  for (const row of rows) alone.push(await trial.run(together(trial, axes.inputs, [row])));
  // Of all rows: what nearly cancels out in one of them has no digits to compare by.
  const largest = alone[0]!.map((_, i) => Math.max(...alone.map((outputs) => largestOf(outputs[i]!))));
  const companies = count > 2 ? [rows, rows.toReversed(), [0, count - 1]] : [rows, rows.toReversed()];
  let most = 0;
  for (const company of companies) {
    const outputs = await trial.run(together(trial, axes.inputs, company));
    for (const [i, output] of outputs.entries()) {
      const axis = axes.outputs[output.name] ?? null;
      for (const [at, row] of company.entries()) {
        if (axis !== null && output.shape[axis] !== company.length)
          return {
            same: false,
            reason: `The output ${output.name} has ${output.shape[axis]} rows for ${company.length}: their number depends on their values.`,
          };
        const own = axis === null ? output : sliceOf(output, axis, at, at + 1);
        const difference = apart(alone[row]![i]!, own, largest[i]!);
        most = Math.max(most, difference);
        if (difference > 1)
          return {
            same: false,
            reason:
              axis === null
                ? `The output ${output.name} is one for all rows, and depends on them.`
                : `A row's ${output.name} is another in the company of ${company.length - 1} others: the model mixes rows.`,
          };
      }
    }
  }
  // Rows that all have one answer show nothing.
  const distinct = alone[0]!.some((first, i) => alone.some((outputs) => apart(first, outputs[i]!, largest[i]!) > 1));
  if (!distinct) return { same: false, reason: 'All rows have the same answer with the values that were tried, so it could not be shown.' };
  return { same: true, most, runs: count + companies.length };
};

/** Milliseconds that a run of several rows may take: those who come meanwhile wait for it. */
const longestRun = 100;
/** What a larger run must gain over a smaller one. */
const worthwhile = 1.1;
/** Milliseconds that are measured at a time, and how often: of each size the quickest counts. */
const block = { ms: 2, rounds: 30 };

export interface Gain {
  gain: number;
  maxRows: number;
  /** Milliseconds a row, by rows of a run. */
  measured: { rows: number; ms: number }[];
  /** Bytes the process held when it first did runs of `maxRows`. */
  memory: number;
}

interface Measured {
  rows: number;
  inputs: readonly Tensor[];
  /** Runs that make a block. */
  calls: number;
  ms: number;
  memory: number;
}

/** Milliseconds a row in runs of so many rows: how many rows a run should have, and what is gained by it. */
export const widthOf = <Size extends { rows: number; ms: number }>(measured: readonly Size[]): { gain: number; best: Size } => {
  const one = measured[0]!;
  let best = one;
  for (const each of measured) if (each.rows > 1 && each.ms * worthwhile < best.ms && each.ms * each.rows <= longestRun) best = each;
  // A run costs its process more than the model's own time, so of sizes that are about as quick the largest is the best.
  const least = best;
  if (least.rows > 1)
    for (const each of measured) if (each.ms <= 1.1 * least.ms && each.ms * each.rows <= longestRun && each.rows > best.rows) best = each;
  const compared = best.rows > 1 ? best : (measured[1] ?? one);
  return { gain: one.ms / compared.ms, best };
};

/**
 * What sharing runs gains: the time of a row in runs of 1, 8, 32 and 128. The sizes take turns, and of each the quickest
 * of many short blocks counts: what else the machine does disturbs some blocks, and all sizes alike. (The processor's
 * time would be the measure, but systems count it in steps of up to 10 ms.)
 *
 * @param now milliseconds, of a clock that only goes forward
 */
export const gainOf = async (
  { run, ...trial }: Trial,
  axes: Axes,
  budgetMs: number,
  now: () => number = () => performance.now(),
): Promise<Gain> => {
  const measure = async (size: Measured): Promise<void> => {
    const began = now();
    for (let i = 0; i < size.calls; i++) await run(size.inputs);
    size.ms = Math.min(size.ms, (now() - began) / size.calls);
  };
  const sizes: Measured[] = [];
  for (const rows of [1, 8, 32, 128]) {
    const inputs = together(
      { run, ...trial },
      axes,
      Array.from({ length: rows }, (_, row) => row),
    );
    if (inputs.reduce((sum, { shape }) => sum + sizeOf(shape), 0) > 16_000_000) break;
    const size = { rows, inputs, calls: 1, ms: Infinity, memory: 0 };
    try {
      // The first run makes room, the second is about as long as all others will be.
      await run(inputs);
      await measure(size);
      size.memory = process.memoryUsage.rss();
    } catch {
      // Too much memory at this size; what was measured before holds.
      break;
    }
    size.calls = Math.max(1, Math.min(1_000, Math.round(block.ms / Math.max(size.ms, 0.004))));
    sizes.push(size);
    if (rows > 1 && size.ms > longestRun) break;
  }
  for (const size of sizes) size.ms = Infinity;
  const until = now() + budgetMs;
  for (let round = 0; round < block.rounds && (round === 0 || now() < until); round++) for (const size of sizes) await measure(size);

  const measured = sizes.map(({ rows, ms, memory }) => ({ rows, ms: ms / rows, memory }));
  const { gain, best } = widthOf(measured);
  return { gain, maxRows: best.rows, measured, memory: best.memory };
};
