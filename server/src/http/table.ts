import type { App } from '../lib/app.ts';

/** Keeps the routes that are added from now on; the result says which methods an address has. */
export const routeTable = (app: App): ((path: string) => string[]) => {
  const routes: { method: string; path: RegExp }[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    const source = url
      .split('/')
      .map((part) => (part === '*' ? '.*' : part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)))
      .join('/');
    for (const name of [method].flat()) routes.push({ method: name, path: new RegExp(`^${source}/?$`) });
  });
  return (path) => [...new Set(routes.filter((route) => route.path.test(path)).map((route) => route.method))].sort();
};
