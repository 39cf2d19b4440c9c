/** Builds the portal where there is no build, or one older than what it is made of. Plain JavaScript: `run.mjs` needs it on Node 18. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const portal = join(root, 'portal');
const dist = join(portal, 'dist');

const filesOf = (path) => (statSync(path).isDirectory() ? readdirSync(path).flatMap((name) => filesOf(join(path, name))) : [path]);

const sources = () =>
  ['src', 'public', 'index.html', 'vite.config.ts', 'package.json']
    .flatMap((name) => filesOf(join(portal, name)))
    .filter((path) => !/\.test\.tsx?$/.test(path));

export const portalIsBuilt = () => {
  const built = join(dist, 'index.html');
  if (!existsSync(built)) return false;
  const { mtimeMs } = statSync(built);
  return sources().every((path) => statSync(path).mtimeMs <= mtimeMs);
};

const worthIt = new Set(['.js', '.css', '.html', '.svg', '.json', '.wasm']);

/** Beside each text file what a browser would get of it compressed, so that no request pays for it. */
const compress = (folder) => {
  for (const path of filesOf(folder)) {
    if (!worthIt.has(extname(path))) continue;
    const bytes = readFileSync(path);
    if (bytes.length < 1_024) continue;
    writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
    // The highest level takes seconds for a big chunk, and saves two per cent.
    const quality = bytes.length > 1_000_000 ? 9 : 11;
    writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } }));
  }
};

/** @param {string} node The Node to build with. */
export const buildPortal = (node = process.execPath, { quiet = false } = {}) => {
  if (portalIsBuilt()) return;
  if (!quiet) console.error('Building the portal …');
  // Whoever serves meanwhile keeps a whole build; two who build at once do not write into each other's.
  const fresh = join(portal, `dist.${process.pid}`);
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  const { status, stdout, stderr } = spawnSync(node, [vite, 'build', '--outDir', fresh, '--emptyOutDir', '--logLevel', 'warn', portal], {
    cwd: portal,
    encoding: 'utf8',
    env: { ...process.env, NODE_ENV: 'production' },
  });
  if (status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    throw new Error(`The portal could not be built.\n${stdout}${stderr}`);
  }
  compress(fresh);
  const old = `${fresh}.old`;
  mkdirSync(dist, { recursive: true });
  renameSync(dist, old);
  renameSync(fresh, dist);
  rmSync(old, { recursive: true, force: true });
};
