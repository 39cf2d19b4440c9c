import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Autoscaler } from '../fleet/autoscaler.ts';
import { KubernetesFleet } from '../fleet/kubernetes.ts';
import type { Parts } from './role.ts';

/** Seconds for which fewer must have been wanted: a pod is dear to start, and its node dearer. */
const holdSeconds = 60;

/** Keeps the pools that are Deployments at what the scheduler wants; null where there is none. */
export const keepKubernetes = async ({ config, db, log }: Pick<Parts, 'config' | 'db' | 'log'>): Promise<Autoscaler | null> => {
  const pools = config.pools.filter((pool) => pool.fleet === 'kubernetes');
  if (pools.length === 0) return null;
  const { url, namespace, deployment, tokenFile } = config.kubernetes;
  const own = await readFile(join(dirname(tokenFile), 'namespace'), 'utf8').catch(() => 'default');
  const fleet = new KubernetesFleet({
    url,
    tokenFile,
    namespace: namespace ?? own.trim(),
    deployments: new Map(pools.map(({ name }) => [name, deployment.replaceAll('{pool}', name)])),
  });
  const fleets = new Map(pools.map(({ name }) => [name, fleet]));
  const scaling = new Autoscaler({ db: () => db, fleets, log, everySeconds: config.timing.sweepSeconds, holdSeconds });
  scaling.start();
  return scaling;
};
