import { useEffect } from 'react';

let names: ReadonlyMap<string, string> = new Map();
const listeners = new Set<() => void>();

/** What records are called, by the address of their page: breadcrumbs say `Kinase panel` instead of an id. */
export const crumbNames = {
  get: () => names,
  subscribe: (listener: () => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  set: (path: string, name: string): void => {
    if (names.get(path) === name) return;
    names = new Map([...names, [path, name]]);
    for (const listener of listeners) listener();
  },
};

export const useCrumb = (path: string, name: string | null | undefined): void => {
  useEffect(() => {
    if (name) crumbNames.set(path, name);
  }, [path, name]);
};
