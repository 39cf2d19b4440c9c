/** How long `GET /v1/batches/{id}` takes while a batch of a million lines is under way. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { round, type Bench, type Figure } from './figures.ts';
import { call, createBatch, install, metric, upload } from './installation.ts';
import { inQuiet, median } from './machine.ts';
import { writeRequests } from './work.ts';

const lines = 1_000_000;
const bytes = 420;
const perSecond = 200;
const rounds = 3;

const quantile = (sorted: readonly number[], q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]!;

interface Run {
  p50: number;
  p95: number;
  p99: number;
  /** Of the API's event loop, in ms, as perf_hooks' histogram has it. */
  loop: number;
}

/** Asks on schedule, whether earlier answers have come or not; a late answer counts from when it was due. */
const askUntilEnded = async (url: string, id: string): Promise<number[]> => {
  const latencies: number[] = [];
  const under: Promise<void>[] = [];
  const began = performance.now();
  let over = false;
  for (let i = 0; !over; i++) {
    const due = began + (i * 1_000) / perSecond;
    const wait = due - performance.now();
    if (wait > 0) await delay(wait);
    under.push(
      call(`${url}/v1/batches/${id}`).then(({ status, body }) => {
        if (status !== 200) throw new Error(`${status}: ${body}`);
        const now = (JSON.parse(body) as { status: string }).status;
        if (now === 'completed') over = true;
        else latencies.push(performance.now() - due);
      }),
    );
  }
  await Promise.all(under);
  return latencies;
};

const runOnce = async (): Promise<Run> => {
  await using sluice = await install();
  const input = join(sluice.dataDir, 'input.jsonl');
  writeRequests(input, lines, bytes);
  const file = await upload(sluice.url, input);
  // A thousand requests first: what the compiler does once is not what is asked here. Reading the metric starts it anew.
  for (let i = 0; i < 1_000; i++) await call(`${sluice.url}/v1/batches`);
  await metric(sluice.url, 'nodejs_eventloop_lag_p99_seconds');
  const batch = await createBatch(sluice.url, file.id);
  const latencies = (await askUntilEnded(sluice.url, batch.id)).sort((a, b) => a - b);
  const loop = 1_000 * (await metric(sluice.url, 'nodejs_eventloop_lag_p99_seconds'));
  return { p50: quantile(latencies, 0.5), p95: quantile(latencies, 0.95), p99: quantile(latencies, 0.99), loop };
};

export const status: Bench = {
  name: 'status',
  about: `GET /v1/batches/{id}, ${perSecond} a second, from the creation of a 1,000,000-line batch to its end`,
  async run() {
    const runs: Run[] = [];
    const foreign: number[] = [];
    for (let i = 0; i < rounds; i++) {
      const { result, foreign: others } = await inQuiet(runOnce, { name: `status, round ${i + 1}`, tries: 2 });
      runs.push(result);
      foreign.push(others);
    }
    const figure = (name: string, key: keyof Run, target?: Figure['target']): Figure => {
      const values = runs.map((run) => round(run[key]));
      return { bench: 'status', name, value: median(values), unit: 'ms', ...(target && { target }), runs: values, foreign };
    };
    return [
      figure('p50', 'p50'),
      figure('p95', 'p95', { most: 25 }),
      figure('p99', 'p99'),
      figure("the API's event loop delay, p99", 'loop', { most: 50 }),
    ];
  },
};
