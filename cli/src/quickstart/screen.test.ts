import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '@sluice/contract/client';
import { expect, test } from 'vitest';
import { loadConfig } from '../../../server/src/config.ts';
import { startSluice } from '../../../server/test/support/sluice.ts';
import { terminal } from '../output.ts';
import { runScreen, topText } from './screen.ts';

test('the example screen, with the models of examples/sluice.yaml: all ligands, the best of them, and their files', async () => {
  const config = fileURLToPath(new URL('../../../examples/sluice.yaml', import.meta.url));
  const { models } = loadConfig({ cwd: tmpdir(), env: { SLUICE_CONFIG: config } });
  await using server = await startSluice({ models: [...models] });
  const folder = await mkdtemp(join(tmpdir(), 'sluice-quickstart-'));
  try {
    const done = await runScreen(new Client({ url: server.url, key: 'test-key', fetch }), terminal(), folder);
    expect(done.screen).toMatchObject({ model: 'boltz-2-sample@2.2.0', status: 'completed', invalid: 0 });
    expect(done.summary).toMatchObject({ ligands: 20, by_status: { ok: 20 } });
    expect(new Set(done.records.map(({ inchikey }) => inchikey)).size).toBe(20);
    const [head, best, ...rest] = topText(done, 3).split('\n');
    expect([head!.trim().split(/ {2,}/), rest.length]).toEqual([['rank', 'ligand', 'p(binds)', 'pIC50', 'ligand ipTM', 'structure'], 2]);
    expect(best).toContain(` ${done.summary.top_by_probability[0]!.name} `);
    // Nobody who finds such a file later takes it for a prediction.
    const structure = await readFile(join(done.folder, best!.trim().split(/ {2,}/).at(-1)!), 'utf8');
    expect(structure).toContain('SAMPLE_NOT_A_PREDICTION');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
