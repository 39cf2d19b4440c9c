import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chatLine, createBatch, untilEnded } from '../../server/test/support/requests.ts';
import { noBrowser } from './support/browser.ts';
import { openPortal, type Portal } from './support/portal.ts';

describe.skipIf(noBrowser)('saved views', { timeout: 120_000 }, () => {
  let portal: Portal;
  beforeAll(async () => {
    portal = await openPortal({
      keys: [
        { key: 'ada', tenant: 'lab', user: 'ada' },
        { key: 'bob', tenant: 'lab', user: 'bob' },
      ],
    });
    const ada = portal.sluice.clientFor('ada');
    for (const name of ['Zinc', 'Aspirin']) await untilEnded(ada, (await createBatch(ada, [chatLine(name)], { name })).id);
    await untilEnded(ada, (await createBatch(ada, ['no JSON'], { name: 'Broken' })).id);
  }, 120_000);
  afterAll(() => portal?.[Symbol.asyncDispose]());

  const at = (page: Page) => Object.fromEntries(new URL(page.url()).searchParams);
  const until = (page: Page, search: Record<string, string | null>) =>
    page.waitForURL(({ searchParams }) => Object.entries(search).every(([name, value]) => searchParams.get(name) === value));
  const listed = async (page: Page, names: string[]) => {
    const links = page.getByRole('grid', { name: 'Batches' }).getByRole('link');
    await expect.poll(() => links.allInnerTexts(), { timeout: 20_000 }).toEqual(names);
  };
  const views = (page: Page) => page.getByRole('button', { name: /^(Views|View: )/ });
  const choose = async (page: Page, name: string | RegExp) => {
    await views(page).click();
    await page.getByRole('menuitem', { name }).or(page.getByRole('menuitemradio', { name })).click();
  };

  test('filter, sort and columns under a name: chosen, by its link, as the default; renamed, shared, removed', async () => {
    const page = await portal.visit('/batches?status=completed&sort=name', { key: 'ada' });
    await listed(page, ['Aspirin', 'Zinc']);
    await page.getByRole('button', { name: 'Columns' }).click();
    await page.getByRole('menuitemcheckbox', { name: 'Model' }).click();
    await page.keyboard.press('Escape');
    await page.getByRole('menu').waitFor({ state: 'detached' });
    await choose(page, 'Save this view');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Save what is shown as').fill('Done, by name');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'detached' });

    await page.goto('/batches');
    await listed(page, ['Broken', 'Aspirin', 'Zinc']);
    await choose(page, /Done, by name/);
    await listed(page, ['Aspirin', 'Zinc']);
    const shown = at(page);
    expect(shown).toMatchObject({ status: 'completed', sort: 'name' });
    expect(shown['cols']!.split(',')).not.toContain('model');
    expect(await page.getByRole('columnheader', { name: 'Model' }).count()).toBe(0);
    await page.getByRole('button', { name: 'View: Done, by name' }).waitFor();
    // Whatever is changed is no longer the view, and says so by its address.
    await page.getByRole('link', { name: /^All/ }).click();
    await page.getByRole('button', { name: 'Views', exact: true }).waitFor();

    // In another browser, which remembers no columns.
    const other = await portal.visit('/batches?view=done-by-name', { key: 'ada' });
    await until(other, { view: null, status: 'completed' });
    await listed(other, ['Aspirin', 'Zinc']);
    expect(at(other)).toEqual(shown);
    await choose(other, 'Save or change views');
    await other.getByRole('button', { name: 'Open Done, by name by default' }).click();
    await other.getByRole('button', { name: 'Done, by name is opened by default' }).waitFor();
    await other.getByLabel('Name of Done, by name').fill('Finished');
    await other.keyboard.press('Enter');
    await other.getByRole('button', { name: 'Share Finished with the tenant' }).click();
    await other.getByRole('button', { name: 'Finished is shared with the tenant' }).waitFor();

    await page.goto('/batches');
    await until(page, { status: 'completed', view: null });
    await page.getByRole('button', { name: 'View: Finished' }).waitFor();
    // All of them are a press away, and have an address that stays so.
    await page.getByRole('link', { name: 'Batches', exact: true }).first().click();
    await until(page, { view: '-', status: null });
    await listed(page, ['Broken', 'Aspirin', 'Zinc']);
    await page.reload();
    await listed(page, ['Broken', 'Aspirin', 'Zinc']);
    expect(at(page)).toEqual({ view: '-' });
    // What an address says goes before any default.
    await page.goto('/batches?status=failed');
    await listed(page, ['Broken']);

    // Its slug stays; to others it is there to be opened, and to be no more than that.
    const bobs = await portal.visit('/batches?view=done-by-name', { key: 'bob' });
    await listed(bobs, ['Aspirin', 'Zinc']);
    await choose(bobs, 'Save or change views');
    await bobs.getByRole('dialog').getByText('of ada').waitFor();
    expect(await bobs.getByRole('button', { name: 'Remove Finished' }).count()).toBe(0);

    await other.getByRole('button', { name: 'Remove Finished' }).click();
    await other.getByRole('button', { name: 'Remove', exact: true }).click();
    await other.getByLabel('Name of Finished').waitFor({ state: 'detached' });
    await other.goto('/batches?view=done-by-name');
    await other.getByText('No such view').waitFor();
    await listed(other, ['Broken', 'Aspirin', 'Zinc']);
    for (const each of [page, other, bobs]) await each.context().close();
  });

  test('the requests of a batch have views too, which go with the reader to other batches', async () => {
    const ada = portal.sluice.clientFor('ada');
    const lines = [chatLine('fine'), chatLine('refused', { echo: { status: 422 } })];
    const [one, other] = [await createBatch(ada, lines), await createBatch(ada, lines)];
    await Promise.all([untilEnded(ada, one.id), untilEnded(ada, other.id)]);
    const page = await portal.visit(`/batches/${one.id}?tab=requests`, { key: 'ada' });
    const rows = page.getByRole('grid').getByRole('button', { name: /^Line/ });
    await expect.poll(() => rows.count()).toBe(2);
    await page
      .getByRole('group', { name: 'States' })
      .getByRole('button', { name: /^Failed/ })
      .click();
    await expect.poll(() => rows.count()).toBe(1);
    await choose(page, 'Save this view');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Save what is shown as').fill('What failed');
    await dialog.getByLabel('Open it by default').check();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'detached' });

    // The default is opened with the tab, of whatever batch; the other tabs are left alone by it.
    await page.goto(`/batches/${other.id}`);
    await page
      .getByRole('navigation', { name: 'Parts of the batch' })
      .getByRole('link', { name: /^Requests/ })
      .click();
    await until(page, { tab: 'requests', state: 'failed,dead_lettered,expired' });
    await page.getByRole('button', { name: 'View: What failed' }).waitFor();
    await expect.poll(() => rows.count()).toBe(1);
    await page.getByRole('group', { name: 'States' }).getByRole('button', { name: /^All/ }).click();
    await until(page, { tab: 'requests', view: '-', state: null });
    await expect.poll(() => rows.count()).toBe(2);
    await page.getByRole('navigation', { name: 'Parts of the batch' }).getByRole('link', { name: 'Overview' }).click();
    await until(page, { tab: null, view: null });

    // Its link says of which part it is a view.
    await page.goto(`/batches/${one.id}?tab=requests&view=what-failed`);
    await until(page, { tab: 'requests', view: null, state: 'failed,dead_lettered,expired' });
    await expect.poll(() => rows.count()).toBe(1);
    await page.context().close();
  });

  test('a default that could not be kept is not shown as kept', async () => {
    const page = await portal.visit('/jobs?model=echo', { key: 'bob' });
    await choose(page, 'Save this view');
    await page.getByRole('dialog').getByLabel('Save what is shown as').fill('Echo');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'View: Echo' }).waitFor();
    await choose(page, 'Save or change views');
    await page.route('**/v1/portal/settings', (route) => (route.request().method() === 'PUT' ? route.abort() : route.continue()));
    await page.getByRole('button', { name: 'Open Echo by default' }).click();
    await page.getByText('This could not be kept').waitFor();
    await page.getByRole('button', { name: 'Open Echo by default' }).waitFor();
    await page.unroute('**/v1/portal/settings');
    await page.getByRole('button', { name: 'Open Echo by default' }).click();
    await page.getByRole('button', { name: 'Echo is opened by default' }).waitFor();
    await page.goto('/jobs');
    await until(page, { model: 'echo' });
    await page.context().close();
  });
});
