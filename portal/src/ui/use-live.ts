import { useEffect, useRef } from 'react';
import { live, type LiveEvent } from '../lib/live.ts';

/** Hears what happens, while the page is shown and not paused. */
export const useLive = (hear: (event: LiveEvent) => void): void => {
  const latest = useRef(hear);
  useEffect(() => {
    latest.current = hear;
  });
  useEffect(() => live.on((event) => latest.current(event)), []);
};
