import type { PortalBatch, PortalBatchCounts, PortalBatchPage } from '@sluice/contract';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sql } from '../../src/db/sql.ts';
import { insertBatch } from '../support/batch.ts';
import { insertMany } from '../support/many-batches.ts';
import { call } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

let sluice: Sluice;
let all: PortalBatch[];
beforeAll(async () => {
  sluice = await startSluice({
    keys: [
      { key: 'ada', tenant: 'lab', user: 'ada' },
      { key: 'eve', tenant: 'other', user: 'eve' },
    ],
    scheduler: false,
    workers: 0,
  });
  await insertMany(sluice.db, { count: 700 });
  await insertMany(sluice.db, { count: 60, tenant: 'other' });
  all = await pages('ada', {});
});
afterAll(() => sluice[Symbol.asyncDispose]());

type Query = Record<string, string | string[]>;

const ask = async (key: string, path: string, query: Query) => {
  const params = new URLSearchParams(
    Object.entries(query).flatMap(([name, value]) => [value].flat().map((each): [string, string] => [name, each])),
  );
  return call(sluice.clientFor(key), 'GET', `${path}?${params.toString()}`);
};
const page = async (key: string, query: Query) => {
  const { status, body } = await ask(key, '/v1/portal/batches', query);
  expect([status, body]).toEqual([200, body]);
  return body as unknown as PortalBatchPage;
};
const pages = async (key: string, query: Query, between?: () => Promise<void>): Promise<PortalBatch[]> => {
  const rows: PortalBatch[] = [];
  for (let cursor: string | null = null; ;) {
    const { data, next }: PortalBatchPage = await page(key, { limit: '200', ...query, ...(cursor !== null && { cursor }) });
    rows.push(...data);
    if (next === null) return rows;
    cursor = next;
    await between?.();
  }
};
const counts = async (query: Query) => (await ask('ada', '/v1/portal/batches/counts', query)).body as unknown as PortalBatchCounts;
const ids = (rows: readonly PortalBatch[]): string[] => rows.map(({ id }) => id);

const number = (batch: PortalBatch): number => Number.parseInt(batch.id.slice(18, 30), 16);

test('a list is of one tenant', async () => {
  expect(all.length).toBe(700);
  const theirs = await pages('eve', {});
  expect(theirs.length).toBe(60);
  expect(new Set(ids(all)).isDisjointFrom(new Set(ids(theirs)))).toBe(true);
  expect((await ask('eve', '/v1/portal/batches/counts', {})).body).toMatchObject({ total: 60, estimated: false });
  const { next } = await page('ada', { limit: '1', sort: 'total' });
  // A cursor of another tenant's is a place, and no more.
  expect((await page('eve', { limit: '200', sort: 'total', cursor: next! })).data.every(({ id }) => ids(theirs).includes(id))).toBe(true);
});

test('a row takes little', () => {
  for (const row of all) expect(Buffer.byteLength(JSON.stringify(row))).toBeLessThan(420);
  expect(Buffer.byteLength(JSON.stringify(all)) / all.length).toBeLessThan(400);
});

const duration = ({ created_at, ended_at }: PortalBatch): number => (ended_at === null ? Infinity : ended_at - created_at);
const sorted: Record<string, (batch: PortalBatch) => number | string> = {
  created_at: number,
  name: ({ name }) => (name ?? '').toLowerCase(),
  total: ({ total }) => total,
  failed: ({ failed, total }) => failed / Math.max(1, total),
  deadline: ({ deadline }) => deadline,
  duration,
};

test.each(Object.keys(sorted).flatMap((sort) => [sort, `-${sort}`]))(
  'sorted by %s, page after page, each batch comes once',
  async (sort) => {
    const rows = await pages('ada', { sort, limit: '170' });
    expect(ids(rows).toSorted()).toEqual(ids(all).toSorted());
    const keys = rows.map(sorted[sort.replace(/^-/, '')]!);
    const sign = sort.startsWith('-') ? -1 : 1;
    const rising = (before: number | string, after: number | string) => (before === after ? 0 : after > before ? sign : -sign);
    for (let i = 1; i < keys.length; i++) expect(rising(keys[i - 1]!, keys[i]!)).toBeGreaterThanOrEqual(0);
  },
);

