import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chatLine, createBatch, untilEnded } from '../../server/test/support/requests.ts';
import { untilEvent } from '../../server/test/support/follow.ts';
import { noBrowser, openPortal, type Portal } from './support/portal.ts';

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

describe.skipIf(noBrowser)('what people do', () => {
  let portal: Portal;
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
