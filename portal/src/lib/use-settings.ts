import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, bodyOf, type Api } from './api.ts';

/** Pages keep what they like: the types of the API do not know it. */
type Settings = Omit<Api<'PortalSettings'>, 'settings'> & { settings: Record<string, unknown> };

const key = ['settings'];
const ask = (): Promise<Settings> => bodyOf(api.GET('/v1/portal/settings'));

/**
 * What the server keeps for the user under a name, in whatever browser they sit: undefined until it has answered, null
 * where nothing is kept. A change is shown at once, and written among what other tabs have written since.
 */
export const useSetting = (name: string): { value: unknown; keep: (value: unknown) => void; failed: boolean } => {
  const queries = useQueryClient();
  const settings = useQuery({ queryKey: key, queryFn: ask, staleTime: 60_000 });
  const write = useMutation({
    // One after the other: the server takes all settings as a whole.
    scope: { id: 'settings' },
    mutationFn: async (value: unknown) => {
      const now = await ask();
      return bodyOf(api.PUT('/v1/portal/settings', { body: { settings: { ...now.settings, [name]: value } as never } }));
    },
    onMutate: async (value) => {
      await queries.cancelQueries({ queryKey: key });
      queries.setQueryData<Settings>(key, (old) => old && { ...old, settings: { ...old.settings, [name]: value } });
    },
  });
  return {
    value: settings.data === undefined ? undefined : (settings.data.settings[name] ?? null),
    keep: (value) => write.mutate(value),
    failed: write.isError,
  };
};
