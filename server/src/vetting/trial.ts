import type { InferenceSession } from 'onnxruntime-node';
import { bytesOf, type Tensor } from '../executors/onnx/tensor.ts';
import { apart, largestOf, type Trial } from './batch.ts';
import { checkOutputs } from './ports.ts';
import { Failed, round, trialOf, words } from './runtime.ts';
import { inputBytes, openDimensions, plans, sizesToTry, synthesize, typicalSizes, type Plan, type Port, type Sizes } from './synthesize.ts';

/** Milliseconds after which no other values are tried. */
const trialMs = 20_000;
/** Milliseconds that a run of typical sizes may take, for them to be used in the many runs that follow. */
const typicalMs = 250;
/** Lines of the log. */
const mostLines = 20;

/** What is tried: the model, and what it says of its tensors. An output without a shape may have any. */
export interface Model {
  session: InferenceSession;
  inputs: readonly Port[];
  outputs: readonly { name: string; shape?: readonly (number | string)[] }[];
}

export interface Tried {
  trial: Trial;
  outputs: Tensor[];
  ms: number;
}

const shownSizes = (sizes: Sizes): string => [...sizes].map(([key, size]) => `${key} = ${size}`).join(', ') || 'fixed sizes';

const runAt = async (session: InferenceSession, inputs: readonly Port[], sizes: Sizes, plan: Plan): Promise<Tried> => {
  const trial = trialOf(session, inputs, sizes, plan);
  const tensors = synthesize(inputs, sizes, plan);
  const began = performance.now();
  const outputs = await trial.run(tensors);
  return { trial, outputs, ms: performance.now() - began };
};

/** Finds inputs that the model runs on: those of small sizes first, and of them those whose outputs are finite. */
export const tryInputs = async (model: Model, inputLimit: number, log: string[]): Promise<Tried> => {
  const { session, inputs, outputs } = model;
  const until = performance.now() + trialMs;
  const note = (line: string): void => {
    if (log.length < mostLines) log.push(line);
  };
  let first: string | null = null;
  let fallback: Tried | null = null;
  let tries = 0;
  for (const plan of plans) {
    for (const sizes of sizesToTry(inputs)) {
      const bytes = inputBytes(inputs, sizes);
      if (bytes > inputLimit) {
        first ??= `Its inputs take ${bytes} bytes; at most ${inputLimit} are tried.`;
        continue;
      }
      if (performance.now() > until && tries > 0) break;
      const shown = `${shownSizes(sizes)}, values ${plan.name}`;
      tries++;
      try {
        const tried = await runAt(session, inputs, sizes, plan);
        const problem = checkOutputs(tried.outputs, outputs);
        note(`${shown}: ran in ${round(tried.ms)} ms${problem ? `; ${problem.reason}` : ''}`);
        if (problem === null) return await atTypicalSizes(model, tried, inputLimit, note);
        fallback ??= tried;
        if (!problem.values) return fallback;
        // Other values may do; other sizes would not.
        break;
      } catch (error) {
        if (error instanceof Failed) throw error;
        first ??= words(error);
        note(`${shown}: ${words(error)}`);
      }
    }
  }
  if (fallback) return fallback;
  const hint = /allocat|memory/i.test(first ?? '')
    ? 'It asks for more memory than a model may have.'
    : 'Values were made up by the types and shapes that the file declares; declare fixed sizes where only those work.';
  throw new Failed(`It did not run on any of ${tries} made-up inputs. The first: ${first ?? 'none could be made up'}`, hint);
};

/** The same with sizes as they occur, where it runs on those: an image of one pixel says little about time, or about rows. */
const atTypicalSizes = async (
  { session, outputs }: Model,
  small: Tried,
  inputLimit: number,
  note: (line: string) => void,
): Promise<Tried> => {
  const { inputs, plan } = small.trial;
  for (const sizes of typicalSizes(inputs)) {
    if (inputBytes(inputs, sizes) > inputLimit) continue;
    try {
      const tried = await runAt(session, inputs, sizes, plan);
      const problem = checkOutputs(tried.outputs, outputs);
      note(`${shownSizes(sizes)}: ran in ${round(tried.ms)} ms${problem ? `; ${problem.reason}` : ''}`);
      if (problem === null && tried.ms <= typicalMs) return tried;
    } catch (error) {
      if (error instanceof Failed) throw error;
      note(`${shownSizes(sizes)}: ${words(error)}`);
    }
  }
  return small;
};

const equal = (a: Tensor, b: Tensor): boolean => {
  if (a.shape.join() !== b.shape.join()) return false;
  if (Array.isArray(a.data) || Array.isArray(b.data)) return JSON.stringify(a.data) === JSON.stringify(b.data);
  return Buffer.compare(bytesOf(a.data), bytesOf(b.data)) === 0;
};

/** Runs the same values again, and whatever had size 1 with size 2. Says whether the same values gave the same answer. */
export const repeat = async ({ trial, outputs }: Tried, log: string[]): Promise<boolean> => {
  const again = await trial.run(synthesize(trial.inputs, trial.sizes, trial.plan));
  // Last digits depend on where in memory the values lie, with which processors begin at a full line of it.
  const deterministic = again.every((tensor, i) => apart(outputs[i]!, tensor, largestOf(tensor)) <= 1);
  if (!deterministic) log.push('the same values gave another answer the second time');
  else if (!again.every((tensor, i) => equal(tensor, outputs[i]!))) log.push('the same values gave other last digits the second time');
  if (openDimensions(trial.inputs).length === 0) return deterministic;
  const twos = new Map([...trial.sizes].map(([key, size]): [string, number] => [key, size === 1 ? 2 : size]));
  try {
    await trial.run(synthesize(trial.inputs, twos, trial.plan));
    log.push(`${shownSizes(twos)}: ran`);
  } catch (error) {
    log.push(`${shownSizes(twos)}: ${words(error)}`);
  }
  return deterministic;
};
