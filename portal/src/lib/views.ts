import { queryOptions } from '@tanstack/react-query';
import { api, bodyOf, type Api } from './api.ts';
import type { Raw } from './url.ts';

/** What of a list was worth a name: the parameters of its address. */
export type View = Omit<Api<'View'>, 'query'> & { query: Raw };

/** In an address: all of the list, though another view of it is opened by default. No slug is like it. */
export const noView = '-';

/** Where a user's default view of a list is kept. */
export const settingOf = (screen: string): string => `view.${screen}`;

/** One's own views of a list, and those that others share. */
export const viewsQuery = (screen: string) =>
  queryOptions({
    queryKey: ['views', screen],
    queryFn: async () => (await bodyOf(api.GET('/v1/portal/views', { params: { query: { screen } } }))).data as unknown as View[],
    staleTime: 60_000,
  });

/** Whether two addresses show the same, in whatever order their parameters stand. */
export const sameQuery = (a: Readonly<Raw>, b: Readonly<Raw>): boolean => {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
};

/** What an address asks for first: a view by its slug, the default one, or what it says itself. */
export const firstOf = (
  raw: Readonly<Raw>,
  views: readonly View[],
  standard: string | null,
): { show: Raw; missing: string | null } | null => {
  const slug = raw['view'];
  if (slug !== undefined && slug !== noView) {
    const found = views.find((view) => view.slug === slug);
    return { show: found?.query ?? {}, missing: found ? null : slug };
  }
  const view = Object.keys(raw).length > 0 ? undefined : views.find(({ id }) => id === standard);
  return view === undefined || Object.keys(view.query).length === 0 ? null : { show: view.query, missing: null };
};
