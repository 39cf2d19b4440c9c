import { queryOptions, useQuery } from '@tanstack/react-query';
import { api, bodyOf, type Api } from './api.ts';

/** Pages keep what they like: the types of the API do not know it. */
export type Settings = Omit<Api<'PortalSettings'>, 'settings'> & { settings: Record<string, unknown> };

export const settingsQuery = queryOptions({
  queryKey: ['settings'],
  queryFn: (): Promise<Settings> => bodyOf(api.GET('/v1/portal/settings')),
  staleTime: 60_000,
});

/** What the server keeps for the user under a name, in whatever browser they sit: undefined until it has answered, null where it has nothing. */
export const useSetting = (name: string): unknown => {
  const { data, isError } = useQuery(settingsQuery);
  return data === undefined ? (isError ? null : undefined) : (data.settings[name] ?? null);
};
