/** Jobs: from the submission over HTTP until the answer has been read, one by one at rest and many at once. */
import { setTimeout as delay } from 'node:timers/promises';
import { round, type Bench, type Figure } from './figures.ts';
import { call, install, query, type Reply } from './installation.ts';
import { inQuiet, median } from './machine.ts';

const rounds = 3;
const clients = 64;
const seconds = 6;
const alone = 100;

const body = JSON.stringify({
  model: 'echo',
  messages: [{ role: 'user', content: 'What is the solubility of aspirin in water?' }],
  max_tokens: 64,
});

const checked = ({ status, body: text }: Reply, wanted: number): string => {
  if (status !== wanted) throw new Error(`${status}: ${text.slice(0, 500)}`);
  return text;
};

const submit = (url: string, headers: Record<string, string> = {}): Promise<Reply> =>
  call(`${url}/v1/jobs`, 'POST', body, { 'content-type': 'application/json', ...headers });

/** Submits, then asks for the result, which is held until there is one. */
const inTwo = async (url: string): Promise<void> => {
  const { id } = JSON.parse(checked(await submit(url), 202)) as { id: string };
  checked(await call(`${url}/v1/jobs/${id}/result?wait=30`), 200);
};

/** One call, held until the result is there. */
const inOne = async (url: string): Promise<void> => void checked(await submit(url, { prefer: 'wait=30' }), 200);

/** Jobs a second, with so many clients at once; the first second does not count. */
const rate = async (url: string, ask: (url: string) => Promise<void>): Promise<number> => {
  let done = 0;
  let over = false;
  const client = async (): Promise<void> => {
    while (!over) {
      await ask(url);
      done++;
    }
  };
  const running = Promise.all(Array.from({ length: clients }, client));
  await delay(1_000);
  const [before, began] = [done, performance.now()];
  await delay(seconds * 1_000);
  const perSecond = ((done - before) * 1_000) / (performance.now() - began);
  over = true;
  await running;
  return perSecond;
};

/** Milliseconds from submission to result, one job at a time with a rest between. */
const latency = async (url: string, ask: (url: string) => Promise<void>): Promise<number> => {
  const took: number[] = [];
  for (let i = 0; i < alone; i++) {
    const began = performance.now();
    await ask(url);
    took.push(performance.now() - began);
    await delay(20);
  }
  return median(took);
};

interface Run {
  idle: number;
  two: number;
  one: number;
}

export const jobsOnce = async (): Promise<Run> => {
  await using sluice = await install();
  // What is done once, compiling above all, is not what is asked here.
  for (let i = 0; i < 200; i++) await inOne(sluice.url);
  const idle = await latency(sluice.url, inTwo);
  const two = await rate(sluice.url, inTwo);
  const one = await rate(sluice.url, inOne);
  const [left] = await query<{ n: number }>(sluice.database, "select count(*)::int as n from jobs where state <> 'completed'");
  if (left!.n > 0) throw new Error(`${left!.n} jobs are not completed`);
  return { idle, two, one };
};

export const jobs: Bench = {
  name: 'jobs',
  about: `jobs of echo: one at a time at rest, and ${clients} clients at once`,
  async run() {
    const runs: Run[] = [];
    const foreign: number[] = [];
    for (let i = 0; i < rounds; i++) {
      const { result, foreign: others } = await inQuiet(jobsOnce, { name: `jobs, round ${i + 1}`, tries: 2 });
      runs.push(result);
      foreign.push(others);
    }
    const figure = (name: string, unit: string, key: keyof Run, target?: Figure['target']): Figure => {
      const values = runs.map((run) => round(run[key]));
      return { bench: 'jobs', name, value: median(values), unit, ...(target && { target }), runs: values, foreign };
    };
    return [
      figure('submit, then result, at rest, p50', 'ms', 'idle', { most: 30 }),
      figure('submit, then result', 'jobs/s', 'two', { least: 1_000 }),
      figure('submit and wait in one call', 'jobs/s', 'one', { least: 1_000 }),
    ];
  },
};
