import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { described } from './describe.ts';

const docs = readFileSync(new URL('../../../docs/chemistry.md', import.meta.url), 'utf8');

test('docs/chemistry.md names each output with its source and unit', () => {
  for (const { name, source, unit, about } of described) expect(docs).toContain(`| \`${name}\` | ${source} | ${unit} | ${about} |`);
});
