import { useSyncExternalStore } from 'react';
import { absolute, clockTime, none, relative } from '../lib/format.ts';
import { remembered } from '../lib/prefs.ts';

/** How moments are written everywhere: how long ago, or at what time. */
export const zone = remembered<'relative' | 'clock'>('time', 'relative');

const listeners = new Set<() => void>();
let second = Math.floor(Date.now() / 1_000);
let timer: ReturnType<typeof setInterval> | null = null;

/** The second it is, kept by one timer for the page; rough ones re-render seldom. */
export const useNow = (every = 10): number =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      timer ??= setInterval(() => {
        second = Math.floor(Date.now() / 1_000);
        if (document.visibilityState === 'visible') for (const each of listeners) each();
      }, 1_000);
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0 || timer === null) return;
        clearInterval(timer);
        timer = null;
      };
    },
    () => Math.floor(second / every) * every,
  );

/** A moment: told from now, exact where one points at it. */
export const Moment = ({ at }: { at: number | null | undefined }) => {
  const now = useNow();
  const [style] = zone.use();
  if (at === null || at === undefined) return <span className="quiet">{none}</span>;
  return (
    <time dateTime={new Date(at * 1_000).toISOString()} title={absolute(at)} className="num">
      {style === 'relative' ? relative(at, Math.max(now, at <= Date.now() / 1_000 ? at : 0)) : clockTime(at)}
    </time>
  );
};
