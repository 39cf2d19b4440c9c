/**
 * The process that vets a file: does the steps one after another and says on descriptor 3, a line of JSON each, which
 * one begins and how it ended, so that when it dies or is killed it is known what it died of. It has no environment, no
 * network where that can be had, an empty working directory, and only as much memory as its limit gives it.
 */
// oxlint-disable-next-line import/no-unassigned-import
import '../executors/onnx/float16.ts';
import { closeSync, fstatSync, openSync, writeSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type { ModelPort } from '@sluice/contract';
import { env, InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { endWithParent } from '../executors/onnx/orphan.ts';
import { typed, type Values } from '../executors/onnx/runs.ts';
import { bytesOf, datatypeOf, kindOf, type Tensor } from '../executors/onnx/tensor.ts';
import { apart, equivalent, gainOf, guesses, outputAxes, together, type Axes, type Trial } from './batch.ts';
import type { Batching, Said, Step, StepName } from './facts.ts';
import { checkOutputs, checkPorts } from './ports.ts';
import { inputBytes, openDimensions, plans, sizesToTry, synthesize, type Plan, type Port, type Sizes } from './synthesize.ts';
import { walk, type Walked } from './walk.ts';
import { fileSource } from './wire.ts';

const parent = 3;

endWithParent();

const say = (said: Said): void => {
  const line = Buffer.from(`${JSON.stringify(said)}\n`);
  for (let at = 0; at < line.length;) at += writeSync(parent, line, at);
};

/** Ends the vetting: what is thrown here is the file's fault. */
class Failed extends Error {
  readonly hint: string | null;

  constructor(message: string, hint: string | null = null) {
    super(message);
    this.hint = hint;
  }
}

/** What a step has to say beside its result. */
interface Notes {
  log: string[];
  /** It passed, but somebody should know. */
  warning: string | null;
  hint: string | null;
}

const step = async <Result>(name: StepName, work: (notes: Notes) => Result | Promise<Result>): Promise<Result> => {
  say({ begun: name });
  const began = performance.now();
  const notes: Notes = { log: [], warning: null, hint: null };
  const end = (status: Step['status'], message: string | null, hint: string | null): void =>
    say({ step: { name, status, ms: Math.round((performance.now() - began) * 100) / 100, log: notes.log, message, hint } });
  try {
    const result = await work(notes);
    end(notes.warning === null ? 'passed' : 'warning', notes.warning, notes.hint);
    return result;
  } catch (error) {
    end('failed', words(error), error instanceof Failed ? error.hint : null);
    process.exit(0);
  }
};

const skip = (name: StepName, message: string): void => say({ step: { name, status: 'skipped', ms: 0, log: [], message, hint: null } });

/** One line, without the paths and signatures of its sources that the runtime puts before. */
const words = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error))
    .split('\n')[0]!
    .replace(/(Load model from )\S+/, '$1the file')
    .replace(
      /Non-zero status code returned while running (\S+) node\. Name:'([^']*)' Status Message: /,
      (_, operator, name) => `${operator}${name ? ` '${name}'` : ''}: `,
    )
    .replaceAll(/\/onnxruntime_src\/\S+ /g, '')
    .replaceAll(/[\w:<>*& ]+::[\w:]+\([^)]*\)( const)? /g, '')
    .slice(0, 1_000);

const round = (value: number): number => Number(value.toPrecision(3));

const [path, inputLimit] = [process.argv[2]!, Number(process.argv[3])];

const walkFile = (notes: Notes): Walked => {
  const fd = openSync(path, 'r');
  try {
    const result = walk(fileSource(fd, fstatSync(fd).size));
    if (!result.ok) throw new Failed(result.reason, result.hint);
    const { ir, opsets, nodes, parameters, operators } = result.walked;
    const sets = Object.entries(opsets).map(([domain, version]) => `${domain} ${version}`);
    notes.log.push(`IR version ${ir}, opsets ${sets.join(', ')}; ${nodes} nodes, ${parameters} parameters`);
    notes.log.push(
      `operators: ${Object.entries(operators)
        .slice(0, 20)
        .map(([name, count]) => `${name} × ${count}`)
        .join(', ')}`,
    );
    return result.walked;
  } finally {
    closeSync(fd);
  }
};

