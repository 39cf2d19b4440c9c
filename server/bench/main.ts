/**
 * The benchmarks: `npm run bench`, or `npm run bench -- NAME …` for some of them; those that take long can be cut short
 * with `--minutes N`, and tables with `--rows N`. Prints each figure as a line of JSON
 * and all of them as a table, and keeps the last ones in figures.json and FIGURES.md beside this file.
 */
import { parseArgs } from 'node:util';
import { before } from './before.ts';
import { chemistry } from './chemistry.ts';
import { claims } from './claims.ts';
import { dedup } from './dedup.ts';
import { engine } from './engine.ts';
import { table, type Bench } from './figures.ts';
import { idle } from './idle.ts';
import { intake } from './intake.ts';
import { jobs } from './jobs.ts';
import { keep } from './keep.ts';
import { molecules } from './molecules.ts';
import { oip } from './oip.ts';
import { onnx } from './onnx-figures.ts';
import { portal } from './portal.ts';
import { results } from './results.ts';
import { scale } from './scale.ts';
import { predict } from './predict.ts';
import { start } from './start.ts';
import { tables } from './tables.ts';
import { status } from './status.ts';

const benches: readonly Bench[] = [
  engine,
  before,
  intake,
  status,
  idle,
  start,
  onnx,
  claims,
  scale,
  jobs,
  oip,
  dedup,
  predict,
  chemistry,
  molecules,
  portal,
  results,
  tables,
];

const { values, positionals: wanted } = parseArgs({
  args: process.argv.slice(2).filter((arg) => arg !== '--'),
  allowPositionals: true,
  options: { minutes: { type: 'string' }, rows: { type: 'string' } },
});
const options = {
  ...(values.minutes !== undefined && { minutes: Number(values.minutes) }),
  ...(values.rows !== undefined && { rows: Number(values.rows) }),
};
const unknown = wanted.filter((name) => !benches.some((bench) => bench.name === name));
if (unknown.length > 0) {
  process.stderr.write(
    `There is no benchmark ${unknown.join(', ')}. There are:\n${benches.map(({ name, about }) => `  ${name.padEnd(8)} ${about}\n`).join('')}`,
  );
  process.exit(1);
}
const chosen = benches.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
const figures = [];
for (const bench of chosen) {
  process.stderr.write(`${bench.name}: ${bench.about}\n`);
  const measured = await bench.run(options);
  for (const figure of measured) process.stdout.write(`${JSON.stringify(figure)}\n`);
  await keep(bench.name, measured);
  figures.push(...measured);
}
process.stdout.write(`\n${table(figures)}\n`);
