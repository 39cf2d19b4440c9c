import { closeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { openSessions, type Sessions } from '../auth/sessions.ts';
import type { TableDeps } from '../batches/table-input.ts';
import { KeyUses } from '../auth/uses.ts';
import { batchRoutes } from '../batches/routes.ts';
import { bulkRoutes } from '../bulk/routes.ts';
import { AnswerCache } from '../cache/answers.ts';
import { AskingCache } from '../cache/asking.ts';
import { RedisTier } from '../cache/redis.ts';
import { cacheRoutes } from '../cache/routes.ts';
import { settledAnswers } from '../cache/settled.ts';
import type { Chemistry } from '../chemistry/chemistry.ts';
import { openFeatureFile } from '../chemistry/feature-cache.ts';
import { moleculeRoutes } from '../chemistry/routes.ts';
import { completionRoutes } from '../completion/routes.ts';
import { deadLetterRoutes } from '../deadletters/routes.ts';
import { callbackSecretOf, checkOptions, pathOptions, problemOf } from '../executors/registry.ts';
import { fileRoutes } from '../files/routes.ts';
import { JobDesk } from '../jobs/desk.ts';
import { answerLater } from '../jobs/later.ts';
import { jobRoutes } from '../jobs/routes.ts';
import { portalFolder } from '../http/portal-files.ts';
import { buildServer } from '../http/server.ts';
import type { App } from '../lib/app.ts';
import { messageOf } from '../lib/errors.ts';
import { makeScratch } from '../lib/scratch.ts';
import { modelKey, type Models } from '../models/models.ts';
import { oipRoutes } from '../oip/routes.ts';
import { keptAnswers } from '../passthrough/kept.ts';
import { Passthrough } from '../passthrough/passthrough.ts';
import { passthroughRoutes, type PassthroughParts } from '../passthrough/routes.ts';
import { readFacts } from '../predictions/facts.ts';
import { Predictor } from '../predictions/predictor.ts';
import { recordRoutes } from '../predictions/records-routes.ts';
import { Records, type Recorder } from '../predictions/records.ts';
import { portalRoutes } from '../portal/routes.ts';
import { predictRoutes } from '../predictions/routes.ts';
import { quotaRoutes } from '../quotas/routes.ts';
import { isTable } from '../tables/recognise.ts';
import { registryRoutes } from '../registry/routes.ts';
import { parseUpstreams } from '../registry/upstreams.ts';
import { executorOf } from '../screens/records.ts';
import { screenRoutes } from '../screens/routes.ts';
import { routeRoutes } from '../routes/routes.ts';
import { previewAdmission } from '../scheduler/beliefs.ts';
import { ResultReader } from '../results/reader.ts';
import { resultRoutes } from '../results/routes.ts';
import { observeCache } from '../telemetry/cache.ts';
import { healthRoutes, isReady } from '../telemetry/health.ts';
import { countTokens, observeQueue } from '../telemetry/observe.ts';
import { observePredictions } from '../telemetry/predictions.ts';
import { callbackRoutes } from '../workers/callbacks.ts';
import { workerRoutes } from '../workers/routes.ts';
import type { Parts, Role } from './role.ts';
import { version } from './setup.ts';
import { openTables } from './tables.ts';

export type ApiParts = Pick<Parts, 'config' | 'db' | 'storage' | 'models' | 'listener' | 'health'> & {
  predictor: Predictor;
  passthrough: PassthroughParts;
  answers: AnswerCache;
  asking: AskingCache;
  jobs: JobDesk;
  results: ResultReader;
  recorder: Recorder;
  tables?: TableDeps;
  chemistry: Chemistry;
  sessions: Sessions;
  uses: KeyUses;
  /** Told when a stream of events begins, and when it has ended. */
  onStream?: (change: 1 | -1) => void;
};

/** Every route of the API, as the rooms bring them. */
export const addRoutes = (
  app: App,
  {
    config,
    db,
    storage,
    models,
    listener,
    health,
    predictor,
    passthrough,
    answers,
    asking,
    jobs,
    results,
    recorder,
    sessions,
    tables,
    chemistry,
    uses,
    onStream,
  }: ApiParts,
): void => {
  const { dedup, limits, oip, pools, quotas, registry, timing } = config;
  fileRoutes(app, { db, storage, limits, isTable });
  batchRoutes(app, {
    db,
    storage,
    models,
    limits,
    ...(tables && { tables }),
    listener,
    ...(onStream && { onStream }),
    quotas,
    dedup,
    pools,
    routes: config.routes,
    admit: previewAdmission({ config, models }),
  });
  routeRoutes(app, { db, models, declared: config.routes, limits });
  moleculeRoutes(app, { chemistry });
  resultRoutes(app, { db, storage, results, chemistry });
  quotaRoutes(app, { db, quotas });
  deadLetterRoutes(app, { db, storage });
  bulkRoutes(app, { db });
  jobRoutes(app, { db, storage, jobs });
  screenRoutes(app, {
    db,
    storage,
    models,
    quotas,
    semantic: dedup.semanticModel !== null,
    problemOf,
    executorOf: executorOf(models),
    chemistry,
  });
  completionRoutes(app, { db, leaseSeconds: timing.leaseSeconds });
  registryRoutes(app, {
    db,
    storage,
    models,
    maxBytes: registry.maxBytes,
    upstreams: parseUpstreams(registry.upstreams ?? '').upstreams,
    rules: { check: checkOptions, paths: (executor) => Object.keys(pathOptions(executor)) },
  });
  callbackRoutes(app, { db, secretOf: callbackSecretOf(models) });
  workerRoutes(app, { db, leaseSeconds: timing.leaseSeconds });
  predictRoutes(app, { predictor, recorder, asking, later: answerLater(jobs) });
  recordRoutes(app, { db });
  passthroughRoutes(app, passthrough);
  oipRoutes(app, {
    models,
    infers: predictor,
    unload: (model) => predictor.loaded.unload(model),
    ready: () => isReady(health),
    version,
    maxBytes: oip.maxBytes,
  });
  cacheRoutes(app, { db, answers, listener });
  portalRoutes(app, {
    sessions,
    settings: config,
    version,
    db,
    storage,
    models,
    keys: config.keys,
    uses,
    quotas,
    leaseSeconds: timing.leaseSeconds,
    dependencies: () => health.dependencies,
  });
  healthRoutes(app, health);
};

export const api: Role = {
  name: 'api',
  channels: ['events', 'jobEnds', 'models', 'cache', 'results'],
  connections: 16,
  serves: true,
  async start(parts) {
    const { config, db, log, metrics, models } = parts;
    observeQueue(db, metrics, config.timing.leaseSeconds);
    const scratch = await makeScratch('api');
    const tables = await openTables(parts);
    const features = openFeatureFile({ folder: join(config.dataDir, 'features'), bytes: config.chemistry.featuresBytes }, log);
    const predictor = new Predictor({
      models,
      storage: parts.storage,
      log,
      scratch,
      features,
      settings: config.predict,
      factsOf: (model) => readFacts(db, model),
      // What is under way outlives a collection of the few MB that every process has for young objects (see role.ts), and is
      // copied at each: predictions cost a tenth more.
      onLoad: () => setFlagsFromString('--semi-space-growth-factor=2'),
    });
    observePredictions(predictor.loaded, metrics);
    const redis = config.redisUrl === null ? null : new RedisTier(config.redisUrl, log);
    const answers = new AnswerCache({ ...config.cache, redis, settled: settledAnswers(db, parts.storage) });
    observeCache(answers, metrics);
    purgeGone(models, answers);
    const asking = new AskingCache({ cache: answers, scope: config.cache.scope, dedup: config.dedup });
    if (redis !== null) parts.health.dependencies.push({ name: 'redis', check: () => redis.check(), optional: true });
    const passthrough: PassthroughParts = {
      models,
      passthrough: new Passthrough({ models, log, scratch }),
      answer: keptAnswers(asking),
      used: (model, usage) => countTokens(metrics, modelKey(model), usage),
    };
    const jobs = new JobDesk({ ...parts, quotas: config.quotas });
    const results = new ResultReader({ ...parts, scratch });
    const recorder = new Records({ db, log, keep: config.predict.records, days: config.predict.recordDays });
    recorder.start();
    const uses = new KeyUses(db, (error) => log.warn({ reason: messageOf(error) }, 'uses of keys could not be written down'));
    uses.start();
    const sessions = openSessions({ db, keys: config.keys, idleSeconds: config.portal.sessionHours * 3_600 });
    const app = await buildServer({
      keys: config.keys,
      sessions,
      used: uses.note,
      portal: portalFolder,
      log,
      routes: (app) =>
        addRoutes(app, {
          ...parts,
          predictor,
          passthrough,
          answers,
          asking,
          jobs,
          results,
          recorder,
          sessions,
          tables,
          chemistry: tables.chemistry,
          uses,
          onStream: (change) => metrics.streams.inc(change),
        }),
    });
    const stop = async (): Promise<void> => {
      await app.close();
      await uses.stop();
      await results[Symbol.asyncDispose]();
      await recorder[Symbol.asyncDispose]();
      await tables[Symbol.asyncDispose]();
      if (features !== null) closeSync(features);
      await rm(scratch, { recursive: true, force: true });
    };
    try {
      await app.listen({ host: config.host, port: config.port });
    } catch (error) {
      await stop();
      throw error;
    }
    return { url: addressOf(app, config.host), stop };
  },
};

/** What a version answered is of no use once it is gone: its memory goes to others. */
const purgeGone = (models: Models, answers: AnswerCache): void => {
  const shown = () => new Set(models.all().map(({ name, version }) => `${name}@${version}`));
  let known = shown();
  models.on('changed', () => {
    const now = shown();
    for (const model of known) if (!now.has(model)) answers.purge(model);
    known = now;
  });
};

/** As a client on this machine would write it: `0.0.0.0` is for listening only. */
const addressOf = (app: App, host: string): string => {
  const address = app.server.address();
  const port = typeof address === 'object' ? address?.port : address;
  const named = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${named.includes(':') ? `[${named}]` : named}:${port}`;
};
