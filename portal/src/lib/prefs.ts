import { useSyncExternalStore } from 'react';

/** What a browser remembers of how its user likes things. An address always goes before it. */
export const remembered = <T>(name: string, fallback: T) => {
  const key = `sluice-${name}`;
  const listeners = new Set<() => void>();
  let value: T = fallback;
  try {
    const kept = localStorage.getItem(key);
    if (kept !== null) value = JSON.parse(kept) as T;
  } catch {
    // Storage is forbidden, or holds what an older version wrote.
  }
  const set = (next: T): void => {
    value = next;
    try {
      localStorage.setItem(key, JSON.stringify(next));
    } catch {
      // It holds for this page then.
    }
    for (const listener of listeners) listener();
  };
  const subscribe = (listener: () => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  return {
    get: () => value,
    set,
    use: (): [T, (next: T) => void] => [useSyncExternalStore(subscribe, () => value), set],
  };
};
