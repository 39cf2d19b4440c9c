import type { Admit } from '../batches/admission.ts';
import type { Config } from '../config.ts';
import { priorOf, priorRate, type Models, type ModelSpec } from '../models/models.ts';
import { guardSeconds } from '../policy/market.ts';
import { admission } from './admission.ts';
import { marketOf, type ControllerOptions } from './controller.ts';
import { readEstimates, type Estimates } from './estimates.ts';

interface Asked {
  config: Pick<Config, 'timing' | 'pools' | 'schedule'>;
  models: Models;
}

/** Requests one worker runs at a time, of each executor, where the model does not say: how many workers a batch can keep busy follows from it. */
const concurrency = {
  echo: 1_000,
  openai: 64,
  oip: 64,
  onnx: 64,
  descriptors: 64,
  command: 1,
  boltz: 1,
  chai: 1,
  rfantibody: 1,
  http: 8,
} as const;

const concurrencyOf = (model: ModelSpec | null | undefined): number => {
  const own = model?.options['max_concurrency'];
  return typeof own === 'number' ? own : concurrency[model?.executor ?? 'echo'];
};

/** What the policy is asked with: the configuration, and what was measured or stands for it. */
export const beliefs = ({ config, models }: Asked, estimates: Estimates): ControllerOptions => ({
  mode: config.schedule.mode,
  pools: config.pools,
  tick: config.timing.sweepSeconds,
  leaseSeconds: config.timing.leaseSeconds,
  rateOf: (model) => {
    const rate = estimates.rate(model);
    const spec = models.keyed(model);
    return { rate: rate ?? (spec ? priorOf(spec) : priorRate.echo), measured: rate !== null };
  },
  concurrencyOf: (model) => concurrencyOf(models.keyed(model)),
  estimates,
});

/** For questions that no worker's presence decides. */
const nobody = { ready: () => 0 };

/** Seconds before its deadline in which spot takes nothing more of a batch: what may pass until a dedicated worker has it, and a request. */
export const tailOf = (asked: Asked, estimates: Estimates, model: string): number => {
  if (asked.config.schedule.mode === 'spot_only') return 0;
  return guardSeconds(marketOf(model, nobody, beliefs(asked, estimates), true).guard) + estimates.request(model).p99;
};

/** Admission as intake will ask it, for previews: by what is measured now. */
export const previewAdmission =
  (asked: Asked): Admit =>
  async (db, candidate) =>
    admission(asked.config.schedule.admission, beliefs(asked, await readEstimates(db)))(db, candidate);
