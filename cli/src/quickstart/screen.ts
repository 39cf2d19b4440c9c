import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LigandRecord, Screen, ScreenSummary } from '@sluice/contract';
import type { Client } from '@sluice/contract/client';
import { download, sequenceIn } from '../commands/screen.ts';
import type { Terminal } from '../output.ts';

const example = (name: string): string => fileURLToPath(new URL(`../../../examples/data/${name}`, import.meta.url));

/** What the example screens with; its numbers are invented, and its name says so. */
const model = 'boltz-2-sample';

export interface Screened {
  screen: Screen;
  summary: ScreenSummary;
  /** In the order of the ligands. */
  records: LigandRecord[];
  /** Where its files lie, as the archive has them. */
  folder: string;
  seconds: number;
}

/** Runs the example screen to its end and fetches all of its files. */
export const runScreen = async (client: Client, terminal: Terminal, folder: string): Promise<Screened> => {
  const began = performance.now();
  const protein = example('hiv-protease.fasta');
  let screen = await client.post<Screen>('/v1/screens', {
    name: 'HIV protease (sample)',
    model,
    protein: sequenceIn(readFileSync(protein, 'utf8'), protein),
    ligands: readFileSync(example('ligands.csv'), 'utf8'),
    parameters: { seed: 1 },
    // One bad ligand would be the example's own mistake.
    invalid: 'refuse',
  });
  while (screen.results.status === 'pending') {
    await new Promise((resolve) => setTimeout(resolve, 100));
    screen = await client.get<Screen>(`/v1/screens/${screen.id}`);
  }
  const { summary, request_counts: counts } = screen;
  if (summary === null || counts.completed < counts.total)
    throw new Error(
      `${screen.id} (${model}) is ${screen.status}; ${counts.completed} of ${counts.total} ligands were predicted. ` +
        (screen.results.error ?? summary?.failures[0]?.example ?? ''),
    );
  const out = join(folder, 'screen');
  await download({ client, terminal, quiet: true }, screen.id, { out });
  const { results } = JSON.parse(readFileSync(join(out, 'results/batch_results.json'), 'utf8')) as { results: LigandRecord[] };
  return { screen, summary, records: results, folder: out, seconds: (performance.now() - began) / 1000 };
};

const fixed = (value: number | null, digits: number): string => value?.toFixed(digits) ?? '';

/** The best by their probability of binding, with the structure of each. */
export const topText = ({ summary, records }: Screened, count: number): string => {
  const structure = new Map(records.map(({ id, structure_path: path }) => [id, path ?? '']));
  const table = [
    ['rank', 'ligand', 'p(binds)', 'pIC50', 'ligand ipTM', 'structure'],
    ...summary.top_by_probability
      .slice(0, count)
      .map(({ rank, id, name, affinity_probability_binary: odds, pic50, ligand_iptm: pose }) => [
        String(rank),
        name ?? id,
        fixed(odds, 2),
        fixed(pic50, 2),
        fixed(pose, 2),
        structure.get(id) ?? '',
      ]),
  ];
  const widths = table[0]!.map((_, i) => Math.max(...table.map((row) => row[i]!.length)));
  const left = new Set([1, 5]);
  const line = (row: string[]) => row.map((text, i) => (left.has(i) ? text.padEnd(widths[i]!) : text.padStart(widths[i]!))).join('  ');
  return table.map((row) => `  ${line(row)}`.trimEnd()).join('\n');
};
