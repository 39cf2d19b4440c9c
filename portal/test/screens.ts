/**
 * `npm run screens`: a picture of every page in docs/screens, light and dark, on a desk (1360) and on a phone (360).
 * `npm run screens -- batches,=job` does those whose names hold a word, or are it. Not a test: people look at them.
 */
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { test } from 'vitest';
import { pages } from '../src/app/pages.ts';
import { drawn, fill, settled } from './support/browser.ts';
import { openPortal } from './support/portal.ts';
import { makeSamples, sampleModels } from './support/samples.ts';

const folder = fileURLToPath(new URL('../../docs/screens/', import.meta.url));
const wanted = (process.env['SCREENS'] ?? '').split(',');

const isWanted = (name: string): boolean => wanted.some((word) => (word.startsWith('=') ? name === word.slice(1) : name.includes(word)));

const sizes = [
  { width: 1360, height: 860 },
  { width: 360, height: 720 },
] as const;

test('screens', async () => {
  await mkdir(folder, { recursive: true });
  await using portal = await openPortal({ models: sampleModels });
  const samples = await makeSamples(portal.sluice.client);
  for (const { width, height } of sizes)
    for (const theme of ['light', 'dark'] as const) {
      const contexts = { in: await portal.open({ theme, width, height }), out: await portal.open({ theme, width, height, key: null }) };
      for (const { looks, open } of pages)
        for (const { name, path, await: text } of looks) {
          if (!isWanted(name)) continue;
          const page = await contexts[open ? 'out' : 'in'].newPage();
          await page.goto(fill(path, samples));
          await settled(page, text);
          await drawn(page);
          const file = `${name}-${theme}-${width}.png`;
          await page.screenshot({ path: `${folder}${file}`, animations: 'disabled', caret: 'hide' });
          console.log(file);
          await page.close();
        }
      for (const context of Object.values(contexts)) await context.close();
    }
}, 1_800_000);
