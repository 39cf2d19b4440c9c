import type { Browser, BrowserContext, Page } from 'playwright-core';
import { buildPortal } from '../../../scripts/portal.mjs';
import { startSluice, type Sluice, type SluiceOptions } from '../../../server/test/support/sluice.ts';
import { launch, openContext, type Look } from './browser.ts';

export interface Portal extends AsyncDisposable {
  sluice: Sluice;
  url: string;
  browser: Browser;
  /** A browser of its own, signed in: its cookies and storage are nobody else's. */
  open: (look?: Look) => Promise<BrowserContext>;
  /** A page of such a browser, at an address. */
  visit: (path: string, look?: Look) => Promise<Page>;
}

/** The portal as its users have it: the built pages, the real server, its database and workers, and a browser. */
export const openPortal = async (options: SluiceOptions = {}): Promise<Portal> => {
  buildPortal(process.execPath, { quiet: true });
  await using stack = new AsyncDisposableStack();
  const sluice = stack.use(await startSluice({ portal: true, ...options }));
  const browser = await launch();
  stack.defer(() => browser.close());
  const open = (look: Look = {}) => openContext(browser, sluice.url, { key: sluice.client.apiKey, ...look });
  const visit = async (path: string, look?: Look) => {
    const page = await (await open(look)).newPage();
    await page.goto(path);
    return page;
  };
  const resources = stack.move();
  return { sluice, url: sluice.url, browser, open, visit, [Symbol.asyncDispose]: () => resources.disposeAsync() };
};
