#!/usr/bin/env node
/**
 * What `npm run …` and `npm test` start: makes sure that everything needed is installed, then runs the task with the
 * Node this project brings along. It must itself run on Node 18 with nothing installed, hence plain JavaScript.
 */
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildPortal } from './portal.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

/** Whether what is installed is what package-lock.json says; what is only for other platforms may be absent. */
const isInstalled = () => {
  const installed = join(modules, '.package-lock.json');
  if (!existsSync(installed)) return false;
  const wanted = readJson(join(root, 'package-lock.json')).packages;
  const found = readJson(installed).packages;
  // npm's own list leaves out what only a workspace has: that lies in the workspace's folder.
  const inWorkspace = (path) => !path.startsWith('node_modules/') && path.includes('/node_modules/');
  const versionIn = (path) =>
    existsSync(join(root, path, 'package.json')) ? readJson(join(root, path, 'package.json')).version : undefined;
  return Object.entries(wanted).every(
    ([path, { version, link, optional, devOptional, peer }]) =>
      !path.includes('node_modules/') ||
      link ||
      (inWorkspace(path) ? versionIn(path) : (found[path] ?? {}).version) === version ||
      (!found[path] && (optional || devOptional || peer)),
  );
};

const npm = (args, options) => {
  // onnxruntime-node would download CUDA libraries of a gigabyte.
  // A package below Mol* would tell its maker about the installation.
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip', SCARF_ANALYTICS: 'false' };
  const own = process.env.npm_execpath;
  return own && /npm-cli\.c?js$/.test(own)
    ? spawnSync(process.execPath, [own, ...args], { cwd: root, env, ...options })
    : spawnSync(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, { cwd: root, env, ...options });
};

const install = () => {
  if (isInstalled()) return;
  console.error('Installing what Sluice needs (once; a minute or two) …');
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  let last = npm(['ci', ...quiet], { encoding: 'utf8' });
  // A registry that has not every platform's packages makes `ci` doubt the lock file; `install` keeps to it, and goes on.
  if (last.status !== 0) last = npm(['install', '--no-save', ...quiet], { encoding: 'utf8' });
  if (last.status === 0) return;
  console.error(last.error ? last.error.message : `${last.stdout}${last.stderr}`);
  console.error('The packages could not be installed. Is the package registry reachable?');
  process.exit(1);
};

const runs = (file) => {
  try {
    accessSync(file, constants.X_OK);
  } catch {
    return false;
  }
  const { status, stdout } = spawnSync(file, ['--version'], { encoding: 'utf8' });
  return status === 0 && Number(/^v(\d+)/.exec(stdout)?.[1]) >= 24;
};

/** Node 24. The package `node` fetches its binary by an install script; where those are blocked it is run here. */
const findNode = () => {
  const brought = join(modules, 'node/bin/node');
  if (runs(brought)) return brought;
  const script = join(modules, 'node/installArchSpecificPackage.js');
  if (existsSync(script)) {
    console.error('Fetching Node 24 …');
    spawnSync(process.execPath, [script], { cwd: dirname(script), stdio: ['ignore', 'ignore', 'inherit'] });
    if (runs(brought)) return brought;
  }
  if (runs(process.execPath)) return process.execPath;
  console.error(`Node 24 is needed, and could not be installed here; this is ${process.version}.`);
  process.exit(1);
};

/** What Node has made of the sources is kept: processes start in half the time. Theirs who installed it, and nobody else's. */
const compiled = { NODE_COMPILE_CACHE: join(modules, '.cache/sluice/compiled') };

const start = (node, args, { cwd = root, env = {}, stdio = 'inherit' } = {}) => {
  const path = [join(modules, '.bin'), dirname(node), process.env.PATH].join(delimiter);
  return spawn(node, args, { cwd, stdio, env: { ...compiled, ...process.env, PATH: path, ...env } });
};

const ended = (child) => new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ? 130 : code)));

/** Runs in the foreground; signals are passed on, and the task decides when to end. */
const run = async (node, args, options) => {
  const child = start(node, args, options);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return ended(child);
};

const bin = (name) => {
  const folder = join(modules, name);
  const { bin: programs } = readJson(join(folder, 'package.json'));
  return join(folder, typeof programs === 'string' ? programs : programs[name]);
};

