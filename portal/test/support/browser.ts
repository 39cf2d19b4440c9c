import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { existsSync } from 'node:fs';

/** Debian's, and where other systems have theirs. */
const chromiumPath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path));

/** Without a browser there is nothing to test with: those tests say that they were skipped. */
export const noBrowser = chromiumPath === undefined;

/** @param more arguments beside those that a machine without a screen or a network needs */
export const launch = (more: readonly string[] = []): Promise<Browser> => {
  if (chromiumPath === undefined) throw new Error('No Chromium is installed: `apt-get install chromium`.');
  const args = [
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--disable-background-networking',
    '--force-color-profile=srgb',
    ...more,
  ];
  return chromium.launch({ executablePath: chromiumPath, args });
};

export type Theme = 'light' | 'dark';

export interface Look {
  theme?: Theme;
  width?: number;
  height?: number;
  key?: string | null;
  reducedMotion?: boolean;
}

/** A browser of its own at a server's portal, signed in with the key. */
export const openContext = async (browser: Browser, url: string, look: Look & { key: string | null }): Promise<BrowserContext> => {
  const { theme = 'light', width = 1360, height = 860, reducedMotion = true, key } = look;
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    locale: 'en-GB',
    timezoneId: 'UTC',
    baseURL: url,
    ...(reducedMotion && { reducedMotion: 'reduce' as const }),
    acceptDownloads: true,
  });
  context.setDefaultTimeout(45_000);
  if (key !== null) {
    const reply = await context.request.post('/v1/portal/session', { data: { api_key: key } });
    if (!reply.ok()) throw new Error(`signing in: ${reply.status()} ${await reply.text()}`);
  }
  return context;
};

/** An address of `pages.ts`, with the samples' ids in it. */
export const fill = (path: string, samples: Record<string, string>): string =>
  path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const id = samples[name];
    if (id === undefined) throw new Error(`no sample is called ${name}`);
    return id;
  });

/** Waits until the page shows what its entry says, and nothing is on its way. */
export const settled = async (page: Page, text: string): Promise<void> => {
  await page.getByText(text).first().waitFor();
  const loading = page.getByLabel('Loading', { exact: true });
  while ((await loading.count()) > 0) await loading.first().waitFor({ state: 'detached' });
  await page.evaluate('document.fonts.ready.then(() => null)');
};

/** Besides, that all is drawn: pictures in sight, and structures. */
export const drawn = async (page: Page): Promise<void> => {
  await page.locator('[aria-busy=true]').waitFor({ state: 'detached' });
  await page.waitForFunction(() =>
    [...document.images].every((image) => image.complete || image.getBoundingClientRect().top > innerHeight),
  );
};
