import { useEffect, useRef } from 'react';
import { keyOf, singleKeys } from '../lib/keys.ts';

/** Keys of a page, while no dialog is open and nobody types. */
export const useKeys = (keys: Record<string, (() => void) | undefined>): void => {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const key = keyOf(event);
      if (key === null || document.querySelector('[role=dialog][aria-modal=true], [role=menu]')) return;
      if (key.length === 1 && !singleKeys.on()) return;
      // Escape leaves a field before it leaves the page.
      if (
        key === 'Escape' &&
        document.activeElement instanceof HTMLElement &&
        /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)
      )
        return document.activeElement.blur();
      const act = latest.current[key];
      if (!act) return;
      event.preventDefault();
      act();
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, []);
};
