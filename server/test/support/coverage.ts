import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** A process that is killed while it writes down what it ran leaves half a file, at which the report would end. */
afterAll(async () => {
  const folder = process.env['NODE_V8_COVERAGE'];
  if (folder === undefined) return;
  for (const name of await readdir(folder).catch(() => [])) {
    const file = join(folder, name);
    try {
      JSON.parse(await readFile(file, 'utf8'));
    } catch {
      await rm(file, { force: true });
    }
  }
});
