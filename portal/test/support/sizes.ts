/** What the built portal makes a browser load, gzipped, in kB. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const dist = fileURLToPath(new URL('../../dist/', import.meta.url));

interface Chunk {
  file: string;
  imports?: string[];
  css?: string[];
}

const size = (file: string): number => gzipSync(readFileSync(`${dist}${file}`), { level: 9 }).length / 1_000;

/** The list of batches and all that comes with it before anything is shown; and each chunk that is loaded later. */
export const sizes = (): { scripts: number; styles: number; later: { file: string; kB: number }[] } => {
  const manifest = JSON.parse(readFileSync(`${dist}manifest.json`, 'utf8')) as Record<string, Chunk>;
  const with_ = (name: string, found = new Set<string>()): Set<string> => {
    if (!found.has(name)) {
      found.add(name);
      for (const each of manifest[name]!.imports ?? []) with_(each, found);
    }
    return found;
  };
  const first = new Set([...with_('index.html'), ...with_('src/features/batches/list.tsx')]);
  const chunks = [...first].map((name) => manifest[name]!);
  return {
    scripts: chunks.reduce((sum, { file }) => sum + size(file), 0),
    styles: [...new Set(chunks.flatMap(({ css = [] }) => css))].reduce((sum, file) => sum + size(file), 0),
    later: readdirSync(`${dist}assets`)
      .filter((file) => file.endsWith('.js') && !chunks.some((chunk) => chunk.file.endsWith(file)))
      .map((file) => ({ file, kB: size(`assets/${file}`) })),
  };
};
