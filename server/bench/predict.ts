/**
 * Predictions at once: one row a request against a route without a model, what it is worth that rows share runs, and
 * whether memory comes back when models are unloaded.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vet } from '../src/vetting/vet.ts';
import { bigMlp, convNet, smallMlp } from '../test/support/onnx-models.ts';
import { round, type Bench, type Figure } from './figures.ts';
import { closedLoop, openLoop, requestBytes } from './http-load.ts';
import { childrenOf, cpuOf, median, watched } from './machine.ts';
import type { Done, Offered, Order, Told } from './predict-server.ts';

const rounds = 3;
const connections = 64;

class Server implements AsyncDisposable {
  readonly url: string;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, url: string) {
    this.#process = process;
    this.url = url;
  }

  static async start(told: Told): Promise<Server> {
    // Its log goes where a file or a pipe would take it without being read here.
    const child = fork(new URL('predict-server.ts', import.meta.url), { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    child.send(told);
    const [url] = (await once(child, 'message')) as [string];
    return new Server(child, url);
  }

  async ask<T>(order: Order): Promise<T> {
    this.#process.send(order);
    const [answer] = (await once(this.#process, 'message')) as [T];
    return answer;
  }

  get pid(): number {
    return this.#process.pid!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill();
    await once(this.#process, 'exit');
  }
}

/** A model in a file, and what vetting finds out about it. */
const offer = async (folder: string, name: string, bytes: Uint8Array, options: Record<string, unknown> = {}): Promise<Offered> => {
  const path = join(folder, `${name}.onnx`);
  writeFileSync(path, bytes);
  const { facts } = await vet(path, {}, new AbortController().signal, folder);
  if (!facts) throw new Error(`${name} was refused`);
  const { inputs, outputs, safe, max_rows } = facts.batching;
  return {
    spec: { name, version: '1.0.0', executor: 'onnx', options: { path, ...options } },
    facts: { inputs, outputs, safe, maxRows: max_rows, memoryBytes: facts.memory_bytes },
  };
};

/** The input of a model whose rows have `shape`; they differ, so that nothing is asked twice. */
const rows = (shape: readonly number[], n: number): unknown => {
  const [size, ...rest] = shape;
  return size === undefined ? Math.round(1e4 * Math.sin(n)) / 1e4 : Array.from({ length: size }, (_, i) => rows(rest, 31 * n + i));
};

const requestsTo = (url: string, model: string, shape: readonly number[], count: number): Buffer[] =>
  Array.from({ length: count }, (_, n) => requestBytes(url, '/v1/predict', JSON.stringify({ model, inputs: { x: rows(shape, n) } })));

const small = async (folder: string): Promise<Figure[]> => {
  await using ours = await Server.start({ models: [await offer(folder, 'small', smallMlp())], scratch: folder });
  const mine = requestsTo(ours.url, 'small', [64], 200);
  const headers = { authorization: 'Bearer bench-key', 'content-type': 'application/json' };
  const answer = await fetch(`${ours.url}/v1/predict`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ model: 'small', inputs: { x: rows([64], 1) } }),
  });
  if (!answer.ok) throw new Error(`the model did not answer: ${await answer.text()}`);
  await using theirs = await Server.start({ bare: await answer.text() });
  const sides = [
    { server: theirs, requests: requestsTo(theirs.url, 'small', [64], 200), rates: [] as number[], cpu: [] as number[] },
    { server: ours, requests: mine, rates: [] as number[], cpu: [] as number[] },
  ];
  // Short turns, many of them: what the machine gives changes from second to second, and both sides must see the same.
  const [turns, seconds] = [15, 0.5];
  const { foreign } = await watched(async () => {
    for (let i = -3; i < turns; i++)
      for (const { server, requests, rates, cpu } of sides) {
        const before = cpuOf([server.pid]);
        const rate = await closedLoop(server.url, requests, connections, seconds);
        // The first are for the compiler.
        if (i < 0) continue;
        rates.push(rate);
        cpu.push((1e6 * (cpuOf([server.pid]) - before)) / (rate * seconds));
      }
  });
  const [bare, sluice] = sides as [(typeof sides)[0], (typeof sides)[0]];
  const ratios = sluice.rates.map((rate, i) => (100 * rate) / bare.rates[i]!);
  const p99s: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const times = await openLoop(ours.url, mine, connections, median(sluice.rates) / 2, 1.5);
    p99s.push(times[Math.floor(times.length * 0.99)]!);
  }
  const figure = (name: string, runs: readonly number[], unit: string, more: Partial<Figure> = {}): Figure => ({
    bench: 'predict',
    name,
    value: round(median(runs)),
    unit,
    runs: runs.map(round),
    foreign: [foreign],
    ...more,
  });
  return [
    figure('small MLP, one row a request', sluice.rates, 'requests/s'),
    figure('a Fastify route without a model', bare.rates, 'requests/s'),
    figure('small MLP : route without a model', ratios, '%', { target: { least: 70 } }),
    figure("small MLP, the server's processor", sluice.cpu, 'µs/request'),
    figure("the route's processor", bare.cpu, 'µs/request'),
    figure('small MLP, p99 at half its rate', p99s, 'ms', { target: { most: 30 } }),
  ];
};

