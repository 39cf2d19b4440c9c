import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildServer } from '../../src/http/server.ts';
import { silent } from '../../src/lib/log.ts';
import { Models, type ModelSpec } from '../../src/models/models.ts';
import { oipRoutes } from '../../src/oip/routes.ts';
import { Predictor } from '../../src/predictions/predictor.ts';

export interface OipSluice extends AsyncDisposable {
  url: string;
  predictor: Predictor;
}

/** Sluice as a server of the Open Inference Protocol and nothing else, with these ONNX models by name. */
export const startOip = async (files: Record<string, Uint8Array>, key = 'oip-key'): Promise<OipSluice> => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-oip-'));
  const models: ModelSpec[] = [];
  for (const [name, bytes] of Object.entries(files)) {
    const path = join(folder, `${models.length}.onnx`);
    await writeFile(path, bytes);
    models.push({ name, version: '1.0.0', executor: 'onnx', options: { path } });
  }
  const known = new Models(models);
  const predictor = new Predictor({ models: known, log: silent, scratch: folder });
  const app = await buildServer({
    keys: [{ key, tenant: 'default', user: 'admin' }],
    log: silent,
    routes: (app) =>
      oipRoutes(app, {
        models: known,
        infers: predictor,
        unload: (model) => predictor.loaded.unload(model),
        ready: async () => true,
        version: async () => 'test',
        maxBytes: 2 ** 24,
      }),
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    url,
    predictor,
    [Symbol.asyncDispose]: async () => {
      await app.close();
      await predictor[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