test('what is created between two pages moves nobody', async () => {
  const made: string[] = [];
  const rows = await pages('eve', { limit: '7' }, async () => void made.push((await insertBatch(sluice.db, { tenant: 'other' })).id));
  expect([rows.length, new Set(ids(rows)).size, made.length]).toEqual([60, 60, 8]);
  expect(ids((await page('eve', { limit: '8' })).data).toSorted()).toEqual(made.toSorted());
});

/** What a filter means, said another way. */
const matches = (query: Query, row: PortalBatch): boolean => {
  const n = number(row);
  const among = (value: string | string[] | undefined, own: string | null) =>
    value === undefined || (own !== null && String(value).split(',').includes(own));
  const models = row.models === 2 ? ['boltz-2', 'echo'] : row.model === null ? [] : [row.model.split('@')[0]!];
  return (
    among(query['status'], row.status) &&
    among(query['user'], row.owner) &&
    among(query['pool'], row.pool) &&
    among(query['priority'], String(row.priority)) &&
    among(query['sla'], row.sla) &&
    (query['model'] === undefined ||
      String(query['model'])
        .split(',')
        .some((model) => models.includes(model))) &&
    (query['metadata'] === undefined ||
      [query['metadata']].flat().every((pair) => n % 3 === 0 && [`project:p${n % 40}`, `wave:${n % 9}`].includes(pair))) &&
    (query['q'] === undefined ||
      `${row.name?.toLowerCase() ?? ''} ${n % 3 === 0 ? `project p${n % 40} wave ${n % 9}` : ''}`
        .split(' ')
        .some((word) => word.startsWith(String(query['q']))))
  );
};

const list = (values: readonly string[]) =>
  fc.option(
    fc.subarray([...values], { minLength: 1 }).map((chosen) => chosen.join(',')),
    { nil: undefined, freq: 1 },
  );
const queries: fc.Arbitrary<Query> = fc
  .record({
    status: list(['completed', 'failed', 'in_progress', 'expired', 'cancelled', 'validating']),
    user: list(['ada', 'bob', 'nobody']),
    pool: list(['gpu', 'dedicated']),
    priority: list(['1', '5', '10']),
    sla: list(['met', 'breached', 'at_risk', 'on_track']),
    model: list(['boltz-2', 'echo', 'lab/solubility']),
    metadata: fc.option(fc.subarray(['project:p6', 'wave:3'], { minLength: 1 }), { nil: undefined }),
    q: fc.option(fc.constantFrom('kin', 'solubility', 'panel', 'p3', '69', 'none'), { nil: undefined }),
  })
  .map((query) => Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)) as Query);

test('any filter gives what it means, by any sort, and its counts are those of the others', async () => {
  await fc.assert(
    fc.asyncProperty(queries, fc.constantFrom(...Object.keys(sorted), '-created_at', '-failed'), async (query, sort) => {
      const wanted = all.filter((row) => matches(query, row));
      expect(ids(await pages('ada', { ...query, sort })).toSorted()).toEqual(ids(wanted).toSorted());
      const counted = await counts(query);
      expect([counted.total, counted.estimated]).toEqual([wanted.length, false]);
      const { status: _, ...others } = query;
      const rest = all.filter((row) => matches(others, row));
      for (const { value, count } of counted.status)
        expect([value, count]).toEqual([value, rest.filter(({ status }) => status === value).length]);
      const { model: __, ...besideModel } = query;
      const boltz = all.filter((row) => matches({ ...besideModel, model: 'boltz-2' }, row)).length;
      expect(counted.model.find(({ value }) => value === 'boltz-2@2.0.0')?.count ?? 0).toBe(boltz);
    }),
    { numRuns: 60 },
  );
}, 60_000);

test('a model is looked up by name among those of the tenant, also where nothing of it has ended yet', async () => {
  const { no, id } = await insertBatch(sluice.db, { tenant: 'lab', model: 'novel@3.0.0' });
  for (const model of ['novel', 'novel@3.0.0', 'novel,nothing']) expect(ids(await pages('ada', { model }))).toEqual([id]);
  for (const model of ['nov', 'novel@3', 'nothing']) expect(await pages('ada', { model })).toEqual([]);
  expect(await pages('eve', { model: 'novel' })).toEqual([]);
  await sluice.db.run(sql`delete from batches where no = ${no}`);
});

