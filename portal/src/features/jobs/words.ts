import type { Api } from '../../lib/api.ts';

export type Job = Api<'Job'>;

export const open = (status: Job['status']): boolean => status === 'queued' || status === 'running' || status === 'waiting';

/** What the tabs of the list show. */
export const views = ['all', 'open', 'completed', 'failed', 'ended'] as const;
export type View = (typeof views)[number];

/** As `GET /v1/jobs` takes it; undefined: every status. */
export const statusOf: Record<View, string | undefined> = {
  all: undefined,
  open: 'queued,running,waiting',
  completed: 'completed',
  failed: 'failed,dead_lettered',
  ended: 'cancelled,expired',
};

export const labelOf: Record<View, string> = {
  all: 'All',
  open: 'Open',
  completed: 'Completed',
  failed: 'Failed',
  ended: 'Cancelled, expired',
};
