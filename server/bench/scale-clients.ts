/** Five hundred workers in one process: each with its own id, heartbeat, lease and parts, and the statements of the real one; what it runs takes time and no CPU. */
import { setTimeout as delay } from 'node:timers/promises';
import { openPool } from '../src/db/db.ts';
import { prepared, sql, unsynced } from '../src/db/sql.ts';
import { linesOf, eachLine } from '../src/formats/lines.ts';
import { renew, type Lease } from '../src/requests/claim.ts';
import { announceEnd } from '../src/requests/queue.ts';
import { emptyPart, settle } from '../src/requests/settle.ts';
import { claimTurn } from '../src/requests/turns.ts';
import { Rates } from '../src/workers/rates.ts';

export interface Orders {
  url: string;
  /** Numbers of the workers it plays, of all. */
  from: number;
  to: number;
  workers: number;
  claimsPerSecond: number;
  seconds: number;
  /** When the first claim is due, on the clock of this machine. */
  begin: number;
}

/** Milliseconds each statement took, a claim's from the moment it was due; and what went wrong. */
export interface Told {
  claims: number[];
  settles: number[];
  beats: number[];
  idle: number;
  lost: number;
}

const [leaseSeconds, heartbeatMs, settleMs] = [30, 5_000, 1_500];
const model = 'echo@1.0.0';

const play = async ({ url, from, to, workers, claimsPerSecond, seconds, begin }: Orders): Promise<Told> => {
  // What a pooler would give this half of the fleet.
  await using db = openPool({ url, name: 'worker', max: 16, indexed: true });
  const told: Told = { claims: [], settles: [], beats: [], idle: 0, lost: 0 };
  const end = begin + seconds * 1_000;
  const over = (): boolean => Date.now() >= end;
  const until = (time: number): Promise<void> => delay(Math.max(0, Math.min(time, end) - Date.now()));
  const timed = async <T>(times: number[], since: number, work: () => Promise<T>): Promise<T> => {
    const result = await work();
    times.push(performance.timeOrigin + performance.now() - since);
    return result;
  };
  const now = (): number => performance.timeOrigin + performance.now();

  const run = async (lease: Lease, rates: Rates, id: string, from: number): Promise<void> => {
    const lines = [...eachLine(lease.lines)];
    const parts = Math.max(1, Math.floor((0.9 * workers * 1_000) / claimsPerSecond / settleMs));
    rates.begin(model);
    for (let number = 1; number <= parts; number++) {
      await until(from + number * settleMs);
      if (over()) return;
      const settled = linesOf(lines.slice(((number - 1) * lines.length) / parts, (number * lines.length) / parts));
      const count = Math.floor((number * lines.length) / parts) - Math.floor(((number - 1) * lines.length) / parts);
      const key = `t/${lease.batchId}/${lease.chunkId}.${lease.token}.${number}`;
      const how = await timed(told.settles, now(), () =>
        settle(
          db,
          lease,
          id,
          {
            ...emptyPart(lease.parts + number),
            settled,
            segment: { key, dataBytes: 300 * count, manifestBytes: 24 * count },
            completed: count,
          },
          leaseSeconds,
        ),
      );
      rates.settled(
        model,
        Array.from({ length: count }, () => 20),
      );
      if (how === 'lost') told.lost++;
      if (how !== 'open') break;
    }
    rates.end(model);
    await announceEnd(db, lease.batchNo);
  };

  const worker = async (n: number): Promise<void> => {
    const id = `worker_${String(n).padStart(32, '0')}`;
    const pool = n % 2 === 0 ? 'spot' : 'dedicated';
    const kind = n % 2 === 0 ? ('spot' as const) : ('dedicated' as const);
    await db.run(
      sql`insert into workers (id, pool, kind, host, pid, models) values (${id}, ${pool}, ${kind}, 'bench', ${process.pid}, ${[model]}::text[])`,
    );
    const rates = new Rates(kind);
    let held: Lease | null = null;
    const beat = async (): Promise<void> => {
      for (let at = begin + Math.random() * heartbeatMs; at < end; at += heartbeatMs * (0.9 + Math.random() * 0.2)) {
        await until(at);
        if (over()) return;
        await timed(told.beats, now(), async () => {
          if (held !== null) await renew(db, id, [held.token], leaseSeconds);
          await db.maybe(
            prepared(
              sql`update workers set seen_at = now() from ${unsynced} where id = ${id} returning drain_requested_at is not null as drain`,
            ),
          );
          await rates.report(db);
        });
      }
    };
    const claims = async (): Promise<void> => {
      for (let i = n; ; i += workers) {
        const due = begin + (i * 1_000) / claimsPerSecond;
        await until(due);
        if (over()) return;
        held = await timed(told.claims, due, async () => {
          for (;;) {
            const claimed = await claimTurn(db, { id, kind, pool, models: [model] }, leaseSeconds);
            if (claimed === 'idle') told.idle++;
            else if (claimed !== 'again') return claimed;
            if (claimed === 'idle') await delay(50);
            if (over()) return null;
          }
        });
        if (held === null) return;
        await run(held, rates, id, Date.now());
        held = null;
      }
    };
    await Promise.all([beat(), claims()]);
  };
  await Promise.all(Array.from({ length: to - from }, (_, i) => worker(from + i)));
  return told;
};

process.once('message', (orders: Orders) => {
  void play(orders).then((told) => process.send!(told, () => process.disconnect()));
});