/** The median of answers that are kept, one after another on one connection: in the server, and from the first byte sent to the last received. */
const hits = async (folder: string): Promise<Figure[]> => {
  await using server = await Server.start({ models: [await offer(folder, 'small', smallMlp())], scratch: folder, keeps: true });
  const requests = requestsTo(server.url, 'small', [64], 20);
  const sides = { served: [] as number[], received: [] as number[] };
  for (let i = 0; i <= rounds; i++) {
    const received = await openLoop(server.url, requests, 1, 200, 1.5);
    const served = await server.ask<number[]>({ took: true });
    // The first round is for the compiler, and asks for the first time.
    if (i === 0) continue;
    sides.served.push(median(served));
    sides.received.push(median(received));
  }
  const [request] = requestsTo(server.url, 'small', [64], 1);
  const { headers } = await fetch(`${server.url}/v1/predict`, {
    method: 'POST',
    headers: { authorization: 'Bearer bench-key', 'content-type': 'application/json' },
    body: request!.subarray(request!.indexOf('\r\n\r\n') + 4),
  });
  if (headers.get('x-cache') !== 'HIT') throw new Error(`the answer was not kept: ${headers.get('x-cache')}`);
  const figure = (name: string, runs: readonly number[], more: Partial<Figure> = {}): Figure => ({
    bench: 'predict',
    name: `an answer that is kept, ${name}`,
    value: round(median(runs)),
    unit: 'ms',
    runs: runs.map(round),
    ...more,
  });
  return [figure('p50 in the server', sides.served, { target: { most: 1 } }), figure('p50 at the client', sides.received)];
};

/** Rows a second of its executor's processor that a model does as vetting says, and with each row alone, in turns. */
const shared = async (folder: string, name: string, shape: number[], bytes: Uint8Array, least: number): Promise<Figure[]> => {
  const models = [await offer(folder, 'vetted', bytes), await offer(folder, 'alone', bytes, { batching: false })];
  await using server = await Server.start({ models, scratch: folder });
  const sides = ['vetted', 'alone'].map((model) => ({
    model,
    requests: requestsTo(server.url, model, shape, 64),
    rates: [] as number[],
    sizes: [] as number[],
  }));
  for (let i = 0; i <= rounds; i++)
    for (const { model, requests, rates, sizes } of sides) {
      const before = await server.ask<Done>({ figures: model });
      const cpu = cpuOf(before.pids);
      await closedLoop(server.url, requests, connections, i === 0 ? 0.5 : 1.5);
      if (i === 0) continue;
      const after = await server.ask<Done>({ figures: model });
      rates.push((after.rows - before.rows) / (cpuOf(after.pids) - cpu));
      sizes.push((after.rows - before.rows) / (after.runs - before.runs));
    }
  const [vetted, alone] = sides as [(typeof sides)[0], (typeof sides)[0]];
  const ratios = vetted.rates.map((rate, i) => rate / alone.rates[i]!);
  const figure = (what: string, runs: readonly number[], unit: string, more: Partial<Figure> = {}): Figure => ({
    bench: 'predict',
    name: `${name}, ${what}`,
    value: round(median(runs)),
    unit,
    runs: runs.map(round),
    ...more,
  });
  return [
    figure('as vetted', vetted.rates, 'rows/cpu-s', { note: `${round(median(vetted.sizes))} rows a run` }),
    figure('each row alone', alone.rates, 'rows/cpu-s', { note: `${round(median(alone.sizes))} rows a run` }),
    figure('as vetted : alone', ratios, '×', { target: { least } }),
  ];
};

const resident = (pid: number): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
const tree = (pid: number): number => resident(pid) + childrenOf(pid).reduce((sum, child) => sum + tree(child), 0);

/** Megabytes of the server and all below it, before and after models were loaded and unloaded 200 times. */
const cycles = async (folder: string): Promise<Figure[]> => {
  const first = await offer(folder, 'cycle-0', bigMlp());
  const models = [0, 1].map((n): Offered => ({ ...first, spec: { ...first.spec, name: `cycle-${n}` } }));
  await using server = await Server.start({ models, scratch: folder });
  await server.ask({ cycle: 'cycle-', times: 20 });
  const before = tree(server.pid);
  await server.ask({ cycle: 'cycle-', times: 200 });
  const after = tree(server.pid);
  return [
    {
      bench: 'predict',
      name: 'memory after 200 loads and unloads',
      value: round((100 * after) / before),
      unit: '%',
      target: { most: 110 },
      note: `${Math.round(before)} → ${Math.round(after)} MB`,
    },
  ];
};

const benches: Record<string, (folder: string) => Promise<Figure[]>> = {
  small,
  hits,
  big: (folder) => shared(folder, '1.3 M parameters', [256], bigMlp(), 3),
  conv: (folder) => shared(folder, 'convolutions', [3, 64, 64], convNet(), 0.95),
  cycles,
};

export const predict: Bench = {
  name: 'predict',
  about: 'predictions at once: against a route without a model, rows that share runs, memory after unloading',
  async run() {
    const figures: Figure[] = [];
    for (const bench of Object.values(benches)) {
      const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
      try {
        figures.push(...(await bench(folder)));
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }
    return figures;
  },
};

// `node server/bench/predict.ts small`: some of them, which are not kept.
if (import.meta.main)
  for (const name of process.argv.slice(2)) {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
    for (const figure of (await benches[name]?.(folder)) ?? []) process.stdout.write(`${JSON.stringify(figure)}\n`);
    rmSync(folder, { recursive: true, force: true });
  }
