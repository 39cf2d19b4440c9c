import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { controllerNames, type ControllerName } from './controllers.ts';
import { zones } from './availability.ts';
import { availabilityOf, defaults, type Options } from './options.ts';
import { seeded } from './random.ts';
import { compare } from './simulate.ts';
import { printTable } from './table.ts';
import { manyBatches, parseTrace, singleBatch, type Arrival } from './workload.ts';

const usage = `sluice simulate: the scheduler's policy on a virtual clock, with made-up spot availability

  --compare              every policy, on the same seeds
  --policy NAME          one of ${controllerNames.join(', ')} (default rho_0_7)
  --seeds N              runs (default 20)
  --load X               share of the dedicated workers the work needs (default 0.6)
  --hours N              window of the single batch (default 24)
  --batches N            many batches instead of one, with windows of 1 h, 6 h and 24 h
  --tenants N            tenants of those (default 4)
  --trace FILE           a JSON array of batches: at, window, requests, seconds (and estimate, tenant, weight, priority, lane, maxConcurrent)
  --under X              estimates too low by this share (default 0)
  --factor X             safety factor on work (default 1.25)
  --spot N --dedicated N most workers of either kind (default 16)
  --spot-price X --dedicated-price X   per worker-hour (default 1 and 3)
  --cold-start SECONDS   start of a worker (default 300)
  --notice SECONDS       warning before a spot worker is taken (default 120)
  --zone NAME            ${zones.map(({ name }) => name).join(', ')} (default: all in turn)
  --correlated X         share of the spot slots that come and go together (default 1, with --zone)
  --noise X              spread of the true cost of a chunk (default 0)
  --admission MODE       refuse, flag or off (default refuse)
  --json                 rows as JSON
`;

const number = { type: 'string' } as const;
const flags = {
  compare: { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
  policy: { type: 'string' },
  trace: { type: 'string' },
  zone: { type: 'string' },
  admission: { type: 'string' },
  seeds: number,
  load: number,
  hours: number,
  batches: number,
  tenants: number,
  under: number,
  factor: number,
  spot: number,
  dedicated: number,
  'spot-price': number,
  'dedicated-price': number,
  'cold-start': number,
  notice: number,
  correlated: number,
  noise: number,
} as const;

class Wrong extends Error {}

/**
 * `sluice simulate`. Prints nothing itself.
 *
 * @param args what follows the word `simulate`
 * @param read reads a trace file
 * @returns what to print, and the exit code: 0; 2 for wrong arguments, with the reason as output
 */
export const simulateCommand = (
  args: readonly string[],
  read: (path: string) => string = (path) => readFileSync(path, 'utf8'),
): { code: 0 | 2; output: string } => {
  try {
    return { code: 0, output: simulate(args, read) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!(error instanceof Wrong) && !code.startsWith('ERR_PARSE_ARGS')) throw error;
    return { code: 2, output: `${(error as Error).message}\nsluice simulate --help lists the options.` };
  }
};

const simulate = (args: readonly string[], read: (path: string) => string): string => {
  const { values } = parseArgs({ args: [...args], options: flags, strict: true });
  if (values.help) return usage;
  const value = (name: keyof typeof flags, fallback: number, least: number, most = Infinity): number => {
    const given = values[name];
    const parsed = given === undefined ? fallback : Number(given);
    if (Number.isFinite(parsed) && parsed >= least && parsed <= most) return parsed;
    throw new Wrong(
      `--${name} must be a number ${most === Infinity ? `of at least ${least}` : `between ${least} and ${most}`}, not ${String(given)}`,
    );
  };
  const one = <T extends string>(name: 'policy' | 'admission' | 'zone', known: readonly T[], fallback: T): T => {
    const given = values[name] ?? fallback;
    const found = known.find((each) => each === given);
    if (found === undefined) throw new Wrong(`--${name} must be one of ${known.join(', ')}, not ${given}`);
    return found;
  };
  const most = value('dedicated', 16, 1, 10_000);
  const pools = {
    spot: { slots: value('spot', 16, 0, 10_000), price: value('spot-price', 1, 0), rate: 1 },
    dedicated: { max: most, min: 0, price: value('dedicated-price', 3, 0), rate: 1 },
  };
  const [load, under] = [value('load', 0.6, 0.001, 10), value('under', 0, 0, 0.9)];
  const traced = values.trace === undefined ? null : trace(values.trace, read);
  const workload = (seed: number): Arrival[] => {
    if (traced) return traced;
    if (values.batches === undefined) return singleBatch({ load, workers: most, hours: value('hours', 24, 0.1), under });
    const many = { batches: value('batches', 40, 1, 100_000), tenants: value('tenants', 4, 1, 10_000), load, workers: most, under };
    return manyBatches(many, seeded(`batches ${seed}`));
  };
  const zone =
    values.zone === undefined
      ? null
      : zones.find(
          ({ name }) =>
            name ===
            one(
              'zone',
              zones.map((each) => each.name),
              '',
            ),
        )!;
  const correlated = value('correlated', 1, 0, 1);
  const shared: Partial<Options> = {
    pools,
    factor: value('factor', defaults.factor, 0.1, 10),
    coldStart: value('cold-start', 300, 0),
    notice: value('notice', 120, 0),
    noise: value('noise', 0, 0, 3),
    admission: one('admission', ['refuse', 'flag', 'off'], 'refuse'),
  };
  const policies: readonly ControllerName[] = values.compare ? controllerNames : [one('policy', controllerNames, 'rho_0_7')];
  const rows = compare({
    policies,
    seeds: Math.round(value('seeds', 20, 1, 10_000)),
    scenario: (seed) => ({
      ...shared,
      workload: workload(seed),
      availability: zone ? { kind: 'zone', zone, correlated } : availabilityOf(seed),
    }),
  });
  return values.json ? JSON.stringify(rows, null, 2) : printTable(rows);
};

const trace = (path: string, read: (path: string) => string): Arrival[] => {
  try {
    return parseTrace(read(path));
  } catch (error) {
    throw new Wrong(`${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
};
