import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { sql } from '../../src/db/sql.ts';
import { Nim, reportTo, type NimCall } from '../support/nim.ts';
import { checkAll } from './history.ts';
import type { Process } from './process.ts';
import { Site } from './site.ts';
import { until } from './until.ts';

const secret = randomBytes(32);

const open = async (stack: AsyncDisposableStack, options: string): Promise<{ site: Site; nim: Nim }> => {
  const nim = stack.use(await Nim.open());
  const common = `api: nim-boltz2, base_url: "${nim.url}", status_url: "${nim.url}/status", api_key: nim-key`;
  const model = `{name: boltz-2, version: "1.6.0", executor: http, options: {${common}, ${options}}}`;
  const site = stack.use(await Site.open({ postgres: inject('postgres'), yaml: `models: [${model}]` }));
  await writeFile(join(site.folder, 'secret'), `whsec_${secret.toString('base64')}`);
  await Promise.all([site.start('api'), site.start('scheduler')]);
  return { site, nim };
};

const submit = (site: Site) =>
  site.client.submit(
    [
      {
        custom_id: 'a',
        method: 'POST',
        url: '/v1/predict',
        body: { model: 'boltz-2', inputs: { protein: 'MKTVRQERLK', smiles: 'later' } },
      },
    ],
    { endpoint: '/v1/predict' },
  );

/** Kills a worker while a call of its is under way, and waits until its lease is over. */
const killAmid = async (site: Site, worker: Process): Promise<void> => {
  await until('the id of the call is kept', () => site.db.maybe(sql`select from remote_calls where call_id is not null`));
  await worker.kill();
  await until('its lease is over', () => site.db.maybe(sql`select from chunks where state = 'queued' and losses = 1`));
};

test(
  'a worker is killed while a remote call runs: the next one asks after the same call, and no other is made',
  { timeout: 240_000 },
  async () => {
    await using stack = new AsyncDisposableStack();
    const { site, nim } = await open(stack, 'poll_ms: 50');
    const worker = await site.start('worker');
    const asked = new Promise<NimCall>((resolve) => {
      nim.onAsked = resolve;
    });
    const sent = await submit(site);
    const call = await asked;
    await killAmid(site, worker);
    const before = call.asked;
    const again = new Promise<void>((resolve) => {
      nim.onAsked = (after) => {
        expect(after.id).toBe(call.id);
        resolve();
      };
    });
    await site.start('worker');
    await again;
    call.done = true;
    await site.ended([sent]);
    expect(nim.calls).toEqual([call]);
    expect(call.asked).toBeGreaterThan(before);
    expect(await checkAll(site.db, site.storage, [sent])).toEqual([]);
    expect(await site.db.one(sql`select completed, failed from batches where id = ${sent.id}`)).toEqual({ completed: 1, failed: 0 });
    expect(await site.db.many(sql`select from remote_calls`)).toEqual([]);
  },
);

test(
  'the end of a call is reported twice while no worker lives: the next one asks once, and settles once',
  { timeout: 240_000 },
  async () => {
    await using stack = new AsyncDisposableStack();
    // It would not ask by itself for an hour.
    const { site, nim } = await open(stack, 'poll_ms: 3600000, callback_url: "https://sluice.example.com", callback_secret_file: secret');
    const worker = await site.start('worker');
    const sent = await submit(site);
    const call = await until('the call is made', () => nim.calls[0]);
    await killAmid(site, worker);
    call.done = true;
    const callback = site.client.url + new URL(call.callback!).pathname;
    const replies = await Promise.all([reportTo(callback, secret), reportTo(callback, secret)]);
    const said = (await Promise.all(replies.map((reply) => reply.json()))) as { accepted: boolean }[];
    expect(said.filter(({ accepted }) => accepted)).toHaveLength(1);
    await site.start('worker');
    await site.ended([sent]);
    expect(nim.calls).toEqual([call]);
    expect(call.asked).toBe(1);
    // Whoever repeats it when all is over is nobody that this server knows.
    expect((await reportTo(callback, secret)).status).toBe(403);
    expect(await checkAll(site.db, site.storage, [sent])).toEqual([]);
    expect(await site.db.one(sql`select completed, failed from batches where id = ${sent.id}`)).toEqual({ completed: 1, failed: 0 });
    expect(await site.db.one(sql`select sum(completed)::int as settled from segments`)).toEqual({ settled: 1 });
  },
);
