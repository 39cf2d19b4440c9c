import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { chaos } from './chaos.ts';

/** `npm run chaos -- --minutes N [--seed S] [--quiet]`: chaos for so long; exits with 1, and the seed, where anything was not as it must be. */
const { values } = parseArgs({
  args: process.argv.slice(2).filter((arg) => arg !== '--'),
  options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string' }, quiet: { type: 'boolean', default: false } },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed ?? randomInt(1, 1_000_000));
if (!(minutes > 0) || !Number.isInteger(seed)) {
  process.stderr.write('--minutes must be a number above 0, and --seed a whole number.\n');
  process.exit(1);
}
process.stdout.write(`chaos of ${minutes} min, seed ${seed}\n`);
const { wrong, faults, lines, ends, logs } = await chaos({
  seed,
  seconds: minutes * 60,
  ...(!values.quiet && { say: (text: string) => void process.stdout.write(`  ${text}\n`) }),
}).catch((error: unknown) => ({
  wrong: [error instanceof Error ? (error.stack ?? error.message) : String(error)],
  faults: {},
  lines: 0,
  ends: {},
  logs: '',
}));
const sum = (of: Record<string, number>): number => Object.values(of).reduce((total, n) => total + n, 0);
const list = (of: Record<string, number>): string =>
  Object.entries(of)
    .map(([name, n]) => `${n} × ${name}`)
    .join(', ');
process.stdout.write(`faults: ${list(faults)}\nbatches: ${list(ends)}\n`);
for (const problem of wrong.slice(0, 50)) process.stdout.write(`VIOLATION: ${problem}\n`);
if (wrong.length > 0) process.stdout.write(`${logs}\nAgain with: npm run chaos -- --minutes ${minutes} --seed ${seed}\n`);
process.stdout.write(`${sum(faults)} faults, ${sum(ends)} batches, ${lines} requests, ${wrong.length} violations\n`);
process.exitCode = wrong.length > 0 ? 1 : 0;
