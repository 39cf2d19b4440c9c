import { useCallback, useEffect, useRef } from 'react';
import { live, type LiveEvent } from '../lib/live.ts';

/** Hears what happens, while the page is shown and not paused. */
export const useLive = (hear: (event: LiveEvent) => void): void => {
  const latest = useRef(hear);
  useEffect(() => {
    latest.current = hear;
  });
  useEffect(() => live.on((event) => latest.current(event)), []);
};

/** Acts at once, then every `ms` at most while it is asked to, and once more after it was last asked: that is how things stand. */
export const useAtMost = (ms: number, act: () => void): (() => void) => {
  const latest = useRef(act);
  useEffect(() => {
    latest.current = act;
  });
  const last = useRef(0);
  const due = useRef<ReturnType<typeof setTimeout> | null>(null);
  useEffect(
    () => () => {
      if (due.current !== null) clearTimeout(due.current);
      due.current = null;
    },
    [],
  );
  return useCallback(() => {
    due.current ??= setTimeout(
      () => {
        due.current = null;
        last.current = Date.now();
        latest.current();
      },
      Math.max(0, last.current + ms - Date.now()),
    );
  }, [ms]);
};
