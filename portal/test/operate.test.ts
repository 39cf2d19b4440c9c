import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { identity, smallMlp } from '../../server/test/support/onnx-models.ts';
import { call, chatLine, createBatch, untilEnded } from '../../server/test/support/requests.ts';
import { noBrowser } from './support/browser.ts';
import { openPortal, type Portal } from './support/portal.ts';

describe.skipIf(noBrowser)('what operators do', { timeout: 120_000 }, () => {
  let portal: Portal;
  beforeAll(async () => {
    portal = await openPortal();
  }, 120_000);
  afterAll(() => portal?.[Symbol.asyncDispose]());

  test('an empty installation runs a sample batch with one click', async () => {
    const page = await portal.visit('/');
    await page.getByRole('button', { name: 'Run sample batch' }).click();
    await page.waitForURL(/\/batches\/batch_/);
    await page.getByRole('heading', { level: 1, name: 'Sample batch' }).waitFor();
    await page.getByText('Completed, some failed').waitFor();
    await page.goto('/');
    await page.getByText('Recent batches').waitFor();
    await page
      .getByRole('link', { name: /Sample batch/ })
      .first()
      .waitFor();
    expect(await page.getByText('Begin here').count()).toBe(0);
    await page.context().close();
  });

  test('a tile that has no answer fails alone, and says so', async () => {
    const page = await (await portal.open()).newPage();
    await page.route('**/v1/portal/attention', (route) => route.abort());
    await page.goto('/');
    await page.getByRole('alert').getByText('What needs attention could not be shown').waitFor();
    await page.getByRole('heading', { name: 'Reachable' }).waitFor();
    await page.getByRole('list', { name: 'Figures' }).waitFor();
    expect(await page.getByRole('alert').count()).toBe(1);
    await page.unroute('**/v1/portal/attention');
    await page.getByRole('alert').getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('alert').waitFor({ state: 'detached' });
    await page.context().close();
  });

  test('tiles stay as they were put, in another browser too', async () => {
    const page = await portal.visit('/');
    const figures = (of: Page) => of.getByRole('list', { name: 'Figures' }).getByRole('listitem');
    await figures(page).first().waitFor();
    await page.getByRole('button', { name: 'Tiles' }).click();
    const kept = page.waitForResponse((reply) => reply.request().method() === 'PUT' && reply.url().endsWith('/v1/portal/settings'));
    await page.getByRole('menuitem', { name: /^Workers busy\s*, hidden$/ }).click();
    expect((await kept).status()).toBe(200);
    await figures(page).filter({ hasText: 'Workers busy' }).waitFor();
    const other = await portal.visit('/');
    await figures(other).filter({ hasText: 'Workers busy' }).waitFor();
    for (const each of [page, other]) await each.context().close();
  });

  test('dead letters: by cause, one edited and run as a batch, the others discarded with a reason', async () => {
    const { client } = portal.sluice;
    const { id } = await createBatch(
      client,
      ['a', 'b', 'c'].map((name) => chatLine(`dead-${name}`, { echo: { status: 503 } })),
      { name: 'Overloaded' },
    );
    await untilEnded(client, id);
    const page = await portal.visit(`/dead-letters?batch=${id}`);
    await page.getByText('1 cause. Open one to see its requests.').waitFor();
    await page.getByRole('grid', { name: 'Causes' }).press('j');
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'dead-b' }).click();
    const body = page.getByLabel('Body');
    await body.fill('{"model": "echo"');
    expect(await page.getByRole('button', { name: 'Run this' }).isDisabled()).toBe(true);
    await body.fill('{"model": "echo", "messages": [{"role": "user", "content": "again"}]}');
    await page.getByRole('button', { name: 'Run this' }).click();
    await page.waitForURL(/\/batches\/batch_/);
    await page.getByText('1 of 1 succeeded').waitFor();
    await page.goto(`/dead-letters?batch=${id}&code=upstream_error`);
    await page.getByText('3 requests').waitFor();
    expect(await page.getByRole('link', { name: /^dead-/ }).count()).toBe(3);
    await page.getByRole('button', { name: 'Discard all of these' }).click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.getByRole('button', { name: 'Discard', exact: true }).isDisabled()).toBe(true);
    await dialog.getByLabel('Reason').fill('The model is retired');
    await dialog.getByRole('button', { name: 'Discard', exact: true }).click();
    await page.getByText('None is like that').waitFor();
    const { body: gone } = await call(client, 'GET', `/v1/dead_letters?batch=${id}&status=discarded`);
    expect((gone['data'] as { discard_reason: string }[]).map((each) => each.discard_reason)).toEqual(
      Array.from({ length: 3 }, () => 'The model is retired'),
    );
    await page.context().close();
  });

  test('10: dead letters run again at a pace, stopped on the way, and the rest later', async () => {
    const { client } = portal.sluice;
    const letters = Array.from({ length: 40 }, (_, i) => chatLine(`paced-${i + 1}`, { echo: { status: 503 } }));
    const { id } = await createBatch(client, letters, { name: 'Overloaded again' });
    await untilEnded(client, id);
    const page = await portal.visit(`/dead-letters?batch=${id}&code=upstream_error`);
    await page.getByText('40 requests').waitFor();
    const runAgain = async (eligible: number, perSecond: string): Promise<void> => {
      await page.getByRole('button', { name: 'Run all of these again' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByText(`${eligible} can be run again`).waitFor();
      await dialog.getByLabel('Requests a second at most').fill(perSecond);
      await dialog.getByRole('button', { name: `Run ${eligible} again` }).click();
      await page.waitForURL(/\/bulk\/op_/);
    };
    await runAgain(40, '2');
    const operation = /op_[0-9a-f]+/.exec(page.url())![0];
    await page.getByText(/[1-9]\d* done/).waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('Stopped', { exact: true }).waitFor();
    const {
      counts,
      started_at: from,
      ended_at: to,
    } = (await call(client, 'GET', `/v1/bulk/${operation}`)).body as {
      counts: { done: number };
      started_at: number;
      ended_at: number;
    };
    // A batch of them holds ten seconds of the pace at most, and the next one waits until its time has passed.
    expect(counts.done).toBeLessThanOrEqual(2 * (to - from + 10));
    expect(counts.done).toBeLessThan(40);
    const open = 40 - counts.done;
    await page.goto(`/dead-letters?batch=${id}&code=upstream_error`);
    await page.getByText(`${open} requests`).waitFor();
    await runAgain(open, '');
    await page.getByText(`${open} done of ${open}`).waitFor();
    await page.goto(`/dead-letters?batch=${id}&code=upstream_error`);
    await page.getByText('None is like that').waitFor();
    await page.context().close();
  });

  test('a job that runs is cancelled', async () => {
    const { client } = portal.sluice;
    const sent = await call(client, 'POST', '/v1/jobs', {
      model: 'echo',
      endpoint: '/v1/chat/completions',
      body: { messages: [{ role: 'user', content: 'slow' }], sluice_echo: { delay_ms: 3_600_000 } },
    });
    const page = await portal.visit(`/jobs/${sent.body['id'] as string}`);
    await page.getByText('Running', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByText('Cancelled', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Run again' }).waitFor();
    const { body } = await call(client, 'GET', `/v1/jobs/${sent.body['id'] as string}`);
    expect(body['status']).toBe('cancelled');
    await page.context().close();
  });

  test('7: models: one is uploaded and tried, broken ones are refused and say why, an alias moves on, and a batch stays with what it was made with', async () => {
    const { client } = portal.sluice;
    const page = await portal.visit('/models');
    const upload = async (bytes: Uint8Array) => {
      const dialog = page.getByRole('dialog');
      await dialog
        .locator('input[type=file]')
        .setInputFiles({ name: 'flow.onnx', mimeType: 'application/octet-stream', buffer: Buffer.from(bytes) });
      await dialog.getByRole('button', { name: 'Upload' }).click();
      await dialog.waitFor({ state: 'detached' });
    };
    await page.getByRole('button', { name: 'Upload ONNX' }).first().click();
    await upload(smallMlp());
    await page.waitForURL(/\/models\/flow\?version=1\.0\.0/);
    const vetting = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Vetting' }) });
    await vetting.getByText('Ready', { exact: true }).waitFor();
    expect(await vetting.getByRole('listitem').count()).toBeGreaterThan(2);
    await page.getByRole('button', { name: 'New version' }).click();
    await upload(smallMlp().subarray(0, 900));
    await page.waitForURL(/version=1\.1\.0/);
    await vetting.getByText('Failed', { exact: true }).waitFor();
    expect(await vetting.getByText('failed', { exact: true }).count()).toBe(1);
    // Well made, and newer than what runs here.
    await page.getByRole('button', { name: 'New version' }).click();
    await upload(identity('float32', ['N', 64], { opsets: { '': 99 } }));
    await page.waitForURL(/version=1\.2\.0/);
    await vetting.getByText('Failed', { exact: true }).waitFor();
    await vetting
      .getByText(/^It needs opset 99 of ai\.onnx; the newest that can be run is \d+\.$/)
      .first()
      .waitFor();
    await vetting.getByText('Export it for an older opset').first().waitFor();
    await page.getByRole('button', { name: 'New version' }).click();
    await upload(identity('float32', ['N', 64]));
    await page.waitForURL(/version=1\.3\.0/);
    await vetting.getByText('Ready', { exact: true }).waitFor();

    // The form that its schema draws; the newest version gives back what it is asked.
    await page.getByRole('link', { name: 'Try', exact: true }).click();
    await page.getByRole('textbox', { name: 'x' }).fill(JSON.stringify(Array.from({ length: 64 }, (_, i) => (i === 0 ? 7.25 : 0))));
    await page.getByRole('button', { name: 'Predict' }).click();
    const answer = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Answer' }) });
    await answer.getByText('7.25').first().waitFor();
    await page.getByRole('textbox', { name: 'x' }).fill('[1, 2]');
    await page.getByRole('button', { name: 'Predict' }).click();
    await answer.getByRole('alert').waitFor();

    await page.goto('/models/flow?tab=versions');
    const choose = async (version: string, then: string) => {
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('combobox', { name: 'Version' }).click();
      // One that was refused cannot be chosen.
      expect(await page.getByRole('option').allInnerTexts()).toEqual(['1.3.0', '1.0.0']);
      await page.getByRole('option', { name: version }).click();
      await dialog.getByRole('button', { name: then }).click();
      await dialog.waitFor({ state: 'detached' });
    };
    await page.getByRole('button', { name: 'New alias' }).click();
    await page.getByRole('dialog').getByLabel('Alias').fill('champion');
    await choose('1.0.0', 'Set');
    const withChampion = async (name: string): Promise<string> => {
      const body = { model: 'flow@champion', inputs: { x: Array.from({ length: 64 }, () => 1) } };
      const lines = [{ custom_id: 'a', method: 'POST', url: '/v1/predict', body }];
      return (await createBatch(client, lines, { endpoint: '/v1/predict', name })).id;
    };
    const before = await withChampion('Before it moved');
    await page.getByRole('button', { name: 'Move' }).click();
    await choose('1.3.0', 'Move');
    await page.getByRole('listitem').filter({ hasText: '@champion 1.3.0' }).first().waitFor();
    const after = await withChampion('After it moved');
    // Its file names the alias, and is read anew.
    const again = async (): Promise<string> => {
      await page.goto(`/batches/${before}`);
      await page.getByRole('link', { name: 'Clone' }).click();
      await page.getByText('The file of Before it moved is used again').waitFor();
      await page.getByRole('button', { name: 'Create batch' }).click();
      await page.getByRole('heading', { level: 1, name: 'Before it moved, again' }).waitFor();
      return /batches\/(batch_[0-9a-f]+)/.exec(page.url())![1]!;
    };
    for (const [id, version] of [
      [before, '1.0.0'],
      [after, '1.3.0'],
      [await again(), '1.3.0'],
    ] as const) {
      await untilEnded(client, id);
      await page.goto(`/batches/${id}?tab=requests&line=1`);
      await page.locator('[data-place="1"]').getByText(`flow@${version}`).first().waitFor();
    }
    await page.context().close();
  });

  test('⌘K, by keyboard: a request by its custom_id, a batch by its name, and by its id among other words', async () => {
    const { client } = portal.sluice;
    const { id } = await createBatch(client, [chatLine('ligand-77')], { name: 'Palette' });
    await untilEnded(client, id);
    const page = await portal.visit('/');
    const find = async (text: string, shown: string) => {
      await page.keyboard.press('Control+k');
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Search').fill(text);
      await dialog.getByRole('button', { name: shown }).first().and(page.locator('[data-selected]')).waitFor();
      await page.keyboard.press('Enter');
      await dialog.waitFor({ state: 'detached' });
    };
    await page.getByRole('heading', { level: 1 }).waitFor();
    await find('ligand-77', 'ligand-77');
    await page.waitForURL(`**/batches/${id}?tab=requests&line=1`);
    await find('Palette', 'Palette');
    await page.waitForURL(`**/batches/${id}`);
    await find(`see ${id}, please`, 'Open see');
    await page.waitForURL(`**/batches/${id}`);
    await page.context().close();
  });
});
