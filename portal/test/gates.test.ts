import { AxeBuilder } from '@axe-core/playwright';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pages } from '../src/app/pages.ts';
import { portalPolicy } from '../../server/src/http/portal-files.ts';
import { fill, noBrowser, settled } from './support/browser.ts';
import { openPortal, type Portal } from './support/portal.ts';
import { makeSamples, sampleModels, type Samples } from './support/samples.ts';
import { sizes } from './support/sizes.ts';

const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

describe.skipIf(noBrowser)('every page of the portal', { timeout: 120_000 }, () => {
  let portal: Portal;
  let samples: Samples;
  // Browsers that all looks share, so that each of them loads what is its own: one signed in, one not.
  let signedIn: BrowserContext;
  let signedOut: BrowserContext;
  const foreign: string[] = [];
  const wrong: string[] = [];
  const watch = (context: BrowserContext): BrowserContext =>
    context
      .on('request', (request) => {
        if (!request.url().startsWith(portal.url) && !/^(data|blob):/.test(request.url())) foreign.push(request.url());
      })
      .on('weberror', (error) => wrong.push(String(error.error())))
      .on('console', (message) => {
        // A look that shows an error has been refused something, as it should.
        if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) wrong.push(message.text());
      });
  beforeAll(async () => {
    portal = await openPortal({ models: sampleModels });
    samples = await makeSamples(portal.sluice.client);
    [signedIn, signedOut] = [watch(await portal.open()), watch(await portal.open({ key: null }))];
  }, 120_000);
  afterAll(() => portal?.[Symbol.asyncDispose]());

  /** What of a page breaks a rule, in words that lead there. */
  const violations = async (page: Page, rules?: string[]): Promise<string[]> => {
    // Run in the page itself, which takes half as long; that would leave out frames, of which there are none.
    expect(page.frames()).toHaveLength(1);
    const axe = new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ['violations'] });
    const { violations } = await (rules === undefined ? axe.withTags(tags) : axe.withRules(rules)).analyze();
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`));
  };

  const looks = pages.flatMap(({ looks, open }) => looks.map((look) => ({ ...look, open })));

  test.each(looks)('$name: nobody is shut out, and nothing is asked of another origin', async ({ path, await: text, open }) => {
    foreign.length = wrong.length = 0;
    const page = await (open ? signedOut : signedIn).newPage();
    const reply = await page.goto(fill(path, samples));
    expect(reply!.headers()['content-security-policy']).toBe(portalPolicy);
    expect([reply!.headers()['x-content-type-options'], reply!.headers()['referrer-policy']]).toEqual(['nosniff', 'no-referrer']);
    await settled(page, text);
    expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
    expect(await page.title()).toMatch(/\S · Sluice$/);
    expect(await violations(page)).toEqual([]);
    // In the dark only colours are others.
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.locator('html[data-mantine-color-scheme=dark]').waitFor({ state: 'attached' });
    expect(await violations(page, ['color-contrast'])).toEqual([]);
    expect([foreign, wrong]).toEqual([[], []]);
    // A table fits a desk, whatever its cells hold, but beside a preview; that of results has as many columns as it has.
    const cut = await page
      .locator('[role=grid]')
      .evaluateAll((grids) =>
        grids.flatMap(({ parentElement: frame, ariaLabel }) => (frame!.scrollWidth > frame!.clientWidth ? [ariaLabel] : [])),
      );
    expect(cut.filter((label) => label !== 'Results' && !path.includes('peek='))).toEqual([]);
    await page.close();
  });

  test('batches and models are called alike on all pages', async () => {
    const page = await portal.visit('/');
    const recent = page.locator('section').filter({ hasText: 'Recent batches' });
    await recent
      .getByRole('link', { name: /Kinase panel.*Completed, some failed/s })
      .first()
      .waitFor();
    await recent.getByRole('link', { name: /Kinase panel, again.*Completed · 14 of 14 failed/s }).waitFor();
    await recent.getByRole('link', { name: /Broken export.*Invalid file.*–/s }).waitFor();
    const model = page.getByRole('link', { name: 'echo@1.0.0' });
    expect(await model.evaluate((link) => getComputedStyle(link, '::first-letter').textTransform)).toBe('none');
    await page.goto('/screens');
    await page.getByRole('row', { name: /KRAS, sample.*Completed, some failed/s }).waitFor();
    await page.context().close();
  });

  test.each(['light', 'dark'] as const)('dialogs, %s: ⌘K and the keys', async (theme) => {
    const page = await portal.visit('/batches', { theme });
    await settled(page, 'Kinase panel');
    await page.keyboard.press('?');
    await page.getByRole('dialog').getByText('Keyboard shortcuts').waitFor();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog').getByLabel('Search').fill('kinase');
    await page.getByRole('dialog').getByText('Kinase panel').first().waitFor();
    expect(await violations(page)).toEqual([]);
    await page.context().close();
  });

  test('menus of a list, and its views', async () => {
    const page = await portal.visit('/batches?sla=met');
    await settled(page, 'Kinase panel');
    for (const name of ['SLA · 1', 'Columns', 'Copy as', 'Views']) {
      await page.getByRole('button', { name }).click();
      await page.getByRole('menu').waitFor();
      expect([name, await violations(page)]).toEqual([name, []]);
      if (name === 'Views') await page.getByRole('menuitem', { name: 'Save this view' }).click();
      else await page.keyboard.press('Escape');
      await page.getByRole('menu').waitFor({ state: 'detached' });
    }
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Save what is shown as').fill('In time');
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'View: In time' }).click();
    await page.getByRole('menuitemradio', { name: 'In time' }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole('menuitem', { name: 'Save or change views' }).click();
    await dialog.getByLabel('Name of In time').waitFor();
    expect(await violations(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.locator('html[data-mantine-color-scheme=dark]').waitFor({ state: 'attached' });
    expect(await violations(page, ['color-contrast'])).toEqual([]);
    await page.context().close();
  });
});

describe.skipIf(noBrowser)('sizes, gzipped', () => {
  test('the first page takes 230 kB of script and 22 kB of style at most, a further one 45 kB', () => {
    const { scripts, styles, later } = sizes();
    console.log(`first load: ${scripts.toFixed(1)} kB of script, ${styles.toFixed(1)} kB of style`);
    expect(scripts).toBeLessThanOrEqual(230);
    expect(styles).toBeLessThanOrEqual(22);
    // Mol* is as large as it is; its page says so while it loads.
    expect(later.filter(({ file, kB }) => kB > (/molstar/.test(file) ? 1_000 : 45))).toEqual([]);
  });
});
