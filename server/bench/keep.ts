import { readFile, writeFile } from 'node:fs/promises';
import { rowOf, type Figure } from './figures.ts';
import { shape } from './machine.ts';
import { method } from './method.ts';

interface Kept {
  measured_at: string;
  machine: ReturnType<typeof shape>;
  figures: Figure[];
}

const json = new URL('figures.json', import.meta.url);
const page = new URL('FIGURES.md', import.meta.url);

const read = async (): Promise<Record<string, Kept>> =>
  readFile(json, 'utf8').then(
    (text) => JSON.parse(text) as Record<string, Kept>,
    () => ({}),
  );

/** Puts a benchmark's figures in the place of its last ones. */
export const keep = async (bench: string, figures: Figure[]): Promise<void> => {
  const all = await read();
  all[bench] = { measured_at: new Date().toISOString().slice(0, 16), machine: shape(), figures };
  await writeFile(json, `${JSON.stringify(all, null, 2)}\n`);
  await writeFile(page, render(all));
};

const render = (all: Record<string, Kept>): string => {
  const parts = Object.entries(all).map(([bench, { measured_at: at, machine, figures }]) => {
    const rows = figures.map((figure) => `| ${rowOf(figure).join(' | ')} |`).join('\n');
    return `## ${bench}\n\n${method[bench] ?? ''}\n\n${machine.cores} cores, ${machine.memory_gb} GB, Node ${machine.node.slice(1)}, ${at.replace('T', ' ')} UTC\n\n| | median | target | |\n|---|---|---|---|\n${rows}\n`;
  });
  return `# Figures\n\nWritten by \`npm run bench\`; each part holds the last run of that benchmark.\n\n${method['all']}\n\n${parts.join('\n')}`;
};
