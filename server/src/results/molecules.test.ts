import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DuckProcess } from './process.ts';

test('an SDF larger than a pipe is written whole, however slowly it is read', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-sdf-'));
  try {
    await using duck = new DuckProcess({ folder, output: true });
    const sql = `select 'CC(=O)Oc1ccccc1C(=O)O' as smiles, range as id from range(1000)`;
    const written = duck.ask({ do: 'sdf', sql, values: [], names: ['smiles', 'id'], smiles: 0, title: 1 });
    // Nobody reads until it is full: a write that does not wait for room fails now.
    const outcome = written.then(
      () => 'written',
      (error: unknown) => (error as Error).message,
    );
    void outcome.then(() => duck.finish());
    let text = '';
    for await (const part of duck.child.stdout!) text += (part as Buffer).toString('latin1');
    expect(await outcome).toBe('written');
    expect(text.split('$$$$\n').length - 1).toBe(1000);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
