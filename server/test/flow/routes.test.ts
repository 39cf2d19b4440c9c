import type { Route, RouteChange, RouteOptions } from '@sluice/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

const model = (name: string, version = '1.0.0') => ({ name, version, executor: 'echo' as const, options: {} });

let sluice: Sluice;
beforeAll(async () => {
  sluice = await startSluice({
    scheduler: false,
    workers: 0,
    models: [model('logs-a'), model('logs-b'), model('logs-b', '2.0.0'), model('bbb')],
    routes: [
      {
        target: 'permeability',
        series: null,
        models: [{ model: 'bbb', weight: 1, valid_from: null, valid_until: null }],
        note: 'For everybody',
      },
    ],
    keys: [
      { key: 'ada', tenant: 'lab', user: 'ada' },
      { key: 'bob', tenant: 'lab', user: 'bob' },
      { key: 'eve', tenant: 'other', user: 'eve' },
    ],
  });
});
afterAll(() => sluice[Symbol.asyncDispose]());

const ask = async <T>(
  key: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<T & { error?: { code: string; param: string } }> => (await call(sluice.clientFor(key), method, path, body)).body as never;

const now = () => Math.floor(Date.now() / 1_000);

test('a route is made, changed and removed; its history says who, when, from what to what', async () => {
  const made = await ask<Route>('ada', 'PUT', '/v1/routes/solubility', {
    models: ['logs-a', { model: 'logs-b', weight: 3 }],
    note: 'first',
  });
  expect(made).toMatchObject({
    object: 'route',
    target: 'solubility',
    series: null,
    declared: false,
    note: 'first',
    created_by: 'ada',
    models: [
      { model: 'logs-a', weight: 1, valid_from: null, valid_until: null, resolved: 'logs-a@1.0.0', valid: true },
      { model: 'logs-b', weight: 3, resolved: 'logs-b@2.0.0', valid: true },
    ],
  });
  await ask('bob', 'PUT', '/v1/routes/solubility', { models: ['logs-b@1.0.0'] });
  await ask('ada', 'PUT', '/v1/routes/solubility?series=amides', { models: ['logs-a'] });
  expect(await ask<Route>('bob', 'GET', '/v1/routes/solubility')).toMatchObject({ created_by: 'ada', updated_by: 'bob', note: null });
  expect((await ask<{ data: Route[] }>('ada', 'GET', '/v1/routes')).data.map(({ target, series }) => [target, series])).toEqual([
    ['permeability', null],
    ['solubility', null],
    ['solubility', 'amides'],
  ]);
  expect(await ask('ada', 'DELETE', '/v1/routes/solubility')).toMatchObject({ deleted: true, target: 'solubility', series: null });
  expect((await ask('ada', 'GET', '/v1/routes/solubility')).error!.code).toBe('route_not_found');
  const { data } = await ask<{ data: RouteChange[] }>('ada', 'GET', '/v1/routes/solubility/history');
  expect(data.map(({ by, from, to }) => [by, from?.map((m) => m.model) ?? null, to?.map((m) => m.model) ?? null])).toEqual([
    ['ada', ['logs-b@1.0.0'], null],
    ['bob', ['logs-a', 'logs-b'], ['logs-b@1.0.0']],
    ['ada', null, ['logs-a', 'logs-b']],
  ]);
  expect(data.every(({ at }) => Math.abs(at - now()) < 600)).toBe(true);
  await ask('ada', 'DELETE', '/v1/routes/solubility?series=amides');
});

test('what a route says is checked when it is set', async () => {
  const wrong = async (body: unknown, path = '/v1/routes/solubility') => (await ask('ada', 'PUT', path, body)).error!;
  expect(await wrong({ models: [] })).toMatchObject({ code: 'route_empty', param: 'models' });
  expect(await wrong({ models: ['logs-a', 'none'] })).toMatchObject({ code: 'model_not_found', param: 'models[1].model' });
  expect(await wrong({ models: ['logs-a', 'logs-a'] })).toMatchObject({ code: 'invalid_value', param: 'models[1]' });
  expect(await wrong({ models: [{ model: 'logs-a', valid_from: 9, valid_until: 9 }] })).toMatchObject({ param: 'models[0]' });
  expect(await wrong({ models: ['logs-a'] }, '/v1/routes/a%20b')).toMatchObject({ code: 'invalid_value', param: 'target' });
  expect(await wrong({ models: ['logs-a'] }, '/v1/routes/options')).toMatchObject({ code: 'invalid_value', param: 'target' });
  expect(await wrong({ models: ['logs-a'] }, '/v1/routes/a?series=%2f')).toMatchObject({ param: 'series' });
  // The same model for one time after another is none too many.
  const turn = now() + 3_600;
  const both = {
    models: [
      { model: 'logs-a', valid_until: turn },
      { model: 'logs-a', valid_from: turn, weight: 2 },
    ],
  };
  expect(await ask<Route>('ada', 'PUT', '/v1/routes/turns', both)).toMatchObject({ models: [{ valid: true }, { valid: false }] });
  await ask('ada', 'DELETE', '/v1/routes/turns');
});

test('changes side by side leave a history without a gap', async () => {
  await Promise.all(
    Array.from({ length: 8 }, (_, i) => ask('ada', 'PUT', '/v1/routes/busy', { models: [{ model: 'logs-a', weight: i }] })),
  );
  const { data } = await ask<{ data: RouteChange[] }>('ada', 'GET', '/v1/routes/busy/history');
  expect(data).toHaveLength(8);
  data.forEach(({ from }, i) => expect(from).toEqual(data[i + 1]?.to ?? null));
  await ask('ada', 'DELETE', '/v1/routes/busy');
});

test('a declared route is seen by every tenant, is hidden by its own, and changed in the configuration only', async () => {
  for (const key of ['ada', 'eve'])
    expect(await ask<Route>(key, 'GET', '/v1/routes/permeability')).toMatchObject({
      declared: true,
      created_by: null,
      note: 'For everybody',
    });
  expect((await ask('ada', 'DELETE', '/v1/routes/permeability')).error!.code).toBe('conflict');
  expect((await ask<{ data: RouteChange[] }>('ada', 'GET', '/v1/routes/permeability/history')).data).toEqual([]);
  await ask('ada', 'PUT', '/v1/routes/permeability', { models: ['logs-a'] });
  expect(await ask<Route>('bob', 'GET', '/v1/routes/permeability')).toMatchObject({ declared: false, models: [{ model: 'logs-a' }] });
  expect(await ask<Route>('eve', 'GET', '/v1/routes/permeability')).toMatchObject({ declared: true, models: [{ model: 'bbb' }] });
  await ask('ada', 'DELETE', '/v1/routes/permeability');
  expect(await ask<Route>('ada', 'GET', '/v1/routes/permeability')).toMatchObject({ declared: true });
});

test('another tenant neither sees a route, nor its history, nor changes it', async () => {
  await ask('ada', 'PUT', '/v1/routes/secret?series=x1', { models: ['logs-a'] });
  expect((await ask<{ data: Route[] }>('eve', 'GET', '/v1/routes')).data.map(({ target }) => target)).toEqual(['permeability']);
  for (const [method, path] of [
    ['GET', '/v1/routes/secret?series=x1'],
    ['GET', '/v1/routes/secret/history?series=x1'],
    ['DELETE', '/v1/routes/secret?series=x1'],
  ] as const)
    expect((await ask('eve', method, path)).error!.code).toBe('route_not_found');
  expect((await ask<RouteOptions>('eve', 'GET', '/v1/routes/options')).targets.map(({ target }) => target)).toEqual(['permeability']);
  await ask('eve', 'PUT', '/v1/routes/secret?series=x1', { models: ['bbb'] });
  expect(await ask<Route>('ada', 'GET', '/v1/routes/secret?series=x1')).toMatchObject({ models: [{ model: 'logs-a' }] });
  await ask('ada', 'DELETE', '/v1/routes/secret?series=x1');
});

test('the options are what can be chosen, kept for a minute and forgotten with a change', async () => {
  const first = await call(sluice.clientFor('ada'), 'GET', '/v1/routes/options');
  expect(first.headers.get('cache-control')).toBe('private, max-age=60');
  await ask('ada', 'PUT', '/v1/routes/solubility?series=amides', { models: ['logs-a'] });
  const options = await ask<RouteOptions>('ada', 'GET', '/v1/routes/options');
  expect(options.targets).toEqual([
    { target: 'permeability', series: [], any_series: true, models: ['bbb@1.0.0'] },
    { target: 'solubility', series: ['amides'], any_series: false, models: [] },
  ]);
  expect(options.models.map(({ id }) => id)).toEqual(['bbb', 'echo', 'logs-a', 'logs-b', 'logs-b@1.0.0']);
  expect(options.limits).toMatchObject({ max_models: 16, max_lines: 10_000_000 });
  expect(options.output_formats).toEqual(['jsonl', 'csv', 'tsv', 'parquet', 'sdf']);
  await ask('ada', 'DELETE', '/v1/routes/solubility?series=amides');
});
