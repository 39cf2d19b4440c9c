import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const rows = read('docs/faults.md').matchAll(/^\| (F\d+) \|.*\| (.*) \|$/gm);

/** The tests a row names: files, each with titles behind it. */
const named = (cell: string): { file: string; title: string }[] =>
  [...cell.matchAll(/`([^`]+\.test\.ts)`: ("[^;]*)/g)].flatMap(([, file, titles]) =>
    [...titles!.matchAll(/"([^"]+)"/g)].map(([, title]) => ({ file: file!, title: title! })),
  );

test('docs/faults.md names tests that exist, for each fault', () => {
  const faults = new Map([...rows].map(([, fault, cell]) => [fault!, named(cell!)]));
  expect([...faults.keys()]).toEqual(Array.from({ length: 23 }, (_, i) => `F${i + 1}`));
  for (const [fault, tests] of faults) {
    expect(tests.length, fault).toBeGreaterThan(0);
    for (const { file, title } of tests) expect(read(file).includes(title), `${fault}: ${file}: ${title}`).toBe(true);
  }
});
