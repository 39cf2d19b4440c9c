/** A server for the benchmark of binary tensors, in a process of its own: the routes of the Open Inference Protocol alone. */
import { buildServer } from '../src/http/server.ts';
import { createLogger } from '../src/lib/log.ts';
import { Models, type ModelSpec } from '../src/models/models.ts';
import { oipRoutes } from '../src/oip/routes.ts';
import { Predictor } from '../src/predictions/predictor.ts';

const serve = async ({ models, scratch }: { models: ModelSpec[]; scratch: string }): Promise<string> => {
  const log = createLogger({ level: 'warn', pretty: false, base: { role: 'api' } });
  const known = new Models(models);
  const predictor = new Predictor({ models: known, log, scratch });
  const app = await buildServer({
    keys: [{ key: 'bench-key', tenant: 'bench', user: 'bench' }],
    log,
    routes: (app) =>
      oipRoutes(app, {
        models: known,
        infers: predictor,
        unload: (model) => predictor.loaded.unload(model),
        ready: async () => true,
        version: async () => 'bench',
        maxBytes: 128 * 2 ** 20,
      }),
  });
  return await app.listen({ host: '127.0.0.1', port: 0 });
};

process.once('message', (told: Parameters<typeof serve>[0]) => void serve(told).then((url) => process.send!(url)));
process.once('disconnect', () => process.exit(0));
