import { closeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import type { ApiKey } from '../../src/auth/identity.ts';
import { KeyUses } from '../../src/auth/uses.ts';
import { openSessions } from '../../src/auth/sessions.ts';
import { batchRoutes } from '../../src/batches/routes.ts';
import { defaultDedup } from '../../src/policy/dedup.ts';
import type { Config } from '../../src/config.ts';
import { localPool } from '../../src/policy/pools.ts';
import { openPool, type Pool } from '../../src/db/db.ts';
import { Listener } from '../../src/db/listen.ts';
import { bulkRoutes } from '../../src/bulk/routes.ts';
import { openChemistry } from '../../src/chemistry/chemistry.ts';
import { openFeatureFile } from '../../src/chemistry/feature-cache.ts';
import { moleculeRoutes } from '../../src/chemistry/routes.ts';
import { completionRoutes } from '../../src/completion/routes.ts';
import { deadLetterRoutes } from '../../src/deadletters/routes.ts';
import { callbackSecretOf, checkOptions, pathOptions, problemOf } from '../../src/executors/registry.ts';
import { fileRoutes } from '../../src/files/routes.ts';
import { readFacts } from '../../src/predictions/facts.ts';
import { Predictor } from '../../src/predictions/predictor.ts';
import { recordRoutes } from '../../src/predictions/records-routes.ts';
import { Records } from '../../src/predictions/records.ts';
import { predictRoutes } from '../../src/predictions/routes.ts';
import { Vetter } from '../../src/vetting/vetter.ts';
import { portalFolder } from '../../src/http/portal-files.ts';
import { buildServer } from '../../src/http/server.ts';
import { JobDesk } from '../../src/jobs/desk.ts';
import { jobRoutes } from '../../src/jobs/routes.ts';
import { silent, type Logger } from '../../src/lib/log.ts';
import { Models, type ModelSpec } from '../../src/models/models.ts';
import { noQuotas, type Quotas } from '../../src/policy/quotas.ts';
import { portalRoutes } from '../../src/portal/routes.ts';
import { quotaRoutes } from '../../src/quotas/routes.ts';
import { routeRoutes } from '../../src/routes/routes.ts';
import type { DeclaredRoute } from '../../src/models/recommended.ts';
import { ResultReader } from '../../src/results/reader.ts';
import { resultRoutes } from '../../src/results/routes.ts';
import { registryRoutes } from '../../src/registry/routes.ts';
import { registrySource } from '../../src/registry/snapshot.ts';
import { parseUpstreams } from '../../src/registry/upstreams.ts';
import { ModelWatch } from '../../src/registry/watch.ts';
import { previewAdmission } from '../../src/scheduler/beliefs.ts';
import { Scheduler } from '../../src/scheduler/scheduler.ts';
import { executorOf } from '../../src/screens/records.ts';
import { screenRoutes } from '../../src/screens/routes.ts';
import { openDisk } from '../../src/storage/disk.ts';
import type { Storage } from '../../src/storage/storage.ts';
import type { SourceSettings, TableLimits } from '../../src/tables/facts.ts';
import { noSources } from '../../src/tables/sources.ts';
import { isTable } from '../../src/tables/recognise.ts';
import { callbackRoutes } from '../../src/workers/callbacks.ts';
import { workerRoutes } from '../../src/workers/routes.ts';
import { Worker } from '../../src/workers/worker.ts';
import { makeDatabase } from './database.ts';

export const testLimits: Config['limits'] = {
  maxLines: 10_000_000,
  maxFileBytes: 50 * 2 ** 30,
  maxLineBytes: 16 * 2 ** 20,
  maxErrors: 1_000,
  openai: false,
};

/** Quick, so that tests wait for little; each of them may say otherwise. */
export const testTiming: Config['timing'] = {
  leaseSeconds: 5,
  heartbeatSeconds: 0.5,
  pollMinMs: 20,
  pollMaxMs: 500,
  sweepSeconds: 0.2,
  cancelGraceSeconds: 5,
  settleMs: 100,
};

export interface SluiceOptions {
  models?: ModelSpec[];
  /** As the configuration declares them. */
  routes?: DeclaredRoute[];
  keys?: ApiKey[];
  limits?: Partial<Config['limits']>;
  timing?: Partial<Config['timing']>;
  retry?: Partial<Config['retry']>;
  pools?: Config['pools'];
  schedule?: Partial<Config['schedule']>;
  quotas?: Partial<Quotas>;
  dedup?: Partial<Config['dedup']>;
  tracking?: Config['tracking'];
  workers?: number;
  /** False: nothing is taken in or run until `scheduler.start()`. */
  scheduler?: boolean;
  log?: Logger;
  storage?: (storage: Storage) => Storage;
  /** Bytes a model's file may have. */
  maxModelBytes?: number;
  /** Serves the built portal too. */
  portal?: boolean;
  sources?: Partial<SourceSettings>;
  tableLimits?: Partial<TableLimits>;
  /** Bytes for features of molecules; absent: none are kept. */
  featuresBytes?: number;
  /** As `registry.upstreams`. */
  upstreams?: string;
}

export interface Sluice extends AsyncDisposable {
  url: string;
  client: OpenAI;
  clientFor: (key: string) => OpenAI;
  db: Pool;
  storage: Storage;
  /** Where all of it lies. */
  folder: string;
  models: Models;
  results: ResultReader;
  scheduler: Scheduler;
  workers: Worker[];
}

/** All of Sluice in this process: a real database, a real folder, real HTTP. */
export const startSluice = async (options: SluiceOptions = {}): Promise<Sluice> => {
  const stack = new AsyncDisposableStack();
  const database = stack.use(await makeDatabase());
  const folder = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const db = stack.use(openPool({ url: database.url, name: 'test', max: 12 }));
  const listener = stack.use(
    new Listener(database.url, ['chunks', 'coming', 'batches', 'turns', 'control', 'events', 'jobs', 'jobEnds', 'models', 'results']),
  );
  listener.setMaxListeners(0);
  await listener.start();
  const disk = await openDisk(folder);
  const storage = options.storage?.(disk) ?? disk;
  const log = options.log ?? silent;
  const models = new Models(options.models ?? [], registrySource(db));
  await stack.use(new ModelWatch({ models, listener, log })).start();
  const limits = { ...testLimits, ...options.limits };
  const quotas = { ...noQuotas, ...options.quotas };
  const dedup = { ...defaultDedup, ...options.dedup };
  const config = {
    limits,
    quotas,
    dedup,
    ...(options.tracking && { tracking: options.tracking }),
    timing: { ...testTiming, ...options.timing },
    retry: { maxAttempts: 4, baseMs: 1, capMs: 20, ...options.retry },
    worker: { pool: 'dedicated', chunks: 4, modelMemory: 4 * 2 ** 30, noticeSeconds: 5, noticeFile: null, once: false },
    pools: options.pools ?? [localPool],
    ...(options.featuresBytes !== undefined && { dataDir: folder, chemistry: { featuresBytes: options.featuresBytes } }),
    schedule: { mode: 'balanced' as const, order: 'fair' as const, admission: 'flag' as const, ...options.schedule },
  };
  const keys = options.keys ?? [{ key: 'test-key', tenant: 'default', user: 'admin', role: 'admin' }];
  const scratch = await mkdtemp(join(tmpdir(), 'sluice-tables-'));
  stack.defer(() => rm(scratch, { recursive: true, force: true }));
  const features =
    options.featuresBytes === undefined ? null : openFeatureFile({ folder: join(folder, 'features'), bytes: options.featuresBytes }, log);
  if (features !== null) stack.defer(() => closeSync(features));
  const chemistry = stack.use(openChemistry({ log, scratch, features }));
  const tables = {
    chemistry,
    scratch,
    ...(options.sources && { sources: { ...noSources, ...options.sources } }),
    ...(options.tableLimits && { limits: options.tableLimits }),
  };
  const scheduler = stack.use(new Scheduler({ db, storage, models, config, log, listener, tables }));
  if (options.scheduler !== false) scheduler.start();
  const workers: Worker[] = [];
  for (let i = 0; i < (options.workers ?? 1); i++) {
    const worker = stack.use(new Worker({ db, storage, models, config, log, listener }));
    await worker.start();
    workers.push(worker);
  }
  const uses = stack.use(new KeyUses(db));
  const sessions = openSessions({ db, keys, idleSeconds: 3_600 });
  // What pages show of models: asked at once, vetted, and written down.
  const asked = options.portal
    ? {
        predictor: new Predictor({ models, storage, log, scratch, factsOf: (model) => readFacts(db, model) }),
        recorder: stack.use(new Records({ db, log, keep: 'meta', days: 1 })),
      }
    : null;
  if (asked) {
    asked.recorder.start();
    stack.use(new Vetter({ db, storage, listener, log, leaseSeconds: 30 })).start();
  }
  const results = stack.use(new ResultReader({ db, models, storage, listener, log, scratch: folder, queryMs: 5_000 }));
  const app = await buildServer({
    keys,
    sessions,
    used: uses.note,
    ...(options.portal && { portal: portalFolder }),
    log,
    checkReplies: true,
    routes: (routes) => {
      fileRoutes(routes, { db, storage, limits, isTable });
      batchRoutes(routes, {
        db,
        storage,
        models,
        limits,
        listener,
        tables,
        quotas,
        dedup,
        routes: options.routes ?? [],
        admit: previewAdmission({ config, models }),
        ...(options.pools && { pools: options.pools }),
      });
      routeRoutes(routes, { db, models, declared: options.routes ?? [], limits });
      moleculeRoutes(routes, { chemistry });
      resultRoutes(routes, { db, storage, results, chemistry });
      if (asked) {
        predictRoutes(routes, asked);
        recordRoutes(routes, { db });
      }
      quotaRoutes(routes, { db, quotas });
      deadLetterRoutes(routes, { db, storage });
      bulkRoutes(routes, { db });
      jobRoutes(routes, { db, storage, jobs: new JobDesk({ db, storage, models, listener, quotas }) });
      screenRoutes(routes, { db, storage, models, quotas, problemOf, executorOf: executorOf(models), chemistry });
      completionRoutes(routes, { db, leaseSeconds: config.timing.leaseSeconds });
      registryRoutes(routes, {
        db,
        storage,
        models,
        maxBytes: options.maxModelBytes ?? 64 * 2 ** 20,
        upstreams: parseUpstreams(options.upstreams ?? '').upstreams,
        rules: { check: checkOptions, paths: (executor) => Object.keys(pathOptions(executor)) },
      });
      portalRoutes(routes, {
        sessions,
        settings: {
          portal: { name: 'Sluice', sessionHours: 1, liveMaxHz: 2, grafanaUrl: null },
          limits,
          pools: config.pools,
          registry: { maxBytes: options.maxModelBytes ?? 64 * 2 ** 20 },
        },
        version: () => Promise.resolve('0.0.0'),
        db,
        storage,
        models,
        keys,
        uses,
        quotas,
        leaseSeconds: config.timing.leaseSeconds,
        dependencies: () => [{ name: 'storage', check: () => disk.check() }],
      });
      callbackRoutes(routes, { db, secretOf: callbackSecretOf(models) });
      workerRoutes(routes, { db, leaseSeconds: config.timing.leaseSeconds });
    },
  });
  stack.defer(() => app.close());
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const clientFor = (apiKey: string) => new OpenAI({ apiKey, baseURL: `${url}/v1`, maxRetries: 0 });
  return {
    url,
    client: clientFor(keys[0]!.key),
    clientFor,
    db,
    storage,
    folder,
    models,
    results,
    scheduler,
    workers,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
};
