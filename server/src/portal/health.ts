import type { PortalOverview } from '@sluice/contract';
import { planLimit } from '../completion/standing.ts';
import { messageOf } from '../lib/errors.ts';
import { Fresh } from './fresh.ts';

/** What this process needs, as `telemetry/health.ts` has it. */
export interface Dependency {
  name: string;
  check: () => Promise<void>;
  optional?: boolean;
}

type State = PortalOverview['health'][number];

/** Milliseconds a dependency gets until it is called away: a page waits no longer. */
const patience = 2_000;

const ask = async ({ name, check, optional }: Dependency): Promise<State> => {
  const since = performance.now();
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer within ${patience} ms`)), patience);
  let message: string | null = null;
  try {
    await Promise.race([check(), late]);
  } catch (error) {
    message = messageOf(error);
  } finally {
    clearTimeout(timer);
  }
  const ms = Math.round((performance.now() - since) * 10) / 10;
  return { name, status: message === null ? 'ok' : optional ? 'warning' : 'error', ms, message };
};

/** Whether what this process needs answers, asked every five seconds at most: storage is written to. */
export const watchDependencies = (dependencies: () => readonly Dependency[]): (() => Promise<State[]>) => {
  const states = new Fresh<State[]>(5_000, 10_000);
  return () => states.get('', () => Promise.all(dependencies().map(ask)));
};

/** @param age seconds since turns were planned; null: never */
export const schedulerState = (age: number | null): State => ({
  name: 'scheduler',
  status: age !== null && age < planLimit ? 'ok' : 'error',
  ms: null,
  message: age === null ? 'None has been heard of.' : age < planLimit ? null : `None has been heard of for ${Math.round(age)} s.`,
});

export const workersState = ({ ready, draining, lost }: { ready: number; draining: number; lost: number }): State => ({
  name: 'workers',
  status: ready === 0 ? 'error' : lost > 0 ? 'warning' : 'ok',
  ms: null,
  message: ready === 0 ? `None is ready${draining > 0 ? `; ${draining} draining` : ''}.` : lost > 0 ? `${lost} lost.` : null,
});
