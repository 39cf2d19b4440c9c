import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, bodyOf } from './api.ts';
import { settingsQuery } from './use-settings.ts';

/**
 * Changes what the server keeps for the user under a name. It is shown at once, and written among what other tabs have
 * written since; what could not be written is taken back, and said to be.
 */
export const useKeep = (name: string): ((value: unknown) => void) => {
  const queries = useQueryClient();
  const { queryKey } = settingsQuery;
  const show = (value: unknown) => queries.setQueryData(queryKey, (old) => old && { ...old, settings: { ...old.settings, [name]: value } });
  const { mutate } = useMutation({
    // One after the other: the server takes all settings as a whole.
    scope: { id: 'settings' },
    mutationFn: async (value: unknown) => {
      const { settings } = await bodyOf(api.GET('/v1/portal/settings'));
      return bodyOf(api.PUT('/v1/portal/settings', { body: { settings: { ...settings, [name]: value } as never } }));
    },
    onMutate: async (value) => {
      await queries.cancelQueries({ queryKey });
      const before = queries.getQueryData(queryKey)?.settings[name];
      show(value);
      return before;
    },
    onError: ({ message }, _value, before) => {
      show(before);
      notifications.show({ color: 'red', title: 'This could not be kept', message });
    },
  });
  return mutate;
};
