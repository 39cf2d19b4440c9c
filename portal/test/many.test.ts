import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chatLine, createBatch } from '../../server/test/support/requests.ts';
import { sql } from '../../server/src/db/sql.ts';
import { noBrowser } from './support/browser.ts';
import { openPortal, type Portal } from './support/portal.ts';

/** Batches that have begun and will not go on: nobody runs their model. */
const waiting = 1_500;

describe.skipIf(noBrowser)('many batches', () => {
  let portal: Portal;
  beforeAll(async () => {
    portal = await openPortal({ workers: 0 });
    await portal.sluice.db.run(sql`
      insert into batches (id, tenant_id, created_by, name, endpoint, input_file_id, input_key, index_key, completion_window, deadline, status, sealed, total, priority, created_at)
      select 'batch_' || lpad(to_hex(n), 24, '0'), 'default', 'admin', 'Sweep ' || n, '/v1/chat/completions', 'file-none', 'none', 'none', '24h',
        now() + interval '1 day', 'in_progress', true, 10, 1, now() - make_interval(secs => n)
      from generate_series(1, ${waiting}) n`);
    await portal.sluice.db.run(sql`
      insert into chunks (batch_no, model, lines, priority, deadline) select no, 'echo@1.0.0', '{[1,11)}', 1, deadline from batches`);
  }, 90_000);
  afterAll(() => portal?.[Symbol.asyncDispose]());

  const inList = async (path = '/batches?q=sweep'): Promise<Page> => {
    const page = await portal.visit(path);
    await page.getByText('1,500 batches').waitFor();
    await page.getByRole('gridcell').first().waitFor();
    return page;
  };

  test('3, by keyboard: a filter, all that match it, cancelled at a pace, stopped on the way', async () => {
    const page = await inList();
    await page.keyboard.press('j');
    await page.keyboard.press('x');
    await page.getByText('1 selected').waitFor();
    await page.keyboard.press('Shift+X');
    const all = page.getByLabel('Select all loaded rows');
    await all.focus();
    await page.keyboard.press('Space');
    await page.getByText('100 selected').waitFor();
    const whole = page.getByRole('button', { name: 'Select all 1,500 matching' });
    await whole.focus();
    await page.keyboard.press('Enter');
    await page.getByText('All 1,500 matching selected').waitFor();
    const cancel = page.getByRole('region', { name: 'Selection' }).getByRole('button', { name: 'Cancel' });
    await cancel.focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.getByText('1,500 of 1,500 batches are meant.').waitFor();
    const go = dialog.getByRole('button', { name: 'Cancel 1,500' });
    expect(await go.isDisabled()).toBe(true);
    await dialog.getByLabel('Batches a second, at most').focus();
    await page.keyboard.type('20');
    await dialog.getByLabel('Type 1,500 to confirm').focus();
    await page.keyboard.type('1500');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/bulk\/op_/);
    await page.getByText(/[1-9]\d* done/).waitFor();
    const stop = page.getByRole('button', { name: 'Stop' });
    await stop.focus();
    await page.keyboard.press('Enter');
    await page.getByText('Stopped', { exact: true }).waitFor();
    const { done } = await portal.sluice.db.one<{ done: number }>(
      sql`select count(*)::int as done from batches where status in ('cancelling', 'cancelled')`,
    );
    expect(done).toBeGreaterThan(0);
    expect(done).toBeLessThan(waiting);
    await page.context().close();
  });

  test('an action on what was picked leaves the others alone', async () => {
    // The oldest: the action before this one began with the newest.
    const page = await inList('/batches?q=sweep&sort=created_at');
    await page
      .getByLabel(/^Select batch_/)
      .nth(3)
      .check();
    await page
      .getByLabel(/^Select batch_/)
      .nth(4)
      .check();
    await page.getByRole('region', { name: 'Selection' }).getByRole('button', { name: 'Priority' }).click();
    await page.getByRole('dialog').getByText('2 of 2 batches are meant.').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Change 2' }).click();
    await page.getByText('Changing the priority of 2 batches').waitFor();
    await expect
      .poll(() => portal.sluice.db.one<{ n: number }>(sql`select count(*)::int as n from batches where priority = 10`))
      .toEqual({ n: 2 });
    await page.context().close();
  });

  test('new batches wait until they are asked for, and what is shown is kept where it stands', async () => {
    const page = await inList('/batches?q=sweep&sort=name');
    // All but how long ago it was created, which goes on.
    const firstRow = async () => (await page.getByRole('row').nth(1).innerText()).replace(/\S+ \S+ ago/, '');
    const first = await firstRow();
    await createBatch(portal.sluice.client, [chatLine(1)], { name: 'A sweep, the newest' });
    await page.getByText('1 new · show').waitFor();
    expect(await firstRow()).toBe(first);
    await page.getByText('1 new · show').click();
    await page.getByText('A sweep, the newest').waitFor();
    await page.context().close();
  });

  test('a session that ends leads to the sign-in and back, with the form as it was', async () => {
    const page = await portal.visit('/batches/new');
    await page.getByLabel('Name').fill('Half written');
    await page.context().clearCookies();
    await page.getByRole('link', { name: 'Batches' }).first().click();
    await page.getByLabel('API key').fill('test-key');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Batches', exact: true }).waitFor();
    await page.goto('/batches/new');
    expect(await page.getByLabel('Name').inputValue()).toBe('Half written');
    await page.context().close();
  });
});