describe('a search box', () => {
  test('takes qualifiers, ids and ages', async () => {
    const some = all.filter(({ status, model }) => (status === 'failed' || status === 'expired') && model?.startsWith('boltz-2'));
    expect(ids(await pages('ada', { q: 'status:failed,expired model:boltz-2 -status:failed panel' })).toSorted()).toEqual(
      ids(some.filter(({ status, name }) => status === 'expired' && name !== null)).toSorted(),
    );
    expect(ids(await pages('ada', { q: all[5]!.id.slice(0, 30) }))).toEqual([all[5]!.id]);
    const { now, data } = await page('ada', { from: '24h', limit: '200' });
    expect(data.length).toBeGreaterThan(3);
    expect(data.every(({ created_at }) => created_at >= now - 86_401)).toBe(true);
    expect((await pages('ada', { q: 'created:<24h' })).length).toBe(data.length);
    expect((await pages('ada', { q: 'created:>24h' })).length).toBe(700 - data.length);
    expect((await pages('ada', { to: new Date((now - 86_400) * 1_000).toISOString() })).length).toBe(700 - data.length);
    expect(await pages('ada', { q: 'meta.project:p6' })).toEqual(await pages('ada', { metadata: 'project:p6' }));
  });

  test('finds batches by why their requests failed', async () => {
    const { no, id } = await insertBatch(sluice.db, { tenant: 'lab' });
    await sluice.db.run(
      sql`insert into requests (batch_no, line, state, model, code, message, attempts) values (${no}, 1, 'failed', 'echo@1.0.0', 'executor_error', 'CUDA out of memory at 0x7f', 1)`,
    );
    expect(ids(await pages('ada', { q: 'error:"cuda memory"' }))).toEqual([id]);
    expect(await pages('ada', { q: 'error:cpu' })).toEqual([]);
    await sluice.db.run(sql`delete from batches where no = ${no}`);
  });

  test('names in other scripts, and signs, are found', async () => {
    for (const [name, q] of [
      ['Цитохром P450', 'цито'],
      ['激酶 面板', '激酶'],
      ["O'Neil_(v2) 100%", "o'neil v2 100%"],
      ['résumé 😀', 'rés'],
    ] as const) {
      const { no, id } = await insertBatch(sluice.db, { tenant: 'lab' });
      await sluice.db.run(sql`update batches set name = ${name} where no = ${no}`);
      expect([name, ids(await pages('ada', { q }))]).toEqual([name, [id]]);
      await sluice.db.run(sql`delete from batches where no = ${no}`);
    }
    for (const q of ["'", '\\', '& | !', ':*', '"', '%_', '<->']) expect((await ask('ada', '/v1/portal/batches', { q })).status).toBe(200);
  });
});

test('what makes no sense is refused, and the field is named', async () => {
  const refused = async (query: Query) => {
    const { status, body } = await ask('ada', '/v1/portal/batches', query);
    return [status, (body['error'] as { param: string } | undefined)?.param];
  };
  expect(await refused({ status: 'done' })).toEqual([400, 'status']);
  expect(await refused({ sla: 'late' })).toEqual([400, 'sla']);
  expect(await refused({ priority: 'urgent' })).toEqual([400, 'priority']);
  expect(await refused({ from: 'yesterday' })).toEqual([400, 'from']);
  expect(await refused({ q: 'status:done' })).toEqual([400, 'q']);
  expect(await refused({ metadata: ['a:1', 'a:2'] })).toEqual([400, 'metadata']);
  expect(await refused({ metadata: 'nocolon' })).toEqual([400, 'metadata[0]']);
  expect(await refused({ sort: 'colour' })).toEqual([400, 'sort']);
  expect(await refused({ limit: '201' })).toEqual([400, 'limit']);
  const { next } = await page('ada', { limit: '1' });
  expect(await refused({ sort: 'name', cursor: next! })).toEqual([400, 'cursor']);
  const forged = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  for (const cursor of [
    'x',
    forged({}),
    forged(['-created_at', "'; drop table batches", 1]),
    forged(['-created_at', '2026-01-01', 1]),
    forged(['-created_at', 'now', null]),
  ])
    expect(await refused({ cursor })).toEqual([400, 'cursor']);
});
