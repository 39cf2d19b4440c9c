import type { Model, PoolObject, WorkerObject } from '@sluice/contract';
import { must, Warning, type Check } from './check.ts';
import { descriptionProblems, metricNames } from './description.ts';

/** What dashboards and alerts are built on. */
const wantedMetrics = ['sluice_build_info', 'sluice_queue_depth', 'sluice_queue_oldest_age_seconds', 'process_cpu_seconds_total'];

/** `name` of the newest version, `name@version` of the others: as workers name it. */
const keyOf = ({ name, version }: Model): string => `${name}@${version}`;

/** What the deployment is made of: its description, metrics, models, pools and workers. */
export const partChecks: Check[] = [
  {
    name: 'openapi.json',
    hint: 'Clients made from it would not build; a proxy may have changed it.',
    async run({ ask }) {
      const { status, json } = await ask('GET', '/openapi.json', { key: null });
      must(status === 200, `${status} instead of 200`);
      const problems = descriptionProblems(json);
      must(problems.length === 0, problems.slice(0, 3).join('; '));
      const { openapi, paths } = json as { openapi: string; paths: object };
      return `OpenAPI ${openapi}, ${Object.keys(paths).length} paths`;
    },
  },
  {
    name: 'metrics',
    hint: 'Prometheus cannot read them: see that /metrics leads to the API, and which version runs there.',
    async run({ ask }) {
      const { status, text } = await ask('GET', '/metrics', { key: null });
      // Kept from the outside on purpose, perhaps.
      if (status === 401 || status === 403 || status === 404) return new Warning(`/metrics is not open here (${status})`);
      must(status === 200, `${status} instead of 200`);
      const names = metricNames(text);
      const missing = wantedMetrics.filter((name) => !names.has(name));
      must(missing.length === 0, `missing: ${missing.join(', ')}`);
      return `${names.size} metrics`;
    },
  },
  {
    name: 'models',
    hint: 'Declare models in sluice.yaml; examples/sluice.yaml shows how.',
    async run({ client }) {
      const { data } = await client.get<{ data: Model[] }>('/v1/models');
      must(
        data.some(({ name }) => name === 'echo'),
        'echo, which is always there, is not listed',
      );
      return data.length === 1 ? new Warning('only echo, which answers with what it is sent') : data.map(({ id }) => id).join(', ');
    },
  },
  {
    name: 'pools',
    hint: 'Declare pools in sluice.yaml, and start workers for them: sluice worker --pool NAME.',
    async run({ client }) {
      const { data } = await client.get<{ data: PoolObject[] }>('/v1/pools');
      must(data.length > 0, 'no pool is listed; a scheduler writes them down when it starts');
      const said = data.map(({ name, actual, desired }) => `${name} ${actual} of ${desired}`).join(', ');
      return data.some(({ actual, minimum }) => actual < minimum) ? new Warning(`below the minimum: ${said}`) : said;
    },
  },
  {
    name: 'workers',
    hint: 'Requests of such a model wait for ever: start a worker whose configuration declares it.',
    async run({ client }) {
      const workers = (await client.get<{ data: WorkerObject[] }>('/v1/workers')).data.filter(({ state }) => state === 'ready');
      must(workers.length > 0, 'no worker is ready');
      const served = new Set(workers.flatMap(({ models }) => models));
      const { data } = await client.get<{ data: Model[] }>('/v1/models');
      const idle = data.filter((model) => model.status === 'ready' && !served.has(keyOf(model))).map(({ id }) => id);
      must(idle.length === 0, `no ready worker has ${idle.join(', ')}`);
      return `${workers.length} ready; each of ${data.length} models has one`;
    },
  },
];
