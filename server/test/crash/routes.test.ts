import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { Batch } from '@sluice/contract';
import { expect, inject, test } from 'vitest';
import { sql } from '../../src/db/sql.ts';
import type { Process } from './process.ts';
import { Site } from './site.ts';
import { until } from './until.ts';

const yaml = `
models:
  - { name: a, version: 1.0.0, executor: echo }
  - { name: b, version: 1.0.0, executor: echo }
`;

/** Any number: what whoever comes to a stop waits for. */
const gate = 730_583;

/**
 * A scheduler is killed where its transaction stands: with one child made and one not; when it takes the parent up, all
 * of whose children have ended; when the parent's files are written, and its end is not committed.
 */
test('a scheduler killed while it fans out or ends a parent: the next one does it, once', { timeout: 240_000 }, async () => {
  await using site = await Site.open({ postgres: inject('postgres'), yaml });
  await site.db.run(sql`create table stops (name text primary key)`);
  await site.db.run(sql`
    create function stop_here() returns trigger language plpgsql as $$
    begin
      if exists (select from stops where name = tg_argv[0]) then
        perform pg_advisory_lock(${sql`730583`});
        perform pg_advisory_unlock(${sql`730583`});
      end if;
      return new;
    end $$`);
  // The second child is being made; the parent is being taken up; the parent is about to end.
  await site.db.run(
    sql`create trigger stop_fan_out before insert on batches for each row when (new.model = 'b@1.0.0') execute function stop_here('fan out')`,
  );
  await site.db.run(
    sql`create trigger stop_taking before update of status on batches for each row when (new.kind = 'parent' and new.status = 'finalizing') execute function stop_here('taking')`,
  );
  await site.db.run(
    sql`create trigger stop_ending before update of status on batches for each row when (new.kind = 'parent' and new.status = 'completed') execute function stop_here('ending')`,
  );
  const keeper = new pg.Client({ connectionString: site.env['SLUICE_DATABASE_URL']! });
  await keeper.connect();

  /** Has a scheduler come to the stop, and kills it there. */
  const killedAt = async (name: string, begin: () => Promise<Process>): Promise<void> => {
    await keeper.query('select pg_advisory_lock($1)', [gate]);
    await site.db.run(sql`insert into stops values (${name})`);
    const scheduler = await begin();
    await until(`a scheduler stands at ${name}`, () =>
      site.db.maybe(sql`select from pg_locks where locktype = 'advisory' and objid = ${gate} and not granted`),
    );
    await scheduler.kill();
    await site.db.run(sql`delete from stops`);
    await keeper.query('select pg_advisory_unlock($1)', [gate]);
    // The server finds out that its client is gone, and undoes what it had begun.
    await until(
      'nobody stands there',
      async () => (await site.db.maybe(sql`select from pg_locks where locktype = 'advisory' and objid = ${gate}`)) === null,
    );
  };

  try {
    const lines = Array.from({ length: 50 }, (_, i) => ({
      custom_id: `r${i}`,
      method: 'POST',
      url: '/v1/predict',
      body: { inputs: { x: i }, ...(i % 10 === 3 && { sluice_echo: { status: 400 } }) },
    }));
    await Promise.all([site.start('api'), site.start('worker')]);
    const sent = await site.client.submit(lines, { endpoint: '/v1/predict', models: ['a', 'b'] });
    const batches = () => site.db.many<{ id: string; kind: string; status: string }>(sql`select id, kind, status from batches order by no`);

    await killedAt('fan out', () => site.start('scheduler'));
    expect(await batches()).toEqual([{ id: sent.id, kind: 'parent', status: 'validating' }]);
    expect(await site.db.many(sql`select from chunks`)).toEqual([]);

    await killedAt('taking', () => site.start('scheduler'));
    expect((await batches()).map(({ kind, status }) => [kind, status])).toEqual([
      ['parent', 'in_progress'],
      ['batch', 'completed'],
      ['batch', 'completed'],
    ]);

    await killedAt('ending', () => site.start('scheduler'));
    expect((await batches())[0]).toMatchObject({ kind: 'parent', status: 'finalizing' });

    await site.start('scheduler');
    await site.ended([sent]);
    const batch = await site.client.call<Batch>('GET', `/v1/batches/${sent.id}`);
    expect(batch).toMatchObject({
      status: 'completed',
      request_counts: { total: 50, completed: 45, failed: 5, cancelled: 0, expired: 0 },
      children: [
        { model: 'a@1.0.0', status: 'completed' },
        { model: 'b@1.0.0', status: 'completed' },
      ],
    });
    const textOf = async (id: string): Promise<string[]> => {
      const { key } = await site.db.one<{ key: string }>(sql`select storage_key as key from files where id = ${id}`);
      return (await readFile(join(site.folder, 'data', 'storage', key), 'utf8')).trimEnd().split('\n');
    };
    const ids = async (file: string | null) => (await textOf(file!)).map((line) => (JSON.parse(line) as { custom_id: string }).custom_id);
    const failed = lines.filter((_, i) => i % 10 === 3).map(({ custom_id }) => custom_id);
    expect(await ids(batch.error_file_id)).toEqual(failed);
    expect(await ids(batch.output_file_id)).toEqual(sent.customIds.filter((id) => !failed.includes(id)));
    // Each of them began and ended once, and of its files there is one each.
    const twice = await site.db.many(
      sql`select batch_no, type from events where type in ('batch.created', 'batch.in_progress', 'batch.completed') group by 1, 2 having count(*) > 1`,
    );
    expect(twice).toEqual([]);
    expect(await site.db.one(sql`select count(*) as n from files where purpose = 'batch_output'`)).toEqual({ n: 6 });
  } finally {
    await keeper.end();
  }
});
