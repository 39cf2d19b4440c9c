import { openSync, rmSync } from 'node:fs';

/** What a child sees of the environment at most: no database address, no key. */
export const bareEnvironment = (home: string): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  LANG: process.env['LANG'] ?? 'C.UTF-8',
  TZ: process.env['TZ'],
  HOME: home,
  TMPDIR: home,
  // Where what Node has made of the sources is kept: half of the time that a child takes to start.
  NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
});

/** Node has no setrlimit: this script, given to `sh -c`, sets the limit on data segments and becomes the child. */
export const limitedShell = (megabytes: number) =>
  `(ulimit -d ${megabytes * 1024}) 2>/dev/null && ulimit -d ${megabytes * 1024}; exec "$0" "$@"`;

/** A file that only descriptors know, so that the working directory stays empty. */
export const nameless = (path: string): number => {
  const fd = openSync(path, 'w+', 0o600);
  rmSync(path);
  return fd;
};
