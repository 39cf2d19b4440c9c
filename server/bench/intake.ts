/** A million lines in, a million lines out: how fast, and how much memory each process takes for it. */
import { join } from 'node:path';
import { round, type Bench, type Figure } from './figures.ts';
import { createBatch, install, metric, untilEnded, upload, type Installation } from './installation.ts';
import { inQuiet, median, peakMemory } from './machine.ts';
import { requestText, writeRequests } from './work.ts';

const bytes = 420;
const rounds = 3;
const roles = ['api', 'scheduler', 'worker'] as const;

/** Every tenth request fails at its first attempt: it settles in another chunk, long after its neighbours. */
const unsteadyText = (n: number, size: number): string => {
  if (n % 10 !== 0) return requestText(n, size);
  const script = ',"sluice_echo":{"fail_times":1}}}';
  return requestText(n, size - script.length + 2).slice(0, -2) + script;
};

interface Run {
  upload: number;
  intake: number;
  finalize: number;
  seconds: number;
  peak: Record<(typeof roles)[number], number>;
}

/** One batch through an installation that has done nothing before. */
const runOnce = async (lines: number, text = requestText): Promise<Run> => {
  await using sluice = await install();
  const input = join(sluice.dataDir, 'input.jsonl');
  writeRequests(input, lines, bytes, text);
  const began = performance.now();
  const file = await upload(sluice.url, input);
  const uploaded = performance.now();
  const batch = await untilEnded(sluice.url, (await createBatch(sluice.url, file.id)).id, 200);
  const seconds = (performance.now() - uploaded) / 1_000;
  if (batch.request_counts?.completed !== lines) throw new Error(`the batch ended with ${JSON.stringify(batch.request_counts)}`);
  const told = (name: string) => metric(sluice.roles.scheduler.health, `sluice_${name}`);
  return {
    upload: file.bytes / 1e3 / (uploaded - began),
    intake: (await told('intake_lines_total')) / (await told('intake_seconds_total')),
    finalize: (await told('finalized_bytes_total')) / 1e6 / (await told('finalize_seconds_total')),
    seconds,
    peak: peaks(sluice),
  };
};

const peaks = ({ roles: processes }: Installation): Run['peak'] => ({
  api: peakMemory(processes.api.pid),
  scheduler: peakMemory(processes.scheduler.pid),
  worker: peakMemory(processes.worker.pid),
});

export const intake: Bench = {
  name: 'intake',
  about: '1,000,000 lines of 420 bytes: validation, memory, output file',
  async run() {
    const small: Run[] = [];
    const large: Run[] = [];
    const unsteady: Run[] = [];
    const foreign: number[] = [];
    for (let i = 0; i < rounds; i++) {
      const { foreign: others } = await inQuiet(
        async () => {
          small[i] = await runOnce(100_000);
          large[i] = await runOnce(1_000_000);
          unsteady[i] = await runOnce(1_000_000, unsteadyText);
        },
        { name: `intake, round ${i + 1}`, tries: 2 },
      );
      foreign.push(others);
    }
    const figure = (name: string, unit: string, values: number[], target?: Figure['target']): Figure => {
      const runs = values.map(round);
      return { bench: 'intake', name, value: median(runs), unit, ...(target && { target }), runs, foreign };
    };
    const of = <K extends 'upload' | 'intake' | 'finalize' | 'seconds'>(runs: Run[], key: K) => runs.map((run) => run[key]);
    return [
      figure('upload, 420 MB', 'MB/s', of(large, 'upload')),
      figure('validation, 1,000,000 lines', 'lines/s', of(large, 'intake'), { least: 100_000 }),
      figure('created to completed, 1,000,000 lines', 's', of(large, 'seconds')),
      figure('output file, settled in line order', 'MB/s', of(large, 'finalize'), { least: 150 }),
      figure('output file, one in ten settled much later', 'MB/s', of(unsteady, 'finalize'), { least: 150 }),
      ...roles.flatMap((role) => [
        figure(
          `peak memory of the ${role}, 1,000,000 lines`,
          'MB',
          large.map((run) => run.peak[role]),
          { most: 300 },
        ),
        figure(
          `the same against 100,000 lines`,
          'x',
          large.map((run, i) => run.peak[role] / small[i]!.peak[role]),
          { most: 1.2 },
        ),
      ]),
      ...roles.map((role) =>
        figure(
          `peak memory of the ${role}, one in ten settled much later`,
          'MB',
          unsteady.map((run) => run.peak[role]),
          { most: 300 },
        ),
      ),
    ];
  },
};