const load = async (notes: Notes): Promise<InferenceSession> => {
  try {
    // By path, never from memory: a model in memory may read external data from the working directory.
    return await InferenceSession.create(path, {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      logSeverityLevel: 4,
    });
  } catch (error) {
    notes.log.push(words(error));
    throw new Failed(
      `ONNX Runtime ${env.versions.node ?? ''} cannot load it: ${words(error)}`,
      'Check it with onnx.checker, and load it with onnxruntime where it was made.',
    );
  }
};

const toRuntime = ({ datatype, shape, data }: Tensor): OrtTensor => {
  if (Array.isArray(data)) return new OrtTensor('string', data, shape);
  const type = kindOf(datatype).type as Values;
  return new OrtTensor(type, typed(type, data.buffer as ArrayBuffer, data.byteOffset, data.length), shape);
};

const fromRuntime = (name: string, tensor: OrtTensor): Tensor => {
  const datatype = datatypeOf(tensor.type);
  if (datatype === null) throw new Failed(`The output ${name} has type ${tensor.type}, which cannot be served.`);
  const shape = [...tensor.dims];
  if (tensor.type === 'string') return { name, datatype, shape, data: tensor.data as string[] };
  const bytes = bytesOf(tensor.data as Uint8Array);
  return { name, datatype, shape, data: kindOf(datatype).view(bytes.buffer, bytes.byteOffset, tensor.size) };
};

const trialOf = (session: InferenceSession, inputs: readonly Port[], sizes: Sizes, plan: Plan): Trial => ({
  inputs,
  sizes,
  plan,
  run: async (tensors) => {
    const results = await session.run(Object.fromEntries(tensors.map((tensor) => [tensor.name, toRuntime(tensor)])));
    return session.outputNames.map((name) => fromRuntime(name, results[name]!));
  },
});

/** Milliseconds after which no other values are tried. */
const trialMs = 20_000;

interface Tried {
  trial: Trial;
  outputs: Tensor[];
  ms: number;
}

/** Finds inputs that the model runs on: those of small sizes first, and of them those whose outputs are finite. */
const tryInputs = async (session: InferenceSession, inputs: readonly Port[], notes: Notes): Promise<Tried> => {
  const until = performance.now() + trialMs;
  let first: string | null = null;
  let fallback: Tried | null = null;
  let tries = 0;
  for (const plan of plans) {
    for (const sizes of sizesToTry(inputs)) {
      if (inputBytes(inputs, sizes) > inputLimit) {
        first ??= `its inputs take ${inputBytes(inputs, sizes)} bytes; at most ${inputLimit} are tried`;
        continue;
      }
      if (performance.now() > until && (fallback || tries > 0)) break;
      const trial = trialOf(session, inputs, sizes, plan);
      const shown = `${[...sizes].map(([key, size]) => `${key} = ${size}`).join(', ') || 'fixed sizes'}, values ${plan.name}`;
      const began = performance.now();
      tries++;
      try {
        const outputs = await trial.run(synthesize(inputs, sizes, plan));
        const tried = { trial, outputs, ms: performance.now() - began };
        const problem = checkOutputs(outputs, session.outputMetadata);
        notes.log.push(`${shown}: ran in ${round(tried.ms)} ms${problem ? `; ${problem.reason}` : ''}`);
        if (problem === null) return tried;
        fallback ??= tried;
        if (!problem.values) return fallback;
        // Other values may do; other sizes would not.
        break;
      } catch (error) {
        if (error instanceof Failed) throw error;
        first ??= words(error);
        if (notes.log.length < 20) notes.log.push(`${shown}: ${words(error)}`);
      }
    }
  }
  if (fallback) return fallback;
  const hint = /allocat|memory/i.test(first ?? '')
    ? 'It asks for more memory than a model may have (memory_limit_mb).'
    : 'Values were made up by the types and shapes that the file declares; declare fixed sizes where only those work.';
  throw new Failed(`It did not run on any of ${tries} made-up inputs. The first: ${first ?? 'nothing could be made up'}`, hint);
};

