import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const src = join(root, 'server/src');

const order = /```rooms\n([^`]+)```/
  .exec(readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8'))![1]!
  .trim()
  .split(/\s+/);

/** Files outside the rooms, and what else of those they may import; `roles` and tests may import them all. */
const outside: Record<string, readonly string[]> = {
  'options.ts': [],
  'declared.ts': ['options.ts'],
  'config.ts': ['options.ts', 'declared.ts'],
  'help.ts': ['options.ts'],
  'main.ts': ['config.ts', 'options.ts', 'help.ts'],
};

interface Import {
  from: string;
  to: string;
  typeOnly: boolean;
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
// What a test imports crosses rooms, as tests may; what a conformance suite or a fixture exports is for tests.
const isTest = (file: string): boolean => /\.test\.ts$|conformance\.ts$/.test(file);
const subjects = files.filter((file) => !isTest(file));

const importsOf = (file: string): Import[] => {
  const text = readFileSync(join(src, file), 'utf8');
  const statements = text.matchAll(
    /^(?:import|export)\s+(type\s)?[^'"]*?from\s+['"](\.[^'"]+)['"]|\bimport\(\s*['"](\.[^'"]+)['"]|^import\s+['"](\.[^'"]+)['"]/gm,
  );
  return [...statements].map(([, type, from, lazy, bare]) => ({
    from: file,
    to: relative(src, resolve(src, dirname(file), (from ?? lazy ?? bare)!)),
    typeOnly: type !== undefined,
  }));
};

const imports = subjects.flatMap(importsOf);
const roomOf = (file: string): string | null => (file.includes('/') ? file.split('/')[0]! : null);

test('every room is in the list, and every name of the list is a room', () => {
  const rooms = new Set(subjects.map(roomOf).filter((room) => room !== null));
  expect([...rooms].toSorted()).toEqual(order.toSorted());
  expect(subjects.filter((file) => roomOf(file) === null).toSorted()).toEqual(Object.keys(outside).toSorted());
});

test('rooms import leftward only', () => {
  const wrong = imports.filter(({ from, to, typeOnly }) => {
    const [here, there] = [roomOf(from), roomOf(to)];
    if (there === null) return here === null ? !outside[from]!.includes(to) : here !== 'roles' && !(typeOnly && to === 'config.ts');
    if (here === null)
      return from === 'main.ts' ? there !== 'roles' && there !== 'lib' : !['lib', 'auth', 'models', 'policy'].includes(there);
    return order.indexOf(there) > order.indexOf(here);
  });
  expect(wrong.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
});

test('imports leave server/src for packages only', () => {
  expect(imports.filter(({ to }) => to.startsWith('..') && !to.endsWith('package.json')).map(({ from, to }) => `${from} → ${to}`)).toEqual(
    [],
  );
});

test('no file imports itself, by whatever way round', () => {
  const next = new Map<string, string[]>();
  for (const { from, to, typeOnly } of imports) if (!typeOnly) next.set(from, [...(next.get(from) ?? []), to]);
  const state = new Map<string, 'open' | 'done'>();
  const cycles: string[] = [];
  const visit = (file: string, path: string[]): void => {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') return void cycles.push([...path.slice(path.indexOf(file)), file].join(' → '));
    state.set(file, 'open');
    for (const to of next.get(file) ?? []) visit(to, [...path, file]);
    state.set(file, 'done');
  };
  for (const file of next.keys()) visit(file, []);
  expect(cycles).toEqual([]);
});

test('the environment is read in config.ts only, the arguments in main.ts only', () => {
  const code = (file: string): string => readFileSync(join(src, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
  // They hand a few named variables on to their children, and keep the rest from them.
  const exempt = new Set(['lib/spawning.ts', 'executors/command/environment.ts']);
  expect(subjects.filter((file) => /process\.env\b/.test(code(file)) && !exempt.has(file))).toEqual(['config.ts']);
  expect(subjects.filter((file) => /process\.argv\b/.test(code(file)))).toEqual(['main.ts']);
});
