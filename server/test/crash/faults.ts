import { rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { PrivatePostgres } from './cluster.ts';
import type { Process } from './process.ts';
import { isWrite, type Proxy } from './proxy.ts';
import type { Random } from './random.ts';
import type { Site } from './site.ts';

/** What faults are done to. */
export interface Patient {
  random: Random;
  postgres: PrivatePostgres;
  proxy: Proxy;
  site: Site;
  slots: Process[];
  /** The pool of each slot; null: no worker. */
  pools: (string | null)[];
  /** The file that makes disks fail. */
  marker: string;
  databaseUp: boolean;
  replace(place: number): Promise<void>;
  /** Work that goes on beside the next faults, and is waited for at the end. */
  later(work: Promise<unknown>): void;
}

type Fault = (patient: Patient) => Promise<string | null> | string | null;

/** A process at random; null where it was killed a moment ago and another is on its way: a busy machine would never have one that is ready. */
const anyPlace = ({ random, slots }: Patient): number | null => {
  const place = random.between(0, slots.length - 1);
  return works(slots[place]!) ? place : null;
};

const works = (process: Process): boolean => !process.over && !process.meant && process.log.includes('"msg":"ready');

const kill: Fault = async (patient) => {
  const place = anyPlace(patient);
  if (place === null) return null;
  const process = patient.slots[place]!;
  await process.kill();
  patient.later(delay(patient.random.between(0, 1_000)).then(() => patient.replace(place)));
  return `kill ${process.role}`;
};

/** SIGTERM, and SIGKILL when the notice is over. */
const notice: Fault = (patient) => {
  const place = anyPlace(patient);
  if (place === null || patient.pools[place] === null) return null;
  const process = patient.slots[place]!;
  process.signal('SIGTERM');
  const stopped = async (): Promise<void> => {
    await Promise.race([process.ended, delay(2_000)]);
    await process.kill();
    await patient.replace(place);
  };
  patient.later(stopped());
  return 'notice';
};

/** Longer than a lease, so that others take over what it holds; then it goes on as if nothing was. */
const stop: Fault = (patient) => {
  const place = anyPlace(patient);
  if (place === null) return null;
  const process = patient.slots[place]!;
  process.signal('SIGSTOP');
  patient.later(delay(patient.random.between(2_500, 5_000)).then(() => process.signal('SIGCONT')));
  return `stop ${process.role}`;
};

const spot: Fault = async (patient) => {
  const gone = patient.slots.flatMap((process, place) => (patient.pools[place] === 'spot' && works(process) ? [place] : []));
  if (gone.length < 2) return null;
  await Promise.all(gone.map((place) => patient.slots[place]!.kill()));
  for (const place of gone) patient.later(delay(patient.random.between(0, 3_000)).then(() => patient.replace(place)));
  return 'all spot workers';
};

const database: Fault = async (patient) => {
  const signal = patient.random.pick(['SIGKILL', 'SIGQUIT', 'SIGINT'] as const);
  patient.databaseUp = false;
  await patient.postgres.end(signal);
  await delay(patient.random.between(0, 1_500));
  await patient.postgres.again();
  patient.databaseUp = true;
  return `postgres ${signal}`;
};

/** For a while `set` holds, then `unset`; the same fault twice at once is one. */
const spell = (name: string, ms: [number, number], set: (patient: Patient) => Promise<void> | void, unset: typeof set): Fault => {
  const under = new WeakSet<Patient>();
  return async (patient) => {
    if (under.has(patient)) return null;
    under.add(patient);
    await set(patient);
    const ended = async (): Promise<void> => {
      await delay(patient.random.between(...ms));
      await unset(patient);
      under.delete(patient);
    };
    patient.later(ended());
    return name;
  };
};

const commits = spell(
  'connections lost around writes',
  [1_000, 4_000],
  ({ proxy, random }) => {
    proxy.fate = (statement) => (isWrite(statement) && random.chance(0.05) ? random.pick(['lose request', 'lose reply'] as const) : 'pass');
  },
  ({ proxy }) => {
    proxy.fate = () => 'pass';
  },
);

const silence = spell(
  'no notifications',
  [2_000, 6_000],
  ({ proxy }) => void (proxy.notify = false),
  ({ proxy }) => void (proxy.notify = true),
);

const disk = spell(
  'disks fail',
  [500, 2_000],
  ({ marker }) => writeFile(marker, ''),
  ({ marker }) => rm(marker, { force: true }),
);

/** Connections that are there and carry nothing: they are found out by time-outs, which takes half a minute. */
const strand: Fault = ({ proxy }) => {
  proxy.strand();
  return 'half-open connections';
};

/** A transaction that looks at an old state of everything. */
const snapshot: Fault = (patient) => {
  const hold = async (): Promise<void> => {
    const client = new pg.Client({ connectionString: patient.postgres.url });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query('begin isolation level repeatable read');
      await client.query('select count(*) from chunks');
      await delay(patient.random.between(2_000, 6_000));
    } catch {
      // The server went down under it.
    } finally {
      await client.end().catch(() => {});
    }
  };
  patient.later(hold());
  return 'a snapshot held open';
};

/** How often each comes, beside the others. */
const faults: [share: number, fault: Fault][] = [
  [8, kill],
  [3, notice],
  [3, stop],
  [2, spot],
  [3, database],
  [2, commits],
  [2, silence],
  [2, disk],
  [1, snapshot],
  [0.4, strand],
];

/** Does one of them, as chance has it; null where it could not be done just then. */
export const injure = async (patient: Patient): Promise<string | null> => {
  let at = patient.random.next() * faults.reduce((sum, [share]) => sum + share, 0);
  for (const [share, fault] of faults) {
    at -= share;
    if (at < 0) return fault(patient);
  }
  return null;
};
