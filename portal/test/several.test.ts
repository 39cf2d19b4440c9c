import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call, createBatch, untilEnded } from '../../server/test/support/requests.ts';
import { noBrowser } from './support/browser.ts';
import { openPortal, type Portal } from './support/portal.ts';

const line = (id: string, echo: object) => ({
  custom_id: id,
  method: 'POST',
  url: '/v1/predict',
  body: { inputs: { of: id }, sluice_echo: echo },
});

describe.skipIf(noBrowser)('a batch of several models', { timeout: 120_000 }, () => {
  let portal: Portal;
  beforeAll(async () => {
    portal = await openPortal({
      models: ['first', 'second'].map((name) => ({ name, version: '1.0.0', executor: 'echo', options: {} })),
      retry: { maxAttempts: 1 },
      workers: 2,
    });
  }, 120_000);
  afterAll(() => portal?.[Symbol.asyncDispose]());

  test('why it failed leads to the lines of each model; each is cancelled and run again by itself, from the list too', async () => {
    const { client } = portal.sluice;
    const lines = [line('slow', { delay_ms: 3_600_000 }), line('bad-1', { status: 422 }), line('bad-2', { status: 422 })];
    const { id } = await createBatch(client, lines, { endpoint: '/v1/predict', models: ['first', 'second'], name: 'Two models' });
    await expect.poll(async () => (await call(client, 'GET', `/v1/batches/${id}/failures`)).body['failed']).toBe(4);
    const page = await portal.visit(`/batches/${id}`);
    const causes = page.getByRole('region', { name: 'Causes of failure' });
    await causes.getByText('4', { exact: true }).waitFor();
    await causes.getByRole('link', { name: 'second@1.0.0' }).click();
    await page.waitForURL(/tab=requests/);
    await page.getByText('bad-1').waitFor();
    expect(await page.getByText('slow', { exact: true }).count()).toBe(0);

    await page.goto('/batches');
    await page.getByRole('gridcell').first().waitFor();
    await page
      .getByRole('row', { name: /Two models/ })
      .getByText('Running')
      .click();
    const peek = page.getByRole('complementary', { name: 'Preview' });
    await peek.getByRole('button', { name: 'Cancel first@1.0.0' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('1 request has not ended').waitFor();
    await dialog.getByRole('button', { name: 'Abort those under way too' }).click();
    await dialog.waitFor({ state: 'detached' });
    await peek.getByRole('listitem').filter({ hasText: 'first@1.0.0' }).getByText('Cancelled').waitFor();
    await peek.getByRole('listitem').filter({ hasText: 'second@1.0.0' }).getByText('Running').waitFor();
    await peek.getByRole('button', { name: 'Retry 2 of first@1.0.0' }).click();
    await page.waitForURL((url) => url.pathname.startsWith('/batches/batch_') && !url.pathname.includes(id));
    await page.getByText('2 of 2 failed').waitFor();
    const again = (await call(client, 'GET', `/v1/batches/${page.url().split('/').at(-1)}`)).body;
    const { children } = (await call(client, 'GET', `/v1/batches/${id}`)).body as { children: { id: string }[] };
    expect(again).toMatchObject({ continues: children[0]!.id, models: ['first@1.0.0'] });
    await call(client, 'POST', `/v1/batches/${id}/cancel`, { mode: 'abort' });
    await page.context().close();
  });

  test('a cause is run again in all its models at once; each row of a list has a menu, with the models in it', async () => {
    const { client } = portal.sluice;
    const lines = [line('good', {}), line('bad', { status: 422 }), line('worse', { status: 422 })];
    const { id } = await createBatch(client, lines, { endpoint: '/v1/predict', models: ['first', 'second'], name: 'Both failed' });
    await untilEnded(client, id);
    const page = await portal.visit(`/batches/${id}`);
    await page.getByRole('region', { name: 'Causes of failure' }).getByRole('button', { name: 'Retry these 4' }).click();
    await page.waitForURL(/\/bulk\//);
    await page.getByText('4 done of 4').waitFor();
    const { children } = (await call(client, 'GET', `/v1/batches/${id}`)).body as { children: { id: string; model: string }[] };
    for (const child of children) {
      const { continued_by: again } = (await call(client, 'GET', `/v1/batches/${child.id}`)).body as { continued_by: string[] };
      expect(again.length).toBe(1);
      expect(await untilEnded(client, again[0]!)).toMatchObject({ request_counts: { total: 2, failed: 2 } });
    }

    await page.goto(`/batches?q=${id}`);
    const row = page.getByRole('row', { name: /Both failed/ });
    await row.focus();
    await page.keyboard.press('m');
    const models = page.getByRole('menu').getByRole('group');
    await models.first().waitFor();
    expect(await models.count()).toBe(2);
    await models
      .filter({ hasText: 'second' })
      .getByRole('menuitem', { name: /^Retry 2 of second/ })
      .click();
    await page.waitForURL((url) => url.pathname.startsWith('/batches/batch_'));
    const made = (await call(client, 'GET', `/v1/batches/${page.url().split('/').at(-1)}`)).body;
    expect(made['continues']).toBe(children.find(({ model }) => model.startsWith('second'))!.id);
    await page.context().close();
  });
});
