import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { messageOf } from '../../src/lib/errors.ts';
import { chatLine } from '../support/requests.ts';
import { PrivatePostgres } from './cluster.ts';
import { injure, type Patient } from './faults.ts';
import { checkAll, type Sent } from './history.ts';
import type { Process } from './process.ts';
import { openProxy } from './proxy.ts';
import { Random } from './random.ts';
import { Site } from './site.ts';
import { until } from './until.ts';

/**
 * A run in which everything goes wrong: clients upload, create, cancel and hasten batches, while workers, schedulers, the
 * API and PostgreSQL are killed, told to go, or stopped for longer than a lease, the wire between them loses what it
 * carries, and disks fail, at moments that a seed chooses. Then all of it must come to its end, and the history must be
 * right.
 */
export interface ChaosOptions {
  seed: number;
  /** How long clients come and faults happen. */
  seconds: number;
  /** Clients at a time. */
  clients?: number;
  /** Seconds for the batches to end after the last fault. */
  patience?: number;
  say?: (text: string) => void;
}

export interface ChaosResult {
  /** What must not be: empty where all is well. */
  wrong: string[];
  /** How often each fault happened. */
  faults: Record<string, number>;
  lines: number;
  /** How many batches ended each way. */
  ends: Record<string, number>;
  logs: string;
}

const pools = `
pools:
  - { name: spot, preemptible: true, maximum: 4, startup_seconds: 2 }
  - { name: dedicated, maximum: 4, startup_seconds: 2 }
`;

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

const linesFor = (random: Random, batch: string): Record<string, unknown>[] =>
  Array.from({ length: random.between(1, 600) }, (_, i) => chatLine(`${batch}-${i}`, { echo: scripts(random) }));

/** Batches a client has open at most: more than a busy machine does would only be waited for at the end. */
const most = 3;

/** One client: makes batch after batch, and perhaps loses patience with one. */
const client = async (site: Site, random: Random, name: string, sent: Sent[], over: () => boolean): Promise<void> => {
  const mine: string[] = [];
  for (let i = 0; !over(); i++) {
    await delay(random.between(0, 1_500));
    const batch = `${name}.${i}`;
    while (!over() && mine.length === most) {
      const open = await openOf(site, mine).catch(() => mine);
      mine.splice(0, most, ...open);
      await delay(100);
    }
    const one = await site.client.submit(linesFor(random, batch), { priority: random.pick(['normal', 'high', 40]), name: batch });
    sent.push(one);
    mine.push(one.id);
    const mood = random.next();
    await delay(random.between(0, 1_200));
    // Refused where the batch has ended already; lost where the API dies, and then not asked again.
    if (mood < 0.2) await site.client.ask('POST', `/v1/batches/${one.id}/cancel`, { mode: random.pick(['stop', 'abort']) });
    else if (mood < 0.35)
      await site.client.ask('PATCH', `/v1/batches/${one.id}`, { deadline: Math.ceil(Date.now() / 1_000) + random.between(1, 3) });
  }
};

const openOf = async (site: Site, ids: readonly string[]): Promise<string[]> => {
  const rows = await site.db.many<{ id: string }>({
    text: `select id from batches where id = any($1) and status not in ('completed', 'failed', 'expired', 'cancelled')`,
    values: [ids],
  });
  return rows.map(({ id }) => id);
};

const places = [
  ['api', {}],
  ['scheduler', {}],
  ['scheduler', {}],
  ['worker', { SLUICE_WORKER__POOL: 'dedicated' }],
  ['worker', { SLUICE_WORKER__POOL: 'spot' }],
  ['worker', { SLUICE_WORKER__POOL: 'spot' }],
] as const;

