import { parseArgs } from 'node:util';
import { chaos } from './chaos.ts';

/** Chaos for as long as you like: `node server/test/crash/soak.ts --seeds 20 [--from 1] [--batches 8] [--faults 12] [--verbose]`. */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    from: { type: 'string', default: '1' },
    batches: { type: 'string', default: '8' },
    faults: { type: 'string', default: '12' },
    verbose: { type: 'boolean', default: false },
  },
});

let failed = 0;
for (let seed = Number(values.from); seed < Number(values.from) + Number(values.seeds); seed++) {
  const began = performance.now();
  const { wrong, faults, lines, ends, logs } = await chaos({
    seed,
    batches: Number(values.batches),
    faults: Number(values.faults),
    wire: seed % 2 === 0,
    ...(values.verbose && { say: (text: string) => console.log(`  ${text}`) }),
  }).catch((error: unknown) => ({ wrong: [String(error)], faults: {}, lines: 0, ends: {}, logs: '' }));
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  const what = Object.entries(faults).map(([name, n]) => `${n} × ${name}`);
  const how = Object.entries(ends).map(([status, n]) => `${n} ${status}`);
  console.log(
    `seed ${seed}: ${wrong.length === 0 ? 'right' : 'WRONG'} in ${seconds} s; ${lines} lines; ${how.join(', ')}; ${what.join(', ')}`,
  );
  if (wrong.length > 0) {
    failed++;
    for (const problem of wrong.slice(0, 30)) console.log(`  ${problem}`);
    console.log(logs);
  }
}
console.log(`${Number(values.seeds) - failed} seeds right, ${failed} wrong`);
process.exitCode = failed > 0 ? 1 : 0;
