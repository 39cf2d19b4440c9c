import { useNavigate } from '@tanstack/react-router';
import { notifications } from '@mantine/notifications';
import { useEffect, useRef } from 'react';
import { keyOf, singleKeys } from '../lib/keys.ts';
import { live } from '../lib/live.ts';
import { copyText } from '../ui/copy.tsx';
import { pages } from './pages.ts';

/** Keys that do the same on every page: ⌘K, `?`, `/`, `.`, `y`, and `g` with a letter. */
export const useGlobalKeys = ({ palette, help }: { palette: () => void; help: () => void }): void => {
  const navigate = useNavigate();
  const went = useRef(0);
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const key = keyOf(event);
      if (key === null) return;
      if (key === 'mod+k') {
        event.preventDefault();
        return palette();
      }
      // A dialog has keys of its own.
      if (!singleKeys.on() || document.querySelector('[role=dialog]')) return;
      if (went.current > Date.now() - 1_500) {
        went.current = 0;
        const page = pages.find(({ nav }) => nav?.key === key);
        if (page) {
          event.preventDefault();
          event.stopImmediatePropagation();
          return void navigate({ to: page.path });
        }
      }
      if (key === 'g') went.current = Date.now();
      else if (key === '?') help();
      else if (key === '.') live.pause(live.shown !== 'paused');
      else if (key === 'y')
        void copyText(location.href).then(() => notifications.show({ message: 'Copied the link to this view', autoClose: 2_000 }));
      else if (key === '/') {
        const box = document.querySelector<HTMLInputElement>('[data-search]');
        if (box) {
          event.preventDefault();
          box.focus();
          box.select();
        }
      }
    };
    addEventListener('keydown', press, { capture: true });
    return () => removeEventListener('keydown', press, { capture: true });
  }, [navigate, palette, help]);
};
