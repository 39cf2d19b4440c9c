import { queryOptions, useQueryClient } from '@tanstack/react-query';
import { api, bodyOf, call, type Api } from '../../lib/api.ts';
import type { LiveEvent } from '../../lib/live.ts';
import { useAtMost, useLive } from '../../ui/use-live.ts';
import { open } from './states.ts';

export type Batch = Api<'Batch'>;
export type RequestRow = Api<'PortalRequest'>;
export type RequestDetails = Api<'Request'>;

export const batchQuery = (id: string) =>
  queryOptions({
    queryKey: ['batch', id],
    queryFn: () => bodyOf(api.GET('/v1/batches/{id}', { params: { path: { id } } })),
    // Events patch it; forecasts change without one, and so does how much of the input is checked.
    refetchInterval: ({ state: { data } }) =>
      data === undefined || !open(data.status) ? false : data.status === 'validating' ? 1_000 : 5_000,
  });

export const pageSize = 200;

/** Requests from a line on, by page. */
export const requestPage = (id: string, page: number) =>
  queryOptions({
    queryKey: ['batch', id, 'requests', page],
    queryFn: async () =>
      (
        await bodyOf(
          api.GET('/v1/portal/batches/{id}/requests', {
            params: { path: { id }, query: { from_line: page * pageSize + 1, limit: pageSize } },
          }),
        )
      ).data,
    staleTime: 3_000,
    gcTime: 60_000,
  });

export const requestQuery = (id: string) =>
  queryOptions({
    queryKey: ['request', id],
    queryFn: () => bodyOf(api.GET('/v1/requests/{id}', { params: { path: { id } } })),
  });

export type Cause = Api<'BatchFailure'>;

/** Failures by cause, the most frequent first. */
export const failuresQuery = (id: string) =>
  queryOptions({
    queryKey: ['batch', id, 'failures'],
    queryFn: () => bodyOf(api.GET('/v1/batches/{id}/failures', { params: { path: { id } } })),
    staleTime: 10_000,
  });

/** What a page shows of a batch besides it: models, workers, throughput. */
export const aboutQuery = (id: string) =>
  queryOptions({
    queryKey: ['batch', id, 'about'],
    queryFn: () => bodyOf(api.GET('/v1/portal/batches/{id}', { params: { path: { id } } })),
    staleTime: 2_000,
  });

export interface BatchEvent {
  id: string;
  number: number;
  type: string;
  created_at: number;
  data: Record<string, unknown>;
}

export const eventsQuery = (id: string) =>
  queryOptions({
    queryKey: ['batch', id, 'events'],
    queryFn: async () => {
      const reply = await call(`/v1/batches/${id}/events`, { headers: { accept: 'application/json' } });
      return ((await reply.json()) as { data: BatchEvent[] }).data;
    },
  });

export const explainQuery = (id: string) =>
  queryOptions({
    queryKey: ['batch', id, 'explain'],
    queryFn: () => bodyOf(api.GET('/v1/batches/{id}/explain', { params: { path: { id } } })),
  });

/** What an event says of a batch that is shown. */
export const patched = (batch: Batch, { type, data }: LiveEvent): Batch => {
  if (type !== 'batch.progress') return batch;
  const { completed, failed, cancelled, expired, total } = data as Record<string, number>;
  return {
    ...batch,
    request_counts: {
      total: total ?? batch.request_counts.total,
      completed: completed ?? 0,
      failed: failed ?? 0,
      cancelled: cancelled ?? 0,
      expired: expired ?? 0,
    },
  };
};

/** Keeps a batch that is shown as it is: counts from events, everything else asked for again where its state changes. */
export const useLiveBatch = (id: string): void => {
  const queries = useQueryClient();
  // The lines in view.
  const askLines = useAtMost(1_000, () => void queries.invalidateQueries({ queryKey: ['batch', id, 'requests'] }));
  useLive((event) => {
    if (event.id !== id) return;
    if (event.type === 'batch.progress') {
      queries.setQueryData<Batch>(['batch', id], (batch) => batch && patched(batch, event));
      askLines();
    } else void queries.invalidateQueries({ queryKey: ['batch', id] });
  });
};
