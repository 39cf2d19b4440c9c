import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { readFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call, chatLine, createBatch, untilEnded } from '../../server/test/support/requests.ts';
import { untilEvent, untilSettled } from '../../server/test/support/follow.ts';
import { noBrowser } from './support/browser.ts';
import { openPortal, type Portal } from './support/portal.ts';

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');
const lines = (count: number, of = (i: number) => chatLine(`r-${i}`)) => Array.from({ length: count }, (_, i) => of(i + 1));

/** Moves the focus to what has this name, as people without a mouse do. */
const tabTo = async (page: Page, name: string | RegExp, most = 60): Promise<void> => {
  for (let i = 0; i < most; i++) {
    await page.keyboard.press('Tab');
    const text = await page.evaluate(() => {
      const on = document.activeElement as (HTMLElement & { labels?: NodeListOf<HTMLElement> | null }) | null;
      return on?.getAttribute('aria-label') ?? on?.labels?.[0]?.innerText ?? on?.innerText ?? '';
    });
    if (typeof name === 'string' ? text.trim() === name : name.test(text.trim())) return;
  }
  throw new Error(`${String(name)} cannot be reached with Tab`);
};

const press = async (page: Page, name: string | RegExp): Promise<void> => {
  await tabTo(page, name);
  await page.keyboard.press('Enter');
};

const batchIn = (page: Page): string => /batches\/(batch_[0-9a-f]+)/.exec(page.url())![1]!;

