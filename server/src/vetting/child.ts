/**
 * The process that vets a file: does the steps one after another and says on descriptor 3, a line of JSON each, which
 * one begins and how it ended, so that when it dies or is killed it is known what it died of. It has no environment, no
 * network where that can be had, an empty working directory, and only as much memory as its limit gives it.
 */
// oxlint-disable-next-line import/no-unassigned-import
import '../executors/onnx/float16.ts';
import { closeSync, fstatSync, openSync, readFileSync, writeSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type { ModelPort } from '@sluice/contract';
import { env, type InferenceSession } from 'onnxruntime-node';
import { endWithParent } from '../lib/orphan.ts';
import { equivalent, gainOf, guesses, outputAxes, together, type Axes } from './batch.ts';
import type { Batching, Said, Step, StepName, Task } from './facts.ts';
import { checkOutputs, checkPorts } from './ports.ts';
import { Failed, open, portsOf, round, words } from './runtime.ts';
import { openDimensions, type Port } from './synthesize.ts';
import { repeat, tryInputs, type Tried } from './trial.ts';
import { walk, type Walked } from './walk.ts';
import { fileSource } from './wire.ts';

const parent = 3;

endWithParent();

const say = (said: Said): void => {
  const line = Buffer.from(`${JSON.stringify(said)}\n`);
  for (let at = 0; at < line.length;) at += writeSync(parent, line, at);
};

/** What a step has to say beside its result. */
interface Notes {
  log: string[];
  /** It passed, but somebody should know. */
  warning: string | null;
  hint: string | null;
}

const cut = (line: string): string => (line.length > 1_000 ? `${line.slice(0, 1_000).toWellFormed()}…` : line);

const step = async <Result>(name: StepName, work: (notes: Notes) => Result | Promise<Result>): Promise<Result> => {
  say({ begun: name });
  const began = performance.now();
  const notes: Notes = { log: [], warning: null, hint: null };
  const end = (status: Step['status'], message: string | null, hint: string | null): void =>
    say({
      step: {
        name,
        status,
        ms: Math.round((performance.now() - began) * 100) / 100,
        log: notes.log.map(cut),
        message: message && cut(message),
        hint,
      },
    });
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

/** Which file, how many bytes of inputs are tried, and for how long is measured; on the standard input. */
const { path, inputLimit, measureMs } = JSON.parse(readFileSync(0, 'utf8')) as Task;

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

const load = async (): Promise<InferenceSession> => {
  try {
    return await open(path);
  } catch (error) {
    throw new Failed(
      `ONNX Runtime ${env.versions.node ?? ''} cannot load it: ${words(error)}`,
      'Check it with onnx.checker, and load it with onnxruntime where it was made.',
    );
  }
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
    return notes.warning;
  });
  if (typeof axes === 'string') return skipRest(axes, 'batch_equivalence', 'batching_gain');

  const known = { ...unsafe, ...axes };
  const problem = await step('batch_equivalence', async (notes) => {
    if (!deterministic) {
      notes.warning = 'The same values do not give the same answer twice, so that rows cannot be compared.';
      return notes.warning;
    }
    const result = await equivalent(trial, axes, ms > slow / 10 ? 2 : 5);
    if (!result.same) {
      notes.warning = result.reason;
      notes.hint = 'It is served one row a run. A normalisation or a quantisation by the whole batch mixes rows: use those by row.';
      return result.reason;
    }
    notes.log.push(`${result.runs} runs; the largest difference is ${round(result.most)} of what is let pass`);
    return null;
  });
  if (problem !== null) {
    skip('batching_gain', 'Rows were not shown to have the same answers alone and in company.');
    return { ...known, reason: problem };
  }

  return await step('batching_gain', async (notes) => {
    const { gain, maxRows, measured, memory } = await gainOf(trial, axes.inputs, measureMs);
    remember(memory);
    for (const each of measured) notes.log.push(`${each.rows} rows: ${round(each.ms)} ms a row`);
    notes.log.push(maxRows > 1 ? `runs of ${maxRows} rows do ${round(gain)} times the rows` : 'runs of several rows gain nothing');
    const reason = maxRows > 1 ? null : `Runs of several rows do ${round(gain)} times the rows of single ones.`;
    return { ...known, safe: true, reason, gain: round(gain), max_rows: maxRows };
  });
};

/** Entries that a report has room for. */
const within = (metadata: Record<string, string>): Record<string, string> => {
  let room = 128 * 1024;
  return Object.fromEntries(Object.entries(metadata).filter(([key, value]) => (room -= key.length + value.length) > 0));
};

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
  const [inputs, told] = [portsOf(session.inputMetadata), portsOf(session.outputMetadata)];
  // The runtime tells a tensor without a shape as a scalar.
  const shapeless = (name: string, shape: Port['shape']): boolean =>
    shape.length === 0 && walked.outputs.some((output) => output.name === name && output.shape === null);
  const declared = told.map(({ name, shape }) => (shapeless(name, shape) ? { name } : { name, shape }));
  let deterministic = true;
  const tried = await step('trial', async (notes) => {
    const found = await tryInputs({ session, inputs, outputs: declared }, inputLimit, notes.log);
    if (found.ms < slow) deterministic = await repeat(found, notes.log);
    return found;
  });
  await step('outputs', () => {
    const problem = checkOutputs(tried.outputs, declared);
    if (problem) throw new Failed(problem.reason, problem.hint);
  });
  // What larger runs than those that are worth it took is never given back, and is not needed.
  let memory = 0;
  const outputs = told.map((port, i) =>
    shapeless(port.name, port.shape) ? { ...port, shape: tried.outputs[i]!.shape.map(() => '') } : port,
  );
  const batching = await findBatching(tried, outputs, deterministic, (bytes) => (memory = bytes));
  const measured = await step('time_and_memory', async (notes) => {
    const { trial } = tried;
    const one = together(trial, batching.inputs, [0]);
    const times = [tried.ms];
    const until = performance.now() + measureMs / 5;
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
      metadata: within(walked.metadata),
      operators: Object.fromEntries(Object.entries(walked.operators).slice(0, 100)),
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
