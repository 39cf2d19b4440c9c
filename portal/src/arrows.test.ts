import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const order = ['lib', 'ui', 'features', 'app'];

const imports = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.tsx?$/.test(file) && !/\.test\.tsx?$|\.d\.ts$/.test(file) && file.includes('/'))
  .flatMap((from) =>
    [...readFileSync(join(import.meta.dirname, from), 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, to]) => ({
      from,
      to: relative(import.meta.dirname, resolve(import.meta.dirname, dirname(from), to!)),
    })),
  );

const folder = (file: string): string => file.split('/')[0]!;

test('arrows point from app over features and ui to lib', () => {
  expect(imports.length).toBeGreaterThan(30);
  const wrong = imports.filter(({ from, to }) => order.indexOf(folder(to)) > order.indexOf(folder(from)));
  expect(wrong).toEqual([]);
});

test('features do not import each other', () => {
  const feature = (file: string): string | null => /^features\/([^/]+)\//.exec(file)?.[1] ?? null;
  const wrong = imports.filter(({ from, to }) => feature(from) !== null && feature(to) !== null && feature(from) !== feature(to));
  expect(wrong).toEqual([]);
});