/** Runs of twice the size, and of the same values again. */
const repeat = async ({ trial, outputs }: Tried, notes: Notes): Promise<boolean> => {
  const again = await trial.run(synthesize(trial.inputs, trial.sizes, trial.plan));
  const deterministic = again.every((tensor, i) => {
    const before = outputs[i]!;
    return (
      tensor.shape.join() === before.shape.join() &&
      (Array.isArray(tensor.data)
        ? tensor.data.join('\0') === (before.data as string[]).join('\0')
        : Buffer.compare(bytesOf(tensor.data), bytesOf(before.data as Uint8Array)) === 0)
    );
  });
  if (!deterministic)
    notes.log.push(
      `the same values gave another answer the second time${apart(again[0]!, outputs[0]!) > 1 ? '' : ' (in the last digits)'}`,
    );
  const open = openDimensions(trial.inputs);
  if (open.length > 0) {
    const twos = new Map(trial.sizes).entries().map(([key, size]): [string, number] => [key, size === 1 ? 2 : size]);
    try {
      await trial.run(synthesize(trial.inputs, new Map(twos), trial.plan));
      notes.log.push(`with 2 wherever 1 was: ran`);
    } catch (error) {
      notes.log.push(`with 2 wherever 1 was: ${words(error)}`);
    }
  }
  return deterministic;
};

/** Above this a run is too long for rows to wait for one another, and for as many trials as it takes. */
const slow = 5_000;

const none = (ports: readonly { name: string }[]): Axes => Object.fromEntries(ports.map(({ name }) => [name, null]));

const findBatching = async (
  { trial, ms }: Tried,
  outputs: readonly Port[],
  deterministic: boolean,
  remember: (memory: number) => void,
): Promise<Batching> => {
  const unsafe: Batching = { safe: false, reason: null, inputs: none(trial.inputs), outputs: none(outputs), gain: null, max_rows: 1 };
  const skipRest = (reason: string, ...names: StepName[]): Batching => {
    for (const name of names) skip(name, reason);
    return { ...unsafe, reason };
  };
  if (openDimensions(trial.inputs).length === 0)
    return skipRest('No dimension of an input is open: each run has one row.', 'batch_axis', 'batch_equivalence', 'batching_gain');
  if (ms > slow)
    return skipRest(
      `A run takes ${Math.round(ms)} ms: rows should not wait for one another.`,
      'batch_axis',
      'batch_equivalence',
      'batching_gain',
    );

  const axes = await step('batch_axis', async (notes) => {
    let reason = 'No first dimension of an input is open.';
    for (const guess of guesses(trial.inputs)) {
      const found = await outputAxes(trial, guess);
      if ('inputs' in found) {
        for (const [name, axis] of [...Object.entries(found.inputs), ...Object.entries(found.outputs)])
          notes.log.push(`${name}: ${axis === null ? 'one for all rows' : `rows along dimension ${axis}`}`);
        return found;
      }
      const along = Object.entries(guess).flatMap(([name, axis]) => (axis === null ? [] : [`${name}[${axis}]`]));
      notes.log.push(`rows along ${along.join(', ')}: ${found.reason}`);
      if (notes.log.length === 1) ({ reason } = found);
    }
    notes.warning = `Rows cannot share a run. ${reason}`;
    return null;
  });
  if (axes === null) return skipRest('Rows cannot share a run.', 'batch_equivalence', 'batching_gain');

  const known = { ...unsafe, ...axes };
  const same = await step('batch_equivalence', async (notes) => {
    if (!deterministic) {
      notes.warning = 'The same values do not give the same answer twice, so that rows cannot be compared.';
      return false;
    }
    const result = await equivalent(trial, axes, ms > slow / 10 ? 2 : 5);
    if (!result.same) {
      notes.warning = result.reason;
      notes.hint = 'It is served one row a run. A normalisation or a quantisation by the whole batch mixes rows: use those by row.';
      return false;
    }
    notes.log.push(`${result.runs} runs; the largest difference is ${round(result.most)} of what is let pass`);
    return true;
  });
  if (!same) {
    const reason = 'A row’s answer was not shown to be the same alone and in company.';
    skip('batching_gain', reason);
    return { ...known, reason };
  }

  return await step('batching_gain', async (notes) => {
    const { gain, maxRows, measured, memory } = await gainOf(trial, axes.inputs, 2_500);
    remember(memory);
    for (const each of measured) notes.log.push(`${each.rows} rows: ${round(each.ms)} ms a row`);
    notes.log.push(maxRows > 1 ? `runs of ${maxRows} rows do ${round(gain)} times the rows` : 'runs of several rows gain nothing');
    const reason = maxRows > 1 ? null : `Runs of several rows do ${round(gain)} times the rows of single ones.`;
    return { ...known, safe: true, reason, gain: round(gain), max_rows: maxRows };
  });
};

