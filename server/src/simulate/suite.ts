import { writeFileSync } from 'node:fs';
import { controllerNames, type ControllerName } from './controllers.ts';
import { availabilityOf } from './options.ts';
import { seeded } from './random.ts';
import { compare, type Row } from './simulate.ts';
import { printTable } from './table.ts';
import { manyBatches, singleBatch } from './workload.ts';

/** One table of the suite: a workload under one pair of assumptions. */
export interface Cell {
  readonly name: string;
  readonly load: number | 'many';
  /** How much too low all work is estimated. */
  readonly under: number;
  /** Safety factor. */
  readonly factor: number;
  readonly coldStart: number;
  readonly policies: readonly ControllerName[];
}

const workers = 16;
/** The policies that promise something; the first is the product's default. */
const own: readonly ControllerName[] = ['rho_0_7', 'rho_0_7_safe', 'sum_of_up', 'dedicated_autoscaled'];

/** Exact estimates and estimates 20 % low, without and with the safety factor; every policy where it is compared, ours elsewhere. */
export const cells = (): Cell[] => {
  const all: Cell[] = [];
  for (const load of [0.3, 0.6, 0.75, 'many'] as const)
    for (const coldStart of [300, 900])
      for (const under of [0, 0.2])
        for (const factor of [1, 1.25]) {
          // Under-estimates without a factor are shown once: nothing is promised there.
          if (under > 0 && factor === 1 && coldStart === 900) continue;
          const compared = under === 0 && factor === 1.25 && (coldStart === 300 || load === 0.6);
          const policies = compared ? controllerNames : own;
          const work = load === 'many' ? 'many batches' : `single batch at load ${load}`;
          const name = `${work}, cold start ${coldStart / 60} min, estimates ${under === 0 ? 'exact' : `${under * 100} % low`}, safety factor ${factor}`;
          all.push({ name, load, under, factor, coldStart, policies });
        }
  return all;
};

export const runCell = ({ load, under, factor, coldStart, policies }: Cell, seeds: number): Row[] =>
  compare({
    policies,
    seeds,
    scenario: (seed) => ({
      factor,
      coldStart,
      availability: availabilityOf(seed),
      workload:
        load === 'many'
          ? manyBatches({ batches: 40, tenants: 4, load: 0.5, workers, under }, seeded(`batches ${seed}`))
          : singleBatch({ load, workers, under }),
    }),
  });

/** What a cell must not show: a promised deadline missed within the safety factor, or a cost above its bound. */
export const faults = (cell: Cell, rows: readonly Row[]): string[] => {
  const found: string[] = [];
  const covered = cell.factor * (1 - cell.under) >= 1 - 1e-9;
  for (const row of rows.filter(({ policy }) => own.includes(policy)))
    if (covered && row.missed > 0) found.push(`${row.policy} missed ${row.missed} of ${row.promised} promised deadlines`);
  const ours = rows.find(({ policy }) => policy === own[0])!;
  if (cell.load !== 'many' && cell.under === 0 && cell.coldStart === 300 && ours.costOverOracle > 1.15)
    found.push(`it costs ${ours.costOverOracle.toFixed(3)} × the oracle, more than 1.15`);
  if (ours.worstOverDedicated > 1.05)
    found.push(`one run costs ${ours.worstOverDedicated.toFixed(3)} × dedicated workers that never idle, more than 1.05`);
  return found.map((fault) => `${cell.name}: ${fault}`);
};

const preface = (seeds: number): string => `# Figures of the simulation

Last run of \`node server/src/simulate/suite.ts\`, ${seeds} seeds a table: 16 spot slots at 1, 16 dedicated workers at 3 per
worker-hour, chunks of 60 s, a round every 30 s, notice of 120 s; the nine synthetic zones in turn, slots all together, 94 %
and 50 % together, and each alone. Workers are paid for from the moment they are asked for, start included. **/oracle** is
against the lower bound of \`oracle.ts\`, **/dedicated** against dedicated workers that start in no time and never idle, *worst*
is the single worst run. A policy that misses is not comparable in cost: it goes on on spot after the deadline, for up to three days.
`;

const notes = `## Where the line stands, and why

\`rho_0_7\` is the product: its line at 0.7 of the dedicated workers is measured by the estimate as it is, and the safety factor
counts only in the hard line at 0.95 that keeps the deadlines. \`rho_0_7_safe\` is the rule as first written down, with the factor
in both. Neither missed a promised deadline. With a factor of 1 the two are the same. With 1.25 the first is cheaper for a
single batch at every load that reaches the line, because dedicated workers start later and spot has more time to come back;
for many batches it costs the same against the oracle, and refuses somewhat more arrivals, because work that was put off takes
room from them. \`calm: 0.7 / factor\` gives the other behaviour where arrivals matter more.

The help of dedicated workers ends at 0.8 of the line, not at 0.9: single batch, 24 seeds of the poorest zone, factor 1.25, worst
run against \`dedicated_autoscaled\` on the same seed, and mean against the oracle over 36 seeds of all zones:

| start, load | 0.9: worst, /oracle | 0.8: worst, /oracle | 0.9 and four starts before a fleet shrinks |
| --- | --- | --- | --- |
| 5 min, .3 | 0.890, 1.055 | 0.880, 1.051 | 0.890, 1.052 |
| 5 min, .6 | 0.960, 1.075 | 0.949, 1.077 | 0.956, 1.075 |
| 5 min, .75 | 0.972, 1.120 | 0.964, 1.128 | 0.969, 1.130 |
| 15 min, .3 | 1.044, 1.160 | 1.012, 1.156 | 1.045, 1.157 |
| 15 min, .6 | 1.054, 1.154 | 1.022, 1.144 | 1.039, 1.151 |
| 15 min, .75 | 1.045, 1.214 | 1.019, 1.211 | 1.032, 1.215 |

What is left above the oracle at 15 minutes is the starts themselves, which the oracle does not pay for: about a tenth of all
paid time.
`;

/** The whole suite, printed as it goes; returns what failed. */
export const runSuite = ({
  seeds,
  print,
  only = cells(),
}: {
  seeds: number;
  print: (text: string) => void;
  only?: readonly Cell[];
}): string[] => {
  print(preface(seeds));
  const failed = only.flatMap((cell) => {
    const rows = runCell(cell, seeds);
    print(`## ${cell.name}\n\n${printTable(rows, { markdown: true })}\n`);
    return faults(cell, rows);
  });
  print(notes);
  print(failed.length === 0 ? 'All bounds hold.\n' : `Broken bounds:\n${failed.map((fault) => `- ${fault}`).join('\n')}\n`);
  return failed;
};

if (import.meta.main) {
  const text: string[] = [];
  const failed = runSuite({
    seeds: 216,
    print: (part) => {
      text.push(part);
      process.stdout.write(`${part}\n`);
    },
  });
  writeFileSync(new URL('FIGURES.md', import.meta.url), text.join('\n'));
  process.exitCode = failed.length === 0 ? 0 : 1;
}
