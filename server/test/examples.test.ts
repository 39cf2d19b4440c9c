import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeBatches, parseCsv } from '../../examples/make-batches.ts';

test('quoted CSV fields hold commas, quotes and line breaks', () => {
  expect(parseCsv('a,b\r\n"x,""y""\nz",2\n,\n3')).toEqual([['a', 'b'], ['x,"y"\nz', '2'], ['', ''], ['3']]);
});

test('the example tables become batch files, a line for each compound', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-examples-'));
  const made = makeBatches(folder);
  expect(made.map(({ model, lines }) => [model, lines])).toEqual([
    ['aqsol-logs', 9982],
    ['bbb-b3db', 7807],
  ]);
  for (const { path, lines, model } of made) {
    const parsed = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { custom_id: string; body: { model: string; inputs: { smiles: string } } });
    expect(parsed).toHaveLength(lines);
    expect(new Set(parsed.map((line) => line.custom_id)).size).toBe(lines);
    expect(parsed.every(({ body }) => body.model === model && body.inputs.smiles.length > 0)).toBe(true);
  }
  rmSync(folder, { recursive: true });
});
