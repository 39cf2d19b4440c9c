/** What all that decides costs: the engine as it is against the engine as it was before there was a scheduler to speak of. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { round, type Bench, type Figure } from './figures.ts';
import { createBatch, install, untilEnded, upload, type Installation } from './installation.ts';
import { inQuiet, median } from './machine.ts';
import { requestLines } from './work.ts';

const commit = '49e4c08';
const rounds = 9;
const lines = 100_000;
const root = fileURLToPath(new URL('../../', import.meta.url));

/** That commit in a folder of its own, with the packages that are installed here. */
const checkOut = (): { folder: string } & Disposable => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-before-'));
  const git = (...args: string[]) => execFileSync('git', ['-C', root, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  git('worktree', 'add', '--force', '--detach', folder, commit);
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '@sluice'), { recursive: true });
  for (const name of readdirSync(join(root, 'node_modules')))
    if (name !== '@sluice') symlinkSync(join(root, 'node_modules', name), join(modules, name));
  for (const name of ['contract', 'server']) symlinkSync(join(folder, name), join(modules, '@sluice', name));
  return {
    folder,
    [Symbol.dispose]() {
      rmSync(folder, { recursive: true, force: true });
      git('worktree', 'prune');
    },
  };
};

const runOnce = async ({ url }: Installation, input: Buffer): Promise<number> => {
  const began = performance.now();
  const file = await upload(url, input);
  const batch = await untilEnded(url, (await createBatch(url, file.id)).id);
  if (batch.request_counts?.completed !== lines) throw new Error(`the batch ended with ${JSON.stringify(batch.request_counts)}`);
  return lines / ((performance.now() - began) / 1_000);
};

export const before: Bench = {
  name: 'before',
  about: 'the engine against itself before scheduling and deduplication',
  async run() {
    using old = checkOut();
    await using then = await install({ checkout: old.folder });
    await using now = await install();
    const input = requestLines(lines, 400);
    const sides = [
      { installation: then, rates: [] as number[] },
      { installation: now, rates: [] as number[] },
    ];
    const foreign: number[] = [];
    for (let i = -1; i < rounds; i++)
      for (const { installation, rates } of i % 2 === 0 ? sides : sides.toReversed()) {
        const { result, foreign: others } = await inQuiet(() => runOnce(installation, input), { name: `before, round ${i + 1}`, tries: 1 });
        // The first is for the compiler.
        if (i < 0) continue;
        rates.push(result);
        foreign.push(others);
      }
    const [was, is] = sides.map(({ rates }) => rates) as [number[], number[]];
    const figure = (name: string, unit: string, values: number[], target?: Figure['target']): Figure => {
      const runs = values.map(round);
      return { bench: 'before', name, value: median(runs), unit, ...(target && { target }), runs, foreign };
    };
    return [
      figure('as it is', 'req/s', is),
      figure(`as it was (${commit})`, 'req/s', was),
      figure(
        'as it is : as it was',
        '%',
        is.map((rate, i) => (100 * rate) / was[i]!),
        { least: 95 },
      ),
    ];
  },
};
