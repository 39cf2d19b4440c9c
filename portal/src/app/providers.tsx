import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { Failure } from '../lib/api.ts';
import { live } from '../lib/live.ts';
import { theme } from '../ui/theme.ts';
import { router } from './router.tsx';

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // What the server refused it refuses again; what it could not answer may go better.
      retry: (failures, error) => failures < 2 && !(error instanceof Failure && error.status >= 400 && error.status < 500),
      retryDelay: (failures) => 400 * 2 ** failures,
      refetchOnWindowFocus: true,
    },
  },
});

// But for what never changes.
live.onBehind(
  () => void queries.invalidateQueries({ predicate: ({ observers }) => !observers.some(({ options }) => options.staleTime === Infinity) }),
);

const schemes = localStorageColorSchemeManager({ key: 'sluice-theme' });

export const App = () => (
  <MantineProvider theme={theme} defaultColorScheme="auto" colorSchemeManager={schemes}>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </MantineProvider>
);
