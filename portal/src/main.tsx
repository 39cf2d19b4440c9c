import './ui/mantine.css';
import './ui/tokens.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app/providers.tsx';
import { session } from './lib/session.ts';

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