export const chaos = async ({ seed, seconds, clients = 6, patience = 120, say = () => {} }: ChaosOptions): Promise<ChaosResult> => {
  const random = new Random(seed);
  await using postgres = await PrivatePostgres.start();
  await using proxy = await openProxy(postgres.url);
  const env = { SLUICE_WORKER__NOTICE_SECONDS: '2' };
  await using site = await Site.open({ postgres: postgres.url, own: true, yaml: pools, env, through: async () => proxy.url });
  const wrong: string[] = [];
  const count: Record<string, number> = {};
  const marker = join(site.folder, 'disk-is-bad');
  // Uploads are refused by a disk that fails, which clients see; what was taken is the business of the others.
  const bad = { NODE_OPTIONS: `--import=${new URL('bad-disk.ts', import.meta.url).href}`, TEST_BAD_DISK: marker };
  const begin = (place: number): Process => {
    const [role, own] = places[place]!;
    return site.begin(role, { ...own, ...(role !== 'api' && bad) });
  };
  const slots = places.map((_, place) => begin(place));
  await Promise.all(slots.map((process) => process.said(/"msg":"ready/, patience * 1_000)));

  const began = performance.now();
  const over = (): boolean => performance.now() - began > seconds * 1_000;
  const after = new Set<Promise<unknown>>();
  const patient: Patient = {
    random,
    postgres,
    proxy,
    site,
    slots,
    pools: places.map(([, own]) => ('SLUICE_WORKER__POOL' in own ? own.SLUICE_WORKER__POOL : null)),
    marker,
    databaseUp: true,
    /** Puts a process in place of one that ended, again while the database is away and it cannot start. */
    async replace(place) {
      for (;;) {
        const process = begin(place);
        slots[place] = process;
        try {
          await process.said(/"msg":"ready/, patience * 1_000);
          return;
        } catch (error) {
          // Killed again meanwhile: whoever did that brings the next one.
          if (process.meant) return;
          if (!process.over) throw error;
          // The database was away, or its wire was cut, just when it had to be there.
          if (patient.databaseUp && !/ECONN|terminat|the database system is|timeout|cannot be reached/i.test(process.log)) throw error;
          process.meant = true;
          await delay(200);
        }
      }
    },
    later(work) {
      const done = work.catch((error: unknown) => void wrong.push(`a fault could not be ended: ${messageOf(error)}`));
      after.add(done);
      void done.finally(() => after.delete(done));
    },
  };
  site.client.patience = patience * 1_000;
  const sent: Sent[] = [];
  const submitted = Promise.all(Array.from({ length: clients }, (_, i) => client(site, new Random(seed * 1_000 + i), `c${i}`, sent, over)));
  // Looked at below; until then a failure must not end the program.
  submitted.catch(() => {});
  while (!over()) {
    await delay(random.between(50, 1_500));
    const fault = await injure(patient);
    if (fault === null) continue;
    count[fault] = (count[fault] ?? 0) + 1;
    say(`${((performance.now() - began) / 1_000).toFixed(1)} s: ${fault}`);
  }
  while (after.size > 0) await Promise.all(after);
  try {
    await submitted;
    await site.ended(sent, patience * 1_000);
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
  // Each batch had a key of its own, however often its client had to ask.
  if (made !== sent.length) wrong.push(`clients submitted ${sent.length} batches, and there are ${made}`);
  wrong.push(...(await until('the checks', () => checkAll(site.db, site.storage, sent), 120_000)));
  const ends = await site.db.many<{ status: string; n: number; lines: number }>({
    text: 'select status, count(*) as n, sum(total)::bigint as lines from batches group by status order by status',
    values: [],
  });
  // Their inputs are right, so whatever failed was our fault; but one whose schedulers died five times in a row is given up.
  const failed = await site.db.many<{ id: string; errors: string }>({
    text: `select id, errors::text as errors from batches where status = 'failed' and errors::text not like '%in 5 tries%'`,
    values: [],
  });
  for (const { id, errors } of failed) wrong.push(`${id} failed: ${errors}`);
  return {
    wrong,
    faults: count,
    lines: ends.reduce((sum, { lines }) => sum + lines, 0),
    ends: Object.fromEntries(ends.map(({ status, n }) => [status, n])),
    logs: wrong.length > 0 ? site.logs() : '',
  };
};