describe.skipIf(noBrowser)('what people do', () => {
  let portal: Portal;
  let folder: string;
  let big: string;
  let healed = false;
  const upstream = createServer((request, response) => {
    let text = '';
    request.on('data', (data: Buffer) => (text += data.toString()));
    request.on('end', () => {
      const { messages } = JSON.parse(text) as { messages: { content: string }[] };
      const sick = !healed && messages[0]!.content.endsWith('7');
      response.writeHead(sick ? 422 : 200, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify(
          sick
            ? { error: { message: 'The tokenizer is being repaired', type: 'invalid_request_error', code: null, param: null } }
            : {
                id: 'c',
                object: 'chat.completion',
                created: 1,
                model: 'm',
                choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'ok' } }],
              },
        ),
      );
    });
  });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-flows-'));
    await new Promise<void>((resolve) => {
      upstream.listen(0, '127.0.0.1', resolve);
    });
    const { port } = upstream.address() as AddressInfo;
    portal = await openPortal({
      models: [
        { name: 'ward', version: '1.0.0', executor: 'openai', options: { base_url: `http://127.0.0.1:${port}`, upstream_model: 'm' } },
      ],
    });
  }, 90_000);
  afterAll(async () => {
    await portal?.[Symbol.asyncDispose]();
    upstream.close();
    await rm(folder, { recursive: true, force: true });
  });

  test('1, by keyboard: 50,000 lines of which three are wrong, mended, created, followed, downloaded', async () => {
    const text = lines(50_000).map((line) => JSON.stringify(line));
    text[99] = '{"custom_id": "r-100", "method": ';
    text[4_999] = text[0]!;
    text[49_999] = text[49_999]!.replace('/v1/chat/completions', '/v1/embeddings');
    const path = join(folder, 'fifty.jsonl');
    await writeFile(path, `${text.join('\n')}\n`);
    const page = await portal.visit('/batches');
    await page.getByRole('heading', { name: 'Batches', exact: true }).waitFor();
    await page.keyboard.press('n');
    await page.getByText('Drop a file here').waitFor();
    const chooser = page.waitForEvent('filechooser');
    await press(page, 'Choose a file');
    await (await chooser).setFiles(path);
    await page.getByText('3 lines are wrong').waitFor();
    await page.getByText('Line 100', { exact: true }).waitFor();
    await page.getByText('Line 5,000', { exact: true }).waitFor();
    await tabTo(page, 'Line 100, corrected');
    await page.keyboard.press('Control+a');
    await page.keyboard.insertText(JSON.stringify(chatLine('r-100')));
    await page.keyboard.press('Shift+Tab');
    expect(await page.evaluate(() => (document.activeElement as HTMLElement).innerText)).toBe('Apply and check again');
    await page.keyboard.press('Enter');
    await page.getByText('2 lines are wrong').waitFor();
    await press(page, 'Leave them out');
    await page.getByText('49,998 requests, all well formed').waitFor();
    await tabTo(page, 'Name');
    await page.keyboard.type('Fifty thousand');
    await press(page, 'Create batch');
    await page.waitForURL(/\/batches\/batch_/);
    await page.getByRole('heading', { name: 'Fifty thousand' }).waitFor();
    // Its counts come by the stream: nobody loads the page again.
    await page.getByText('49,998 of 49,998 succeeded').waitFor({ timeout: 60_000 });
    await page.getByText('Deadline met').waitFor();
    big = batchIn(page);
    await press(page, 'Download');
    const download = page.waitForEvent('download');
    await page.getByRole('menuitem', { name: 'Results' }).press('Enter');
    const bytes = await readFile(await (await download).path());
    const { output_file_id } = await portal.sluice.client.batches.retrieve(big);
    const expected = Buffer.from(await (await portal.sluice.client.files.content(output_file_id!)).arrayBuffer());
    expect(sha256(bytes)).toBe(sha256(expected));
    expect(bytes.toString().trimEnd().split('\n').length).toBe(49_998);
    await page.context().close();
  }, 120_000);

  test('5: a link to line 41,233 is opened cold, and leads there; 600 elements at most, whatever the number of lines', async () => {
    const page = await portal.visit(`/batches/${big}?tab=requests&line=41233`);
    const row = page.locator('[data-place="41233"]');
    await row.getByText('Input and output').waitFor();
    // Lines before it were left out: its custom_id says that it is the one.
    await row.getByText('"r-41234"').first().waitFor();
    expect(await row.locator('button[aria-expanded]').first().getAttribute('aria-expanded')).toBe('true');
    const [top, frame] = await Promise.all([row.boundingBox(), page.locator('[role=grid]').locator('..').boundingBox()]);
    expect(Math.abs(top!.y - (frame!.y + 30))).toBeLessThanOrEqual(2);
    expect(await page.getByRole('grid').getAttribute('aria-rowcount')).toBe('49999');
    // The grid with its head, the rows in the window and a few beyond, and the open row.
    expect(await page.evaluate(() => document.querySelectorAll('[role=grid], [role=grid] *').length)).toBeLessThanOrEqual(600);
    await page.getByLabel('Jump to a line, or find a custom id').fill('7');
    await page.keyboard.press('Enter');
    await page.locator('[data-place="7"]').getByText('"r-7"').first().waitFor();
    await page.context().close();
  });

  test.each(['Stop dispatching', 'Abort those under way too'])(
    '2: cancelled while it runs (%s), and every line is accounted for',
    async (verb) => {
      const { client } = portal.sluice;
      const slow = verb.startsWith('Abort') ? 3_600_000 : 1_000;
      const { id } = await createBatch(
        client,
        lines(300, (i) => chatLine(i, { echo: { delay_ms: i < 20 ? 1 : slow } })),
        { max_concurrent: 20 },
      );
      await untilEvent(client, id, 'batch.in_progress');
      const page = await portal.visit(`/batches/${id}`);
      await page.getByRole('button', { name: 'Cancel', exact: true }).click();
      await page.getByRole('dialog').getByRole('button', { name: verb }).click();
      await page.getByText('Cancelled', { exact: true }).first().waitFor();
      const { request_counts: counts } = (await untilEnded(client, id)) as unknown as { request_counts: Record<string, number> };
      expect(counts['total']).toBe(300);
      expect(counts['completed']! + counts['failed']! + counts['cancelled']! + counts['expired']!).toBe(300);
      expect(counts['cancelled']).toBeGreaterThan(0);
      await page.context().close();
    },
  );

  test('6: cloned while it runs, with another window; what differs is said, and kept while the first one goes on', async () => {
    const { client } = portal.sluice;
    const first = await createBatch(
      client,
      lines(40, (i) => chatLine(i, { echo: { delay_ms: i <= 20 ? 1 : 3_600_000 } })),
      { name: 'Titration', max_concurrent: 10, metadata: { project: 'buffers' } },
    );
    await untilEvent(client, first.id, 'batch.in_progress');
    const page = await portal.visit(`/batches/${first.id}`);
    await page.getByRole('link', { name: 'Clone' }).click();
    await page.getByText('The file of Titration is used again').waitFor();
    expect(await page.getByLabel('Name').inputValue()).toBe('Titration, again');
    expect(await page.getByLabel('Metadata').inputValue()).toBe('project=buffers');
    await page.getByRole('textbox', { name: 'Window' }).fill('6h');
    await page.getByText('window: 24h 6h').waitFor();
    // The first one is asked for again, and stands otherwise than before.
    await untilSettled(client, first.id, 20);
    const again = page.waitForResponse((reply) => reply.url().endsWith(`/v1/batches/${first.id}`));
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange', { bubbles: true })));
    await again;
    await page.getByText('window: 24h 6h').waitFor();
    await page.getByLabel('Metadata').fill('project=buffers\npass=2');
    await page.getByText('metadata: project=buffers').waitFor();
    await page.getByRole('button', { name: 'Create batch' }).click();
    await page.getByRole('heading', { level: 1, name: 'Titration, again' }).waitFor();
    const clone = await client.batches.retrieve(batchIn(page));
    expect(clone).toMatchObject({
      input_file_id: first.input_file_id,
      completion_window: '6h',
      name: 'Titration, again',
      metadata: { project: 'buffers', pass: '2' },
    });
    for (const id of [first.id, clone.id]) await call(client, 'POST', `/v1/batches/${id}/cancel`, { mode: 'abort' });
    await page.context().close();
  });

  test('4, by keyboard: failures by cause, retried by cause, all green', async () => {
    const { client } = portal.sluice;
    const { id } = await createBatch(
      client,
      lines(20, (i) => chatLine(i, { model: 'ward' })),
      { name: 'Ward round' },
    );
    await untilEnded(client, id);
    healed = true;
    const page = await portal.visit(`/batches/${id}`);
    await page.getByText('The tokenizer is being repaired').waitFor();
    await page.getByText('Completed, some failed').waitFor();
    await press(page, 'Retry these 2');
    await page.waitForURL(/\/bulk\/op_/);
    await page.getByText('2 done of 2').waitFor();
    await page.goto(`/batches/${id}`);
    const again = page.getByText('Run again as').locator('xpath=following-sibling::dd[1]').getByRole('link');
    await again.waitFor();
    await again.press('Enter');
    await page.waitForURL((url) => !url.pathname.endsWith(id));
    await page.getByText('2 of 2 succeeded').waitFor();
    await page.getByText('Completed', { exact: true }).first().waitFor();
    await page.context().close();
  });
});
