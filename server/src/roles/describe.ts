import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AnswerCache } from '../cache/answers.ts';
import { AskingCache } from '../cache/asking.ts';
import { KeyUses } from '../auth/uses.ts';
import { openSessions } from '../auth/sessions.ts';
import { openChemistry } from '../chemistry/chemistry.ts';
import { loadConfig } from '../config.ts';
import { openPool } from '../db/db.ts';
import { Listener } from '../db/listen.ts';
import { buildServer } from '../http/server.ts';
import { JobDesk } from '../jobs/desk.ts';
import { ResultReader } from '../results/reader.ts';
import { silent } from '../lib/log.ts';
import { Models } from '../models/models.ts';
import { Passthrough } from '../passthrough/passthrough.ts';
import { Predictor } from '../predictions/predictor.ts';
import { openDisk } from '../storage/disk.ts';
import { addRoutes } from './api.ts';

/** The API as OpenAPI 3.1, as /openapi.json serves it: every route is added, and nothing is connected to. */
export const describeApi = async (): Promise<Record<string, unknown>> => {
  await using open = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'sluice-describe-'));
  open.defer(() => rm(folder, { recursive: true, force: true }));
  const url = 'postgres://nobody@127.0.0.1:1/nothing';
  const models = new Models([]);
  const db = open.use(openPool({ url, name: 'describe' }));
  const storage = await openDisk(folder);
  const listener = new Listener(url, []);
  const config = loadConfig({ env: {}, cwd: folder });
  const answers = new AnswerCache({ maxBytes: 0, ttlSeconds: 0, redis: null });
  const parts = {
    config,
    db,
    storage,
    models,
    listener,
    health: { dependencies: [], stopping: new AbortController().signal, metrics: () => Promise.resolve('') },
    predictor: new Predictor({ models, log: silent, scratch: folder }),
    passthrough: { models, passthrough: new Passthrough({ models, log: silent, scratch: folder }) },
    answers,
    asking: new AskingCache({ cache: answers, scope: config.cache.scope, dedup: config.dedup }),
    jobs: new JobDesk({ db, storage, models, listener }),
    results: new ResultReader({ db, models, storage, listener, log: silent, scratch: folder }),
    recorder: { record: () => {} },
    uses: new KeyUses(db),
    chemistry: openChemistry({ log: silent, scratch: folder }),
    sessions: openSessions({ db, keys: [], idleSeconds: 1 }),
  };
  const app = await buildServer({ keys: [], log: silent, routes: (routes) => addRoutes(routes, parts) });
  open.defer(() => app.close());
  await app.ready();
  return JSON.parse(JSON.stringify(app.swagger())) as Record<string, unknown>;
};
