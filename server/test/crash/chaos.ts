import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../src/lib/errors.ts';
import { chatLine } from '../support/requests.ts';
import { PrivatePostgres } from './cluster.ts';
import { checkAll, type Sent } from './history.ts';
import type { Process } from './process.ts';
import { isWrite, openProxy, type Proxy } from './proxy.ts';
import { Random } from './random.ts';
import { Site } from './site.ts';
import { until } from './until.ts';

/**
 * A run in which everything dies: clients upload, create, cancel and hasten batches, while workers, schedulers, the API
 * and PostgreSQL are killed, or stopped for longer than a lease, at moments that a seed chooses. Then all of it must
 * come to its end, and the history must be right.
 */
export interface ChaosOptions {
  seed: number;
  batches: number;
  /** Faults to inject. */
  faults: number;
  /** Milliseconds for the batches to end after the last fault. */
  patience?: number;
  /** Whether the wire to PostgreSQL is bad too: connections are lost around writes, and perhaps all notifications. */
  wire?: boolean;
  say?: (text: string) => void;
}

export interface ChaosResult {
  wrong: string[];
  /** How often each fault happened. */
  faults: Record<string, number>;
  lines: number;
  /** How many batches ended each way. */
  ends: Record<string, number>;
  logs: string;
}

const scripts = (random: Random) =>
  random.pick([
    undefined,
    undefined,
    undefined,
    { delay_ms: random.between(1, 400) },
    { fail_times: random.between(1, 2) },
    { fail_times: 1, status: 503, delay_ms: 20 },
    { status: 400 },
    { status: 500 },
    { bytes: random.between(1, 30_000) },
  ]);

const linesFor = (random: Random, batch: number): Record<string, unknown>[] =>
  Array.from({ length: random.between(1, 600) }, (_, i) => chatLine(`b${batch}-${i}`, { echo: scripts(random) }));

/** One client: makes a batch, and perhaps loses patience with it. */
const client = async (site: Site, random: Random, batch: number): Promise<Sent> => {
  await delay(random.between(0, 1_500));
  const sent = await site.client.submit(linesFor(random, batch), { priority: random.pick(['normal', 'high', 40]), name: `batch ${batch}` });
  const mood = random.next();
  await delay(random.between(0, 1_200));
  // Refused where the batch has ended already; lost where the API dies, and then not asked again.
  if (mood < 0.2) await site.client.ask('POST', `/v1/batches/${sent.id}/cancel`, { mode: random.pick(['stop', 'abort']) });
  else if (mood < 0.35)
    await site.client.ask('PATCH', `/v1/batches/${sent.id}`, { deadline: Math.ceil(Date.now() / 1_000) + random.between(1, 3) });
  return sent;
};

const badWire = async (url: string, random: Random): Promise<Proxy> => {
  const proxy = await openProxy(url);
  proxy.notify = random.chance(0.7);
  proxy.fate = (statement) => (isWrite(statement) && random.chance(0.03) ? random.pick(['lose request', 'lose reply'] as const) : 'pass');
  return proxy;
};

export const chaos = async ({
  seed,
  batches,
  faults,
  patience = 60_000,
  wire = false,
  say = () => {},
}: ChaosOptions): Promise<ChaosResult> => {
  const random = new Random(seed);
  await using postgres = await PrivatePostgres.start();
  await using stack = new AsyncDisposableStack();
  const through = wire ? async (url: string): Promise<string> => stack.use(await badWire(url, new Random(seed + 1))).url : undefined;
  await using site = await Site.open({ postgres: postgres.url, own: true, ...(through && { through }) });
  const wrong: string[] = [];
  const count: Record<string, number> = {};
  const note = (fault: string): void => {
    count[fault] = (count[fault] ?? 0) + 1;
    say(fault);
  };
  const roles = ['api', 'scheduler', 'scheduler', 'worker', 'worker'] as const;
  const slots: Process[] = await Promise.all(roles.map((role) => site.start(role)));
  let databaseUp = true;

  /** Puts a process in place of one that ended, again while the database is away and it cannot start. */
  const replace = async (place: number): Promise<void> => {
    for (;;) {
      const process = site.begin(roles[place]!);
      slots[place] = process;
      try {
        await process.said(/"msg":"ready/);
        return;
      } catch (error) {
        // Killed again meanwhile: whoever did that brings the next one.
        if (process.meant) return;
        if (!process.over || databaseUp) throw error;
        process.meant = true;
        await delay(200);
      }
    }
  };

  const clients = Array.from({ length: batches }, (_, i) => client(site, new Random(seed * 1_000 + i), i));
  const submitted = Promise.all(clients);
  // Looked at below; until then a failure must not end the program.
  submitted.catch(() => {});
  const after: Promise<unknown>[] = [];
  const later = (promise: Promise<unknown>): void => {
    promise.catch(() => {});
    after.push(promise);
  };
  for (let fault = 0; fault < faults; fault++) {
    await delay(random.between(50, 1_200));
    const place = random.between(0, slots.length - 1);
    const process = slots[place]!;
    // Killed a moment ago, and another is on its way.
    if (process.over) continue;
    const kind = random.next();
    if (kind < 0.2) {
      const signal = random.pick(['SIGKILL', 'SIGQUIT'] as const);
      note(`postgres ${signal}`);
      databaseUp = false;
      await postgres.end(signal);
      await delay(random.between(0, 1_500));
      await postgres.again();
      databaseUp = true;
    } else if (kind < 0.35) {
      // Longer than a lease, so that others take over what it holds; then it goes on as if nothing was.
      note(`stop ${process.role}`);
      process.signal('SIGSTOP');
      later(delay(random.between(2_500, 5_000)).then(() => process.signal('SIGCONT')));
    } else {
      note(`kill ${process.role}`);
      await process.kill();
      later(delay(random.between(0, 1_000)).then(() => replace(place)));
    }
  }
  await Promise.all(after);
  let sent: Sent[] = [];
  try {
    sent = await submitted;
    await site.ended(sent, patience);
  } catch (error) {
    wrong.push(messageOf(error), ...(error instanceof Error && error.cause instanceof Error ? [error.cause.message] : []));
  }
  for (const process of site.processes)
    if (process.over && !process.meant) wrong.push(`${process.role} ${process.pid} ended by itself:\n${process.log.slice(-1_500)}`);
  // What is left stops when asked.
  for (const process of site.running()) process.signal('SIGTERM');
  for (const process of site.processes.filter((p) => !p.over)) {
    const how = await Promise.race([process.ended, delay(20_000, 'still there')]);
    if (how !== 0) wrong.push(`${process.role} was asked to stop: ${how}\n${process.log.slice(-1_500)}`);
  }
  const { made } = await site.db.one<{ made: number }>({ text: 'select count(*) as made from batches', values: [] });
  // Each client had a key of its own, however often it had to ask.
  if (made !== batches) wrong.push(`${batches} clients made ${made} batches`);
  wrong.push(...(await until('the checks', () => checkAll(site.db, site.storage, sent))));
  const ends = await site.db.many<{ status: string; n: number; lines: number }>({
    text: 'select status, count(*) as n, sum(total)::bigint as lines from batches group by status order by status',
    values: [],
  });
  return {
    wrong,
    faults: count,
    lines: ends.reduce((sum, { lines }) => sum + lines, 0),
    ends: Object.fromEntries(ends.map(({ status, n }) => [status, n])),
    logs: wrong.length > 0 ? site.logs() : '',
  };
};
