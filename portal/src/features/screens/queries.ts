import { keepPreviousData, queryOptions, useQueryClient } from '@tanstack/react-query';
import { api, bodyOf, call, type Api } from '../../lib/api.ts';
import { useAtMost, useLive } from '../../ui/use-live.ts';

export type Screen = Api<'Screen'>;
export type Ligand = Api<'ScreenChild'>;
export type Summary = Api<'ScreenSummary'>;

export const open = (status: string): boolean => ['validating', 'in_progress', 'finalizing', 'cancelling'].includes(status);

const soon = 1_000;

export const screenQuery = (id: string) =>
  queryOptions({
    queryKey: ['screen', id],
    queryFn: () => bodyOf(api.GET('/v1/screens/{id}', { params: { path: { id } } })),
    // Events say when it changes; its files are there a moment after its end, of which none speaks.
    refetchInterval: ({ state: { data } }) =>
      data === undefined ? false : open(data.status) ? 5_000 : data.results.status === 'pending' ? soon : false,
  });

/** So many are read whole, and sorted in the page. */
export const mostShown = 1_000;

const pageOf = (id: string, after: string | null) =>
  bodyOf(api.GET('/v1/batches/{id}/children', { params: { path: { id }, query: { limit: 100, ...(after !== null && { after }) } } }));

/** The ligands of a screen, in their order. */
export const ligandsQuery = (id: string) =>
  queryOptions({
    queryKey: ['screen', id, 'ligands'],
    queryFn: async () => {
      const ligands: Ligand[] = [];
      for (let after: string | null = null, more = true; more && ligands.length < mostShown;) {
        const page = await pageOf(id, after);
        ligands.push(...(page.data as Ligand[]));
        [after, more] = [page.last_id, page.has_more];
      }
      return ligands;
    },
    placeholderData: keepPreviousData,
  });

/** The id of a line's request: the batch's, shortened, and the line (server/src/lib/ids.ts). */
const requestOf = (batch: string, line: number): string => `batch_req_${batch.slice(6, 30)}${line.toString(16).padStart(8, '0')}`;

/** One ligand: the one after the line before it. */
export const ligandQuery = (id: string, line: number) =>
  queryOptions({
    queryKey: ['screen', id, 'ligand', line],
    queryFn: async () => {
      const after = line > 1 ? requestOf(id, line - 1) : null;
      const page = await bodyOf(
        api.GET('/v1/batches/{id}/children', { params: { path: { id }, query: { limit: 1, ...(after !== null && { after }) } } }),
      );
      return (page.data as Ligand[]).find((each) => each.line === line) ?? null;
    },
  });

export const textQuery = (url: string) =>
  queryOptions({ queryKey: ['text', url], queryFn: async () => (await call(url)).text(), staleTime: Infinity });

/** Keeps a screen as it is: asked for again when something happens in it, at most once a second. */
export const useLiveScreen = (id: string): void => {
  const queries = useQueryClient();
  const ask = useAtMost(soon, () => void queries.invalidateQueries({ queryKey: ['screen', id] }));
  useLive((event) => {
    if (event.id === id) ask();
  });
};
