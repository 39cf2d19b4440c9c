import { Client } from '@sluice/contract/client';
import { apiKey } from '../connect.ts';
import type { Context } from '../context.ts';
import { Exit, exitCodes } from '../exit.ts';
import { Tally, type Figures } from '../loadtest/figures.ts';
import { mixOf, rateOf, spanOf, turnsOf } from '../loadtest/options.ts';
import { runLoad } from '../loadtest/run.ts';
import { Target } from '../loadtest/target.ts';
import { count, duration, printJson, printTable, say } from '../output.ts';

export interface LoadOptions {
  rate?: string;
  concurrency?: number;
  mix: string;
  duration: string;
  count: number;
  model: string;
  lines: number;
  timeout: number;
  keep?: boolean;
}

/** Calls and clients above which this machine, and not the server, is what is measured. */
const mostCalls = 1_000_000;
const mostClients = 1_000;
/** Milliseconds for removing what the calls made. */
const removeMs = 60_000;

/** Puts a server under load and prints what its clients would have seen. Only ever talks to the server it was given. */
export const loadtest = async ({ client: { url }, address, terminal, fields, quiet }: Context, options: LoadOptions): Promise<void> => {
  if (address === null) throw new Exit(exitCodes.error, 'Which server is to be put under load was not said.', 'Say it: --url http://…');
  if (options.rate !== undefined && options.concurrency !== undefined)
    throw new Exit(exitCodes.error, '--rate and --concurrency exclude each other.');
  if (options.count > mostCalls || (options.concurrency ?? 1) > mostClients)
    throw new Exit(exitCodes.error, `At most ${count(mostCalls)} calls and ${count(mostClients)} at once.`);
  const [mix, durationMs] = [mixOf(options.mix), spanOf(options.duration)];
  const pace = options.concurrency === undefined ? { rate: rateOf(options.rate ?? '10/s') } : { concurrency: options.concurrency };
  const client = new Client({ url, key: apiKey(url), fetch: (input, init) => fetch(input, { ...init, redirect: 'error' }), retries: 0 });
  const target = new Target(client, { model: options.model, lines: options.lines, timeoutMs: options.timeout * 1000 });
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.once('SIGINT', interrupt);
  try {
    await target.prepare();
    if (!quiet)
      say(
        terminal,
        `${'rate' in pace ? `${pace.rate} calls a second` : `${pace.concurrency} clients`} for ${duration(durationMs / 1000)} against ${url} …`,
      );
    const call = (operation: Parameters<Target['call']>[0]) => target.call(operation);
    const run = await runLoad({ pace, durationMs, count: options.count, next: turnsOf(mix), call, signal: stop.signal });
    const all = new Tally();
    for (const tally of run.tallies.values()) all.add(tally);
    const rows = [...run.tallies].map(([operation, tally]) => tally.figures(operation, run.seconds));
    const total = all.figures('all', run.seconds);
    if (fields) printJson(terminal, { url, pace, seconds: run.seconds, operations: rows, total }, fields);
    else printTable(terminal, [...rows, total], columns);
    if (total.succeeded === 0) throw new Exit(exitCodes.error, 'No call succeeded.', 'See what is wrong: sluice verify');
  } finally {
    process.off('SIGINT', interrupt);
    const left = options.keep ? 0 : await target.remove(removeMs);
    if (left > 0) say(terminal, `${count(left)} batches and files named sluice-loadtest could not be removed.`);
  }
};

const ms = (of: (ms: NonNullable<Figures['ms']>) => number) => (row: Figures) => (row.ms === null ? null : of(row.ms).toFixed(1));

const columns = {
  operation: (row: Figures) => row.operation,
  calls: (row: Figures) => row.calls,
  'ok/s': (row: Figures) => row.rate,
  'p50 ms': ms(({ p50 }) => p50),
  'p90 ms': ms(({ p90 }) => p90),
  'p95 ms': ms(({ p95 }) => p95),
  'p99 ms': ms(({ p99 }) => p99),
  'max ms': ms(({ max }) => max),
  errors: (row: Figures) =>
    Object.entries(row.errors)
      .map(([kind, n]) => `${n} × ${kind}`)
      .join(', '),
};
