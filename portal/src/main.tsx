import './ui/mantine.css';
import './ui/tokens.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app/providers.tsx';
import { router } from './app/router.tsx';
import { session } from './lib/session.ts';

// The page's own chunk is on its way meanwhile.
for (const route of router.getMatchedRoutes(location.pathname)[0]) void router.loadRouteChunk(route)?.catch(() => {});

// Who is signed in is asked before anything is shown: the first page is then the right one.
void session
  .resume()
  .catch(() => null)
  .then(() =>
    createRoot(document.getElementById('root')!).render(
      <StrictMode>
        <App />
      </StrictMode>,
    ),
  );
