import { hash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { PredictionRecord } from '@sluice/contract';
import type { Pool } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { buildServer } from '../http/server.ts';
import type { App } from '../lib/app.ts';
import { silent } from '../lib/log.ts';
import { Models } from '../models/models.ts';
import { mlp } from '../../test/support/onnx-models.ts';
import { test } from '../../test/support/database.ts';
import { Predictor } from './predictor.ts';
import { csvField } from './records-export.ts';
import { recordRoutes } from './records-routes.ts';
import { dropDue, Records } from './records.ts';
import { predictRoutes } from './routes.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-records-'));
  await writeFile(join(folder, 'mlp.onnx'), mlp([4, 3]));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Site extends AsyncDisposable {
  app: App;
  records: Records;
  ask: (path: string, body?: unknown, key?: string) => Promise<{ status: number; body: string; json: Record<string, unknown> }>;
}

const open = async (db: Pool): Promise<Site> => {
  const path = join(folder, 'mlp.onnx');
  const onnx = (name: string, options: Record<string, unknown>) =>
    ({ name, version: '1.0.0', executor: 'onnx', options: { path, processes: 1, ...options } }) as const;
  const models = new Models([
    onnx('meta', {}),
    onnx('whole', { records: { keep: 'full', days: 2 } }),
    onnx('secret', { records: { keep: 'none' } }),
  ]);
  const predictor = new Predictor({ models, log: silent, scratch: folder });
  const records = new Records({ db, log: silent });
  const app = await buildServer({
    keys: [
      { key: 'ada', tenant: 'lab', user: 'ada' },
      { key: 'eve', tenant: 'other', user: 'eve' },
    ],
    log: silent,
    checkReplies: true,
    routes: (routes) => {
      predictRoutes(routes, { predictor, recorder: records });
      recordRoutes(routes, { db });
    },
  });
  return {
    app,
    records,
    ask: async (url, body, key = 'ada') => {
      const reply = await app.inject({
        method: body === undefined ? 'GET' : 'POST',
        url,
        headers: { authorization: `Bearer ${key}` },
        ...(body !== undefined && { payload: body as object }),
      });
      return {
        status: reply.statusCode,
        body: reply.body,
        json: String(reply.headers['content-type']).startsWith('application/json')
          ? (JSON.parse(reply.body) as Record<string, unknown>)
          : {},
      };
    },
    async [Symbol.asyncDispose]() {
      await app.close();
      await records[Symbol.asyncDispose]();
    },
  };
};

const inputs = [0.1, 0.2, 0.3, 0.4];

describe('records', () => {
  test('who, when, which version, how long; bodies only where the model keeps them', async ({ db }) => {
    await using site = await open(db);
    const plain = await site.ask('/v1/predict', { model: 'meta', inputs });
    const whole = await site.ask('/v1/predict', { model: 'whole', inputs });
    expect((await site.ask('/v1/predict', { model: 'secret', inputs })).status).toBe(200);
    const bad = await site.ask('/v1/predict', { model: 'meta', inputs: ['x'] });
    expect(bad.status).toBe(400);
    await site.records.flush();

    const { data } = (await site.ask('/v1/predictions')).json as { data: PredictionRecord[] };
    expect(data.map(({ model, status_code }) => [model, status_code])).toEqual([
      ['meta@1.0.0', 400],
      ['whole@1.0.0', 200],
      ['meta@1.0.0', 200],
    ]);
    expect(data[2]).toMatchObject({
      id: plain.json['id'],
      user: 'ada',
      error: null,
      cache: null,
      input_hash: hash('sha256', JSON.stringify(inputs)),
      queue_ms: expect.any(Number),
      compute_ms: expect.any(Number),
    });
    expect(data[2]!.total_ms).toBeGreaterThanOrEqual(data[2]!.compute_ms!);
    expect(data[0]!.error?.code).toBe('invalid_input');
    const one = (await site.ask(`/v1/predictions/${String(whole.json['id'])}`)).json;
    expect(one['input']).toEqual(inputs);
    expect(one['output']).toEqual(whole.json);
    expect((await site.ask(`/v1/predictions/${String(plain.json['id'])}`)).json).not.toHaveProperty('input');
    // Filters, pages, tenants.
    const page = (await site.ask(`/v1/predictions?limit=1&failed=false&input_hash=${data[2]!.input_hash}`)).json as {
      data: PredictionRecord[];
      has_more: boolean;
    };
    expect([page.data[0]!.model, page.has_more]).toEqual(['whole@1.0.0', true]);
    expect(((await site.ask(`/v1/predictions?after=${page.data[0]!.id}&model=meta`)).json as { data: unknown[] }).data).toHaveLength(1);
    expect(((await site.ask('/v1/predictions', undefined, 'eve')).json as { data: unknown[] }).data).toEqual([]);
    expect((await site.ask(`/v1/predictions/${String(plain.json['id'])}`, undefined, 'eve')).status).toBe(404);
  });

  test('they are exported as JSONL and as CSV, oldest first', async ({ db }) => {
    await using site = await open(db);
    await site.ask('/v1/predict', { model: 'whole', inputs });
    await site.records.flush();
    const lines = (await site.ask('/v1/predictions/export?model=whole')).body.trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { input: unknown }).input)).toEqual(lines.map(() => inputs));
    const csv = (await site.ask('/v1/predictions/export?model=whole&format=csv')).body.split('\r\n');
    expect(csv[0]).toMatch(/^id,created_at,user,model,/);
    expect(csv).toHaveLength(lines.length + 2);
    expect(csv[1]).toContain(',whole@1.0.0,200,');
    expect((await site.ask('/v1/predictions/export?format=xml')).status).toBe(400);
  });

  test('what is due is deleted', async ({ db }) => {
    await using site = await open(db);
    await site.ask('/v1/predict', { model: 'meta', inputs });
    await site.records.flush();
    const count = async () => (await db.one<{ n: number }>(sql`select count(*)::int as n from predictions`)).n;
    const before = await count();
    await db.run(sql`update predictions set expires_at = now() - interval '1 second' where no = (select max(no) from predictions)`);
    expect(await dropDue(db)).toBe(1);
    expect(await count()).toBe(before - 1);
  });

  test.for([
    ['=1+1', "'=1+1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['+cmd|x', "'+cmd|x"],
    ['-2+3', "'-2+3"],
    ['-1.5e-7', '-1.5e-7'],
    ['a "b", c', '"a ""b"", c"'],
    ['=a,"b"', '"\'=a,""b"""'],
    [-3, '-3'],
    [null, ''],
  ] as const)('a CSV field is no formula: %j', ([value, written]) => {
    expect(csvField(value)).toBe(written);
  });
});
