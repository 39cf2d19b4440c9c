import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sql } from '../../src/db/sql.ts';
import { call } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

const sample = fileURLToPath(new URL('../../../examples/boltz-sample/boltz-sample.mjs', import.meta.url));

interface Run {
  info: { run_id: string; experiment_id: string; run_name: string; status: string; start_time: number; end_time?: number };
  data: { params: { key: string; value: string }[]; metrics: { key: string; value: number }[]; tags: { key: string; value: string }[] };
}

/** As much of MLflow as a run needs, by its published REST API 2.0: paths, fields, error codes. */
class Tracker {
  readonly experiments = new Map<string, string>();
  readonly runs: Run[] = [];
  /** Answers 503 while it is. */
  away = false;
  readonly server = createServer((request, response) => {
    void (async () => {
      let text = '';
      for await (const part of request) text += String(part);
      const send = (status: number, body: unknown) =>
        void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      if (this.away) return send(503, { error_code: 'TEMPORARILY_UNAVAILABLE', message: 'away' });
      if (request.headers.authorization !== 'Bearer mlflow-token') return send(401, { error_code: 'UNAUTHENTICATED', message: 'no token' });
      const url = new URL(request.url!, 'http://tracker');
      const body = (text === '' ? {} : JSON.parse(text)) as Record<string, never>;
      const run = this.runs.find(({ info }) => info.run_id === body['run_id']);
      switch (`${request.method} ${url.pathname.replace('/api/2.0/mlflow/', '')}`) {
        case 'GET experiments/get-by-name': {
          const id = this.experiments.get(url.searchParams.get('experiment_name')!);
          if (id === undefined) return send(404, { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'Could not find experiment' });
          return send(200, { experiment: { experiment_id: id } });
        }
        case 'POST experiments/create':
          this.experiments.set(body['name']!, '7');
          return send(200, { experiment_id: '7' });
        case 'POST runs/search': {
          const id = /^tags\.`sluice\.batch_id` = '(\w+)'$/.exec(body['filter']!)?.[1];
          return send(200, {
            runs: this.runs.filter(({ data }) => data.tags.some(({ key, value }) => key === 'sluice.batch_id' && value === id)),
          });
        }
        case 'POST runs/create': {
          const made: Run = {
            info: {
              run_id: `run${this.runs.length}`,
              experiment_id: body['experiment_id']!,
              run_name: body['run_name']!,
              status: 'RUNNING',
              start_time: body['start_time']!,
            },
            data: { params: [], metrics: [], tags: body['tags']! },
          };
          this.runs.push(made);
          return send(200, { run: made });
        }
        case 'POST runs/log-batch':
          for (const kind of ['params', 'metrics', 'tags'] as const)
            (run!.data[kind] as unknown[]).push(...(body[kind] as unknown as unknown[]));
          return send(200, {});
        case 'POST runs/update':
          Object.assign(run!.info, { status: body['status'], end_time: body['end_time'] });
          return send(200, { run_info: run!.info });
        default:
          return send(404, { error_code: 'ENDPOINT_NOT_FOUND', message: url.pathname });
      }
    })();
  });
}

const tracker = new Tracker();
let sluice: Sluice;
beforeAll(async () => {
  tracker.server.listen(0, '127.0.0.1');
  await once(tracker.server, 'listening');
  const { port } = tracker.server.address() as AddressInfo;
  sluice = await startSluice({
    models: [{ name: 'boltz-2', version: '2.2.0', executor: 'boltz', options: { program: process.execPath, args: [sample] } }],
    tracking: {
      mlflowUrl: `http://127.0.0.1:${port}/`,
      experiment: 'screens',
      token: 'mlflow-token',
      publicUrl: 'https://sluice.example.com',
    },
  });
});
afterAll(async () => {
  await sluice[Symbol.asyncDispose]();
  tracker.server.close();
});

const screenOf = async (name: string): Promise<string> => {
  const { body } = await call(sluice.client, 'POST', '/v1/screens', {
    name,
    protein: 'MTEYKLVVVG',
    ligands: ['CCO', 'CN'],
    parameters: { seed: 3 },
  });
  return body['id'] as string;
};
const tracked = () => once(sluice.scheduler, 'tracked') as Promise<[{ batchId: string; run: string | null; error: string | null }]>;

test('a screen becomes a run with parameters, metrics and links; a tracker that is away costs it nothing', async () => {
  tracker.away = true;
  const first = tracked();
  const id = await screenOf('KRAS');
  expect((await first)[0]).toEqual({ batchId: id, run: null, error: 'MLflow answered 503: away' });
  const { body } = await call(sluice.client, 'GET', `/v1/screens/${id}`);
  expect(body).toMatchObject({ status: 'completed', results: { status: 'ready' } });
  tracker.away = false;
  const second = tracked();
  await sluice.db.run(sql`update screens set track_after = now()`);
  expect((await second)[0]).toMatchObject({ batchId: id, run: 'run0' });
  const [run] = tracker.runs as [Run];
  expect(tracker.experiments.get('screens')).toBe('7');
  expect(run.info).toMatchObject({ experiment_id: '7', run_name: 'KRAS', status: 'FINISHED' });
  const values = (kind: 'params' | 'metrics' | 'tags') => Object.fromEntries(run.data[kind].map(({ key, value }) => [key, value]));
  expect(values('params')).toMatchObject({ model: 'boltz-2@2.2.0', ligands: '2', residues: '10', 'parameters.seed': '3' });
  expect(values('metrics')).toMatchObject({
    'ligands.ok': 2,
    'pic50.mean': expect.any(Number),
    'affinity_probability_binary.max': expect.any(Number),
  });
  expect(values('tags')).toMatchObject({
    'sluice.batch_id': id,
    'sluice.results_csv': `https://sluice.example.com/v1/batches/${id}/artifacts/batch_results.csv`,
  });
  // Whoever died before the row was written is followed by another, and it is the same run.
  const third = tracked();
  await sluice.db.run(sql`update screens set tracked_at = null, track_after = now()`);
  expect((await third)[0]).toMatchObject({ run: 'run0' });
  expect(tracker.runs).toHaveLength(1);
});
