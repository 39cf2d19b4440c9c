import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, inject, test } from 'vitest';
import { sql } from '../../src/db/sql.ts';
import { conformance } from '../../src/fleet/conformance.ts';
import { LocalFleet } from '../../src/fleet/local.ts';
import { heldHere } from '../../src/roles/local-fleet.ts';
import { chatLine } from '../support/requests.ts';
import { bareEnvironment } from '../support/environment.ts';
import { checkAll } from './history.ts';
import { Site } from './site.ts';
import { until } from './until.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** Real workers, `sluice worker --pool …`, of a real database. */
class Workers extends LocalFleet {
  readonly #site: Site;

  constructor(site: Site) {
    super({
      spawn: (pool) => {
        const child = spawn(process.execPath, [main, 'worker', '--pool', pool], {
          cwd: site.folder,
          env: { ...bareEnvironment(), ...site.env },
          stdio: ['ignore', 'ignore', 'pipe'],
        });
        const ended = once(child, 'exit');
        const ready = new Promise<void>((resolve) => {
          child.stderr.on('data', (part: Buffer) => part.includes('"msg":"ready') && resolve());
        });
        return { pid: child.pid, ready, ended, stop: () => void child.kill('SIGTERM') };
      },
      heldBy: () => heldHere(site.db),
    });
    this.#site = site;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    await this.#site[Symbol.asyncDispose]();
  }
}

const pools = `pools:\n  - { name: one }\n  - { name: two }\n`;

conformance(
  'worker processes of this machine',
  {
    open: async () => new Workers(await Site.open({ postgres: inject('postgres'), yaml: pools })),
    until: (what, ask) => until(what, ask),
  },
  { timeout: 240_000 },
);

test(
  '`sluice start` runs as many workers as are wanted, lets idle ones go first, and none when nothing is left',
  { timeout: 240_000 },
  async () => {
    const yaml = `
pools:
  - { name: dedicated, maximum: 3, startup_seconds: 1, fleet: local }
models:
  - name: narrow
    version: 1.0.0
    executor: echo
    options: { max_concurrency: 4 }
`;
    await using site = await Site.open({ postgres: inject('postgres'), yaml });
    const all = await site.start('all');
    const workers = async (): Promise<number> =>
      (
        await site.db.one<{ n: number }>(
          sql`select count(*)::int as n from workers where state = 'ready' and seen_at > now() - interval '3 seconds'`,
        )
      ).n;
    expect(await site.db.many(sql`select id from workers`)).toEqual([]);
    const sent = await site.client.submit(
      Array.from({ length: 120 }, (_, i) => chatLine(`r${i}`, { model: 'narrow', echo: { delay_ms: 250 } })),
    );
    await until('there are three', async () => (await workers()) === 3);
    const figures = async (): Promise<string> => (await fetch(`${site.client.url}/metrics`)).text();
    // While they work: how many are wanted, how many are there, and that each has taken something.
    for (const line of [
      /^sluice_pool_desired_workers\{.*pool="dedicated"\} [0-3]$/m,
      /^sluice_pool_actual_workers\{.*pool="dedicated"\} [1-3]$/m,
      /^autoscaler_desired_dedicated_replicas\{.*\} [0-3]$/m,
      /^autoscaler_desired_spot_replicas\{.*\} 0$/m,
      /^sluice_queue_oldest_age_seconds\{.*pool="dedicated"\} /m,
      /^worker_dequeue_total\{.*pool="dedicated"\} [1-9]/m,
      /^sluice_queue_wait_seconds_count\{.*pool="dedicated"\} [1-9]/m,
    ])
      await until(`the figures have ${String(line)}`, async () => line.test(await figures()), 5_000);
    await site.ended([sent], 60_000);
    await until('it is counted as in time', async () => /^requests_sla_met_total\{.*\} 120$/m.test(await figures()));
    await until('there is none', async () => (await workers()) === 0, 30_000);
    await until('each has ended by itself', async () => {
      const { left } = await site.db.one<{ left: number }>(sql`select count(*)::int as left from workers where state <> 'stopped'`);
      return left === 0;
    });
    // And again from nothing.
    const next = await site.client.submit([chatLine('again')]);
    await site.ended([next], 30_000);
    expect(await checkAll(site.db, site.storage, [sent, next])).toEqual([]);
    expect(await site.db.many(sql`select line from attempts`)).toEqual([]);
    all.signal('SIGTERM');
    expect(await all.ended).toBe(0);
  },
);
