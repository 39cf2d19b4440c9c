import OpenAI from 'openai';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrowserContext } from 'playwright-core';
import { buildPortal } from '../../../scripts/portal.mjs';
import { install, key, type Installation } from '../../../server/bench/installation.ts';
import type { ModelSpec } from '../../../server/src/models/models.ts';
import { launch, openContext, type Look } from './browser.ts';

export interface Apart extends AsyncDisposable, Pick<Installation, 'url'> {
  client: OpenAI;
  /** Where its PostgreSQL is. */
  database: string;
  /** A folder for files, removed at the end. */
  folder: string;
  /** A browser of its own, signed in. */
  open: (look?: Look) => Promise<BrowserContext>;
}

/**
 * Sluice as it runs in production: a database and each role as processes of their own, and a browser. What is measured of
 * the pages is not slowed down by a server in the process that drives the browser.
 * @param browser arguments of Chromium beside the usual ones
 */
export const openApart = async ({
  models = [],
  env = {},
  browser: more = [],
}: { models?: readonly ModelSpec[]; env?: Record<string, string>; browser?: readonly string[] } = {}): Promise<Apart> => {
  buildPortal(process.execPath, { quiet: true });
  await using stack = new AsyncDisposableStack();
  const { url, database, dataDir } = stack.use(
    await install({
      env,
      // JSON is YAML.
      prepare: (folder) => writeFile(join(folder, 'sluice.yaml'), JSON.stringify({ models })),
    }),
  );
  const browser = await launch(more);
  stack.defer(() => browser.close());
  const open = (look: Look = {}) => openContext(browser, url, { key, ...look });
  const resources = stack.move();
  return {
    url,
    database,
    folder: dataDir,
    client: new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0 }),
    open,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
};