const portsOf = (metadata: readonly InferenceSession.ValueMetadata[]): Port[] =>
  metadata.map((port) => ({
    name: port.name,
    type: port.isTensor ? port.type : 'not a tensor',
    shape: port.isTensor ? [...port.shape] : [],
  }));

const withAxes = (ports: readonly Port[], axes: Axes): ModelPort[] =>
  ports.map((port) => ({ ...port, batch_axis: axes[port.name] ?? null }));

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

const main = async (): Promise<void> => {
  const loopback = Object.values(networkInterfaces())
    .flat()
    .some((address) => address && !address.internal);
  say({ runtime: `onnxruntime ${env.versions.common}`, network: loopback });

  const walked = await step('walk', walkFile);
  await step('ports', () => {
    const problem = checkPorts(walked.inputs, walked.outputs);
    if (problem) throw new Failed(problem.reason, problem.hint);
  });
  const before = process.memoryUsage.rss();
  const began = performance.now();
  const session = await step('load', load);
  const loadMs = performance.now() - began;
  const [inputs, outputs] = [portsOf(session.inputMetadata), portsOf(session.outputMetadata)];
  let deterministic = true;
  const tried = await step('trial', async (notes) => {
    const found = await tryInputs(session, inputs, notes);
    if (found.ms < slow) deterministic = await repeat(found, notes);
    return found;
  });
  await step('outputs', () => {
    const problem = checkOutputs(tried.outputs, session.outputMetadata);
    if (problem) throw new Failed(problem.reason, problem.hint);
  });
  // What larger runs than those that are worth it took is never given back, and is not needed.
  let memory = 0;
  const batching = await findBatching(tried, outputs, deterministic, (bytes) => (memory = bytes));
  const measured = await step('time_and_memory', async (notes) => {
    const { trial } = tried;
    const one = together(trial, batching.inputs, [0]);
    const times = [tried.ms];
    const until = performance.now() + 300;
    while (performance.now() < until && times.length < 200) {
      const at = performance.now();
      await trial.run(one);
      times.push(performance.now() - at);
    }
    const runMs = times.length > 1 ? median(times.slice(1)) : tried.ms;
    memory ||= process.memoryUsage.rss();
    notes.log.push(`loads in ${round(loadMs)} ms, runs a row in ${round(runMs)} ms (median of ${times.length})`);
    return { runMs };
  });
  say({
    inputs: withAxes(inputs, batching.inputs),
    outputs: withAxes(outputs, batching.outputs),
    facts: {
      ir_version: walked.ir,
      opsets: walked.opsets,
      producer: walked.producer,
      domain: walked.domain,
      model_version: walked.modelVersion,
      metadata: walked.metadata,
      operators: walked.operators,
      nodes: walked.nodes,
      functions: walked.functions,
      parameters: Math.min(walked.parameters, Number.MAX_SAFE_INTEGER),
      deterministic,
      batching,
      load_ms: round(loadMs),
      run_ms: round(measured.runMs),
      memory_bytes: memory,
      model_memory_bytes: Math.max(0, memory - before),
    },
  });
};

await main();
process.exit(0);
