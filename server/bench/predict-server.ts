/**
 * A server for the benchmark of predictions, in a process of its own: Sluice's API with the routes of predictions alone,
 * or a bare Fastify route that always answers the same. Says where it listens, and does what its parent asks.
 */
import { setFlagsFromString } from 'node:v8';
import Fastify from 'fastify';
import { AnswerCache } from '../src/cache/answers.ts';
import { AskingCache } from '../src/cache/asking.ts';
import { buildServer } from '../src/http/server.ts';
import { createLogger } from '../src/lib/log.ts';
import { Models, type ModelSpec } from '../src/models/models.ts';
import { defaultDedup } from '../src/policy/dedup.ts';
import type { Facts } from '../src/predictions/layout.ts';
import { Predictor } from '../src/predictions/predictor.ts';
import { predictRoutes } from '../src/predictions/routes.ts';

export interface Offered {
  spec: ModelSpec;
  facts: Facts | null;
}

/** `keeps`: answers are kept, as a server does unless told otherwise. */
export type Told = { bare: string } | { models: Offered[]; scratch: string; keeps?: boolean };

/**
 * Loads and unloads the models whose names begin so, one after another; says what one of them has done; or says how many
 * milliseconds each request took since it was last asked, from its headers read to its answer handed to the system.
 */
export type Order = { cycle: string; times: number } | { figures: string } | { took: true };

export interface Done {
  pids: number[];
  runs: number;
  rows: number;
}

const bare = async (answer: string): Promise<string> => {
  const app = Fastify();
  const reply: unknown = JSON.parse(answer);
  const schema = { body: { type: 'object', required: ['model', 'inputs'], properties: { model: { type: 'string' }, inputs: {} } } };
  app.post('/v1/predict', { schema }, () => Promise.resolve(reply));
  return await app.listen({ port: 0 });
};

const sluice = async ({ models: offered, scratch, keeps = false }: Exclude<Told, { bare: string }>): Promise<string> => {
  // As every role does, and the API when it loads a model.
  setFlagsFromString('--semi-space-growth-factor=1');
  const log = createLogger({ level: 'info', pretty: false, base: { role: 'api' } });
  const models = new Models(offered.map(({ spec }) => spec));
  const predictor = new Predictor({
    models,
    log,
    scratch,
    onLoad: () => setFlagsFromString('--semi-space-growth-factor=2'),
    factsOf: ({ name }) => Promise.resolve(offered.find(({ spec }) => spec.name === name)?.facts ?? null),
  });
  const cache = new AnswerCache({ maxBytes: 64 << 20, ttlSeconds: 3_600, redis: null });
  const asking = keeps ? new AskingCache({ cache, scope: 'tenant', dedup: defaultDedup }) : undefined;
  const app = await buildServer({
    keys: [{ key: 'bench-key', tenant: 'bench', user: 'bench' }],
    log,
    routes: (routes) => predictRoutes(routes, { predictor, ...(asking && { asking }) }),
  });
  const took: number[] = [];
  app.addHook('onResponse', (_request, reply, done) => {
    if (keeps) took.push(reply.elapsedTime);
    done();
  });
  const carryOut = async (order: Order): Promise<Done | number[] | 'done'> => {
    if ('took' in order) return took.splice(0);
    if ('figures' in order) {
      const model = models.get(order.figures, 'bench');
      const { sizes } = predictor.loaded.figuresOf(model);
      return { pids: predictor.loaded.at(model)?.pids ?? [], runs: sizes.count, rows: sizes.sum };
    }
    const cycled = offered.filter(({ spec }) => spec.name.startsWith(order.cycle));
    await Promise.all(
      cycled.map(async ({ spec }) => {
        for (let i = 0; i < order.times; i += cycled.length) {
          await predictor.loaded.get(spec);
          await predictor.loaded.unload(spec);
        }
      }),
    );
    return 'done';
  };
  process.on('message', (order: Order) => void carryOut(order).then((answer) => process.send!(answer)));
  return await app.listen({ port: 0 });
};

process.once('message', (told: Told) => {
  void ('bare' in told ? bare(told.bare) : sluice(told)).then((url) => process.send!(url));
});
process.once('disconnect', () => process.exit(0));
