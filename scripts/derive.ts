/**
 * Writes the files that are derived from the code: what the modules in `scripts/derive` return, path by path. They are
 * committed; with `--check` nothing is written, and a difference is a failure.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type Derive = () => Promise<Record<string, string>>;

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'scripts/derive');

export const deriveAll = async (): Promise<Map<string, string>> => {
  const files = new Map<string, string>();
  for (const name of (await readdir(folder)).filter((n) => n.endsWith('.ts')).sort()) {
    const { derive } = (await import(join(folder, name))) as { derive: Derive };
    for (const [path, text] of Object.entries(await derive())) files.set(path, text.endsWith('\n') ? text : `${text}\n`);
  }
  return files;
};

export const differing = async (files: ReadonlyMap<string, string>): Promise<string[]> => {
  const found = await Promise.all(
    [...files].map(async ([path, text]) => ((await readFile(join(root, path), 'utf8').catch(() => null)) === text ? [] : [path])),
  );
  return found.flat();
};

if (import.meta.main) {
  const files = await deriveAll();
  const stale = await differing(files);
  if (process.argv.includes('--check')) {
    if (stale.length > 0) {
      console.error(`not as derived: ${stale.join(', ')}. Run \`npm run derive\` and commit what it writes.`);
      process.exitCode = 1;
    }
  } else
    for (const path of stale) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), files.get(path)!);
      console.log(path);
    }
}