/** The suites are the projects of vitest.config.ts. */
const suites = () => [...readFileSync(join(root, 'vitest.config.ts'), 'utf8').matchAll(/\bname: '([^']+)'/g)].map((match) => match[1]);

const test = async (node, args, extra = [], env = {}) => {
  const known = suites();
  const named = args.filter((arg) => known.includes(arg));
  const rest = args.filter((arg) => arg !== '--' && !known.includes(arg));
  const folder = join(modules, '.cache/sluice');
  mkdirSync(folder, { recursive: true });
  const report = join(folder, `test-${process.pid}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const code = await run(node, [bin('vitest'), 'run', ...named.flatMap((suite) => ['--project', suite]), ...reporters, ...extra, ...rest], {
    env,
  });
  let [passed, failed] = [0, 0];
  try {
    const counts = readJson(report);
    [passed, failed] = [counts.numPassedTests, counts.numFailedTests];
    // A file that does not load has no tests to fail.
    if (!counts.success && failed === 0) failed = Math.max(1, counts.numFailedTestSuites);
  } catch {
    failed = 1;
  }
  if (code !== 0 && failed === 0) failed = 1;
  console.log(`${passed} passed, ${failed} failed`);
  return code;
};

const check = async (node) => {
  const began = Date.now();
  const steps = {
    format: [bin('oxfmt'), '--check'],
    lint: [bin('oxlint')],
    types: [join(modules, 'typescript/bin/tsc')],
    portal: [join(modules, 'typescript/bin/tsc'), '-p', join(root, 'portal')],
    unused: [bin('knip')],
  };
  const results = await Promise.all(
    Object.entries(steps).map(async ([name, args]) => {
      const child = start(node, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { FORCE_COLOR: process.stdout.isTTY ? '1' : '0' } });
      let output = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
      return { name, code: await ended(child), output };
    }),
  );
  for (const { name, code, output } of results) {
    if (code !== 0) console.log(`\n${name}:\n${output.trim()}\n`);
  }
  console.log(
    results.map(({ name, code }) => `${name} ${code === 0 ? 'ok' : 'FAILED'}`).join(' · '),
    `· ${((Date.now() - began) / 1000).toFixed(1)} s`,
  );
  return results.every(({ code }) => code === 0) ? 0 : 1;
};

/** With the portal in its newest state; a failure to build it is no reason not to run the rest. */
const serve = (node, args) => {
  try {
    buildPortal(node);
  } catch (error) {
    console.error(error.message);
  }
  return run(node, args);
};

const tasks = {
  quickstart: (node, args) => serve(node, [join(root, 'cli/src/quickstart.ts'), ...args]),
  start: (node, args) => serve(node, [join(root, 'server/src/main.ts'), 'start', ...args]),
  // npm changes into the project; files are named from where the user stands.
  sluice: (node, args) => run(node, [join(root, 'cli/src/main.ts'), ...args], { cwd: process.env.INIT_CWD ?? process.cwd() }),
  test: (node, args) => test(node, args),
  // What comes compiled out of the cache is counted less exactly.
  coverage: (node, args) => test(node, args, ['--coverage', '--coverage.thresholds.lines=90'], { NODE_COMPILE_CACHE: '' }),
  check,
  bench: (node, args) => run(node, [join(root, 'server/bench/main.ts'), ...args]),
  chaos: (node, args) => run(node, [join(root, 'server/test/crash/chaos-run.ts'), ...args]),
  screens: (node, [only = ''] = []) =>
    run(node, [bin('vitest'), 'run', '--config', join(root, 'portal/test/screens.config.ts'), 'screens'], { env: { SCREENS: only } }),
  budgets: (node, args) => run(node, [join(root, 'portal/test/budgets.ts'), ...args]),
  lighthouse: (node) => run(node, [bin('vitest'), 'run', '--config', join(root, 'portal/test/screens.config.ts'), 'lighthouse']),
  derive: (node, args) => run(node, [join(root, 'scripts/derive.ts'), ...args]),
};

const [name, ...args] = process.argv.slice(2);
if (!Object.hasOwn(tasks, name ?? '')) {
  console.error(`usage: node scripts/run.mjs ${Object.keys(tasks).join(' | ')}`);
  process.exit(1);
}
install();
process.exitCode = await tasks[name](findNode(), args);
