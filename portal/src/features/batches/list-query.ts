import { infiniteQueryOptions, queryOptions, type InfiniteData } from '@tanstack/react-query';
import { api, bodyOf, type Api } from '../../lib/api.ts';
import type { LiveEvent } from '../../lib/live.ts';
import { address, param } from '../../lib/url.ts';

export type Row = Api<'PortalBatch'>;

const statuses = ['validating', 'in_progress', 'finalizing', 'cancelling', 'completed', 'failed', 'expired', 'cancelled'] as const;
const slas = ['on_track', 'at_risk', 'met', 'breached'] as const;
export const sorts = ['created_at', 'name', 'total', 'failed', 'deadline', 'duration'] as const;
export type SortBy = (typeof sorts)[number];
export const columnIds = ['name', 'status', 'progress', 'failed', 'model', 'sla', 'pace', 'priority', 'pool', 'owner', 'created'] as const;
export type ColumnId = (typeof columnIds)[number];

export interface Shown {
  status: readonly string[];
  model: string;
  user: string;
  pool: string;
  priority: string;
  sla: readonly string[];
  q: string;
  from: string;
  to: string;
  sort: { by: SortBy; down: boolean };
  /** None: those that this browser remembers. */
  cols: readonly ColumnId[];
  peek: string;
}

export const listAddress = address<Shown>({
  status: param.list<string>(statuses),
  model: param.text(),
  user: param.text(),
  pool: param.text(),
  priority: param.text(),
  sla: param.list<string>(slas),
  q: param.text(2_000),
  from: param.moment(),
  to: param.moment(),
  sort: param.sort(sorts, { by: 'created_at', down: true }),
  cols: param.list(columnIds),
  peek: param.text(100),
});

/** The address without what is only of the page. */
const askedOf = (shown: Shown): Record<string, string> => {
  const { cols: _, peek: __, ...asked } = listAddress.format(shown);
  return asked;
};

/** What chooses batches, as the API takes it. */
export const filterOf = (shown: Shown): Record<string, string> => {
  const { sort: _, ...rest } = askedOf(shown);
  return rest;
};

export const isFiltered = (shown: Shown): boolean => Object.keys(filterOf(shown)).length > 0;

export const pageOf = 100;

export type Pages = InfiniteData<{ data: Row[]; next: string | null; now: number }, string>;

export const listQuery = (shown: Shown) => {
  const asked = askedOf(shown);
  return infiniteQueryOptions({
    queryKey: ['batches', asked],
    // A list that takes long is given up when nobody waits for it any more.
    queryFn: ({ pageParam, signal }) =>
      bodyOf(
        api.GET('/v1/portal/batches', {
          params: { query: { ...asked, limit: pageOf, ...(pageParam !== '' && { cursor: pageParam }) } as never },
          signal,
        }),
      ),
    initialPageParam: '',
    getNextPageParam: ({ next }) => next ?? undefined,
    placeholderData: (before) => before,
    staleTime: 10_000,
  });
};

export const countsQuery = (shown: Shown) =>
  queryOptions({
    queryKey: ['batch-counts', filterOf(shown)],
    queryFn: ({ signal }) => bodyOf(api.GET('/v1/portal/batches/counts', { params: { query: filterOf(shown) as never }, signal })),
    placeholderData: (before) => before,
    staleTime: 3_000,
  });

export const rowOf = async (id: string): Promise<Row | undefined> =>
  (await bodyOf(api.GET('/v1/portal/batches', { params: { query: { q: id, limit: 1 } } }))).data.find((row) => row.id === id);

const withRow = (pages: Pages, id: string, change: (row: Row) => Row): Pages => ({
  ...pages,
  pages: pages.pages.map((page) =>
    page.data.some((row) => row.id === id) ? { ...page, data: page.data.map((row) => (row.id === id ? change(row) : row)) } : page,
  ),
});

export const holds = (pages: Pages | undefined, id: string): boolean =>
  pages?.pages.some(({ data }) => data.some((row) => row.id === id)) === true;

/** Counts of an event, put into the row where it stands: nothing moves. */
export const withProgress = (pages: Pages, { id, data }: LiveEvent): Pages =>
  withRow(pages, id, (row) => ({
    ...row,
    completed: Number(data['completed'] ?? row.completed),
    failed: Number(data['failed'] ?? row.failed),
  }));

export const replaced = (pages: Pages, row: Row): Pages => withRow(pages, row.id, () => row);
