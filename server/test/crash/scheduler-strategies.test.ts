import { setTimeout as delay } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { sql } from '../../src/db/sql.ts';
import { chatLine } from '../support/requests.ts';
import { checkAll } from './history.ts';
import { startModelServer, type ModelServer } from './model-server.ts';
import { Site } from './site.ts';

/** What an upstream sees of a batch: it stands outside every worker. */
interface Seen {
  model: ModelServer;
  /** Requests as they came, and how many were under way at most. */
  order: string[];
  most: number;
  /** How many must have been under way at once, since this was set, before the first of them is answered. */
  together: number;
}

/** Answers after `ms`, but not before `together()` are under way at once; fails a request, for now, where `fails` says so. */
const watch = async (ms: number, fails: (customId: string, number: number, running: number) => boolean = () => false): Promise<Seen> => {
  const model = await startModelServer();
  const seen: Seen = { model, order: [], most: 0, together: 1 };
  let running = 0;
  let held: (() => void)[] = [];
  model.on = ({ customId, number, answer, reply }) => {
    running += 1;
    seen.order.push(customId);
    seen.most = Math.max(seen.most, running);
    const failed = fails(customId, number, running);
    const go = new Promise<void>((resolve) => held.push(resolve));
    if (running >= seen.together) {
      seen.together = 1;
      for (const resolve of held) resolve();
      held = [];
    }
    void Promise.all([delay(ms), go]).then(() => {
      running -= 1;
      if (!failed) return answer();
      reply.writeHead(503, { 'content-type': 'application/json' }).end('{"error":{"message":"too much","type":"server_error"}}');
      return;
    });
  };
  return seen;
};

const yaml = ({ model }: Seen, options = ''): string => `
pools:
  - { name: spot, preemptible: true, maximum: 4, startup_seconds: 5 }
  - { name: dedicated, maximum: 4, startup_seconds: 5 }
models:
  - name: llm
    version: 1.0.0
    executor: openai
    options: { base_url: "${model.url}/v1", breaker_failures: 0${options} }
`;

const lines = (count: number) => Array.from({ length: count }, (_, i) => chatLine(`r${i + 1}`, { model: 'llm' }));

/** Two dedicated workers and one on spot, each a process of its own. */
const open = async (seen: Seen, options?: string, env: Record<string, string> = {}): Promise<Site> => {
  const site = await Site.open({ postgres: inject('postgres'), yaml: yaml(seen, options), env: { SLUICE_RETRY__CAP_MS: '40', ...env } });
  await Promise.all([site.start('api'), site.start('scheduler')]);
  await Promise.all(['dedicated', 'dedicated', 'spot'].map((pool) => site.start('worker', { SLUICE_WORKER__POOL: pool })));
  return site;
};

const workersOf = async (site: Site): Promise<number> =>
  (await site.db.one<{ n: number }>(sql`select count(distinct worker_id)::int as n from segments`)).n;

test('max_concurrent holds over all workers and both kinds of pools, and parallel does not', { timeout: 240_000 }, async () => {
  const seen = await watch(60);
  await using _ = seen.model;
  await using site = await open(seen);
  seen.together = 4;
  const narrow = await site.client.submit(lines(120), { max_concurrent: 6 });
  await site.ended([narrow]);
  expect(seen.most).toBeLessThanOrEqual(6);
  expect(seen.most).toBeGreaterThan(3);
  seen.together = 17;
  const wide = await site.client.submit(lines(300), { strategy: 'parallel' });
  await site.ended([wide]);
  expect(seen.most).toBeGreaterThan(16);
  expect(await workersOf(site)).toBeGreaterThan(1);
  expect(await checkAll(site.db, site.storage, [narrow, wide])).toEqual([]);
});

test('sequential: one at a time, in order, and a retry before what comes after it', { timeout: 240_000 }, async () => {
  const seen = await watch(5, (id, number) => (id === 'r7' && number < 3) || (id === 'r20' && number < 2));
  await using _ = seen.model;
  await using site = await open(seen);
  const sent = await site.client.submit(lines(40), { strategy: 'sequential' });
  await site.ended([sent]);
  const expected = sent.customIds.flatMap((id) => (id === 'r7' ? [id, id, id] : id === 'r20' ? [id, id] : [id]));
  expect(seen.order).toEqual(expected);
  expect(seen.most).toBe(1);
  expect(await checkAll(site.db, site.storage, [sent])).toEqual([]);
});

test('resource_aware: as many at once as fit each worker, and none on one that is too small', { timeout: 240_000 }, async () => {
  const seen = await watch(40);
  await using _ = seen.model;
  await using site = await open(seen, ', request_memory_mb: 400, request_gpus: 0.25', {
    SLUICE_WORKER__MEMORY: '1GB',
    SLUICE_WORKER__GPUS: '1',
  });
  const small = await site.start('worker', { SLUICE_WORKER__MEMORY: '300MB' });
  seen.together = 6;
  const sent = await site.client.submit(lines(240), { strategy: 'resource_aware' });
  await site.ended([sent]);
  // Two of 400 MB in each of three workers of 1 GB.
  expect(seen.most).toBe(6);
  expect(await workersOf(site)).toBe(3);
  expect(small.over).toBe(false);
  expect(await checkAll(site.db, site.storage, [sent])).toEqual([]);
});

test('adaptive: begins with few, widens while it pays, and narrows where requests fail for it', { timeout: 240_000 }, async () => {
  const limit = 24;
  let failed = 0;
  // So slow that the machine is idle, whatever else it does: what limits the throughput is the width.
  const seen = await watch(120, (_id, _number, running) => running > limit && ++failed > 0);
  await using _ = seen.model;
  await using site = await open(seen);
  await site.db.run(sql`create table widths (seq bigint generated always as identity, width integer)`);
  await site.db.run(sql`
    create function widened() returns trigger language plpgsql as $$
    begin
      insert into widths (width) values (new.width);
      return null;
    end $$`);
  await site.db.run(sql`create trigger widened after insert or update of width on batches for each row execute function widened()`);
  const sent = await site.client.submit(lines(900), { strategy: 'adaptive' });
  await site.ended([sent]);
  const widths = (await site.db.many<{ width: number | null }>(sql`select width from widths order by seq`)).flatMap(
    ({ width }) => width ?? [],
  );
  expect(widths[0]).toBe(4);
  expect(Math.max(...widths)).toBeGreaterThanOrEqual(8);
  // Without the controller three workers would have gone on to 64 each.
  expect(seen.most).toBeLessThan(100);
  expect(await checkAll(site.db, site.storage, [sent])).toEqual([]);
});
