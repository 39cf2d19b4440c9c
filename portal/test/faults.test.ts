import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sql } from '../../server/src/db/sql.ts';
import { freePort } from '../../server/test/crash/process.ts';
import { makeDatabase } from '../../server/test/support/database.ts';
import { untilSettled } from '../../server/test/support/follow.ts';
import { runProgram } from '../../server/test/support/program.ts';
import { call, chatLine, createBatch, untilEnded } from '../../server/test/support/requests.ts';
import { noBrowser, openContext } from './support/browser.ts';
import { openPortal, type Portal } from './support/portal.ts';

/** A way to the server that can be cut, and mended. */
const wireTo = async (port: number) => {
  const sockets = new Set<Socket>();
  let cut = false;
  const server = createServer((near) => {
    if (cut) return void near.destroy();
    const far = connect(port, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => [near, far].forEach((each) => each.destroy()));
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const drop = () => sockets.forEach((socket) => socket.destroy());
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut: () => {
      cut = true;
      drop();
    },
    mend: () => {
      cut = false;
    },
    [Symbol.dispose]: () => {
      drop();
      server.close();
    },
  };
};

const live = (page: Page) => page.getByRole('button', { name: /^Live\./ });

/** Says to a page what browsers say when another tab is chosen: without a screen none ever is. */
const turn = (page: Page, to: 'hidden' | 'visible') =>
  page.evaluate((state) => {
    for (const [name, value] of Object.entries({ visibilityState: state, hidden: state === 'hidden' }))
      Object.defineProperty(document, name, { value, configurable: true });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  }, to);

describe.skipIf(noBrowser)('what goes wrong', { timeout: 120_000 }, () => {
  let portal: Portal;
  beforeAll(async () => {
    portal = await openPortal();
  }, 120_000);
  afterAll(() => portal?.[Symbol.asyncDispose]());

  test('a stream that breaks is seen, comes back by itself, and what happened meanwhile is shown', async () => {
    using wire = await wireTo(Number(new URL(portal.url).port));
    const context = await portal.open();
    const page = await context.newPage();
    await page.goto(`${wire.url}/`);
    await page.getByText('Recent batches').waitFor();
    await live(page).waitFor();
    wire.cut();
    await page.getByRole('button', { name: /^Reconnecting/ }).waitFor();
    const { client } = portal.sluice;
    const { id } = await createBatch(client, [chatLine(1)], { name: 'While nobody listened' });
    await untilEnded(client, id);
    wire.mend();
    await live(page).waitFor();
    await page.getByRole('listitem').filter({ hasText: 'While nobody listened' }).getByText('Completed').waitFor();
    await context.close();
  });

  test('what happened between the first question of a page and the opening of its stream is shown', async () => {
    const { client } = portal.sluice;
    const { id } = await createBatch(client, [chatLine(1, { echo: { delay_ms: 3_600_000 } })], { name: 'Ended in between' });
    const context = await portal.open();
    const page = await context.newPage();
    let open = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    await page.route('**/v1/events?*', async (route) => {
      await opened;
      await route.continue();
    });
    await page.goto('/batches');
    const row = page.getByRole('row').filter({ hasText: 'Ended in between' });
    await row.getByText('Running').waitFor();
    const { id: later } = await createBatch(client, [chatLine(1)], { name: 'Made in between' });
    await call(client, 'POST', `/v1/batches/${id}/cancel`, { mode: 'abort' });
    await Promise.all([untilEnded(client, id), untilEnded(client, later)]);
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname + new URL(request.url()).search));
    open();
    await row.getByText('Cancelled').waitFor();
    await page.getByRole('button', { name: '1 new · show' }).waitFor();
    // Nothing was asked anew but what changed.
    expect(asked.filter((each) => each.startsWith('/v1/portal/batches?') && !each.includes('q=batch_'))).toEqual([]);
    await context.close();
  });

  test('a page that is hidden asks nothing and stays as it was; shown again it is as things stand', async () => {
    const { client } = portal.sluice;
    const { id } = await createBatch(
      client,
      Array.from({ length: 40 }, (_, i) => chatLine(i + 1, { echo: { delay_ms: i < 20 ? 1 : 3_600_000 } })),
      { name: 'Seen by two', max_concurrent: 20 },
    );
    await untilSettled(client, id, 20);
    const context = await portal.open();
    const [hidden, other] = [await context.newPage(), await context.newPage()];
    await hidden.clock.install();
    await hidden.goto(`/batches/${id}`);
    await hidden.getByText('20 of 40 succeeded').waitFor();
    await live(hidden).waitFor();
    const cancelled = (page: Page) => page.getByText('Cancelled', { exact: true }).first();
    const asked: string[] = [];
    hidden.on('request', (request) => asked.push(request.url()));
    // Shown, it asks by itself from time to time.
    const byItself = hidden.waitForRequest(`**/v1/batches/${id}`);
    await hidden.clock.fastForward(10_000);
    await byItself;
    await turn(hidden, 'hidden');
    asked.length = 0;
    await other.goto(`/batches/${id}`);
    // The tab that is seen reads the stream now.
    await live(other).waitFor();
    await hidden.clock.fastForward(3_600_000);
    await call(client, 'POST', `/v1/batches/${id}/cancel`, { mode: 'abort' });
    await cancelled(other).waitFor();
    await hidden.clock.fastForward(3_600_000);
    expect(await cancelled(hidden).count()).toBe(0);
    expect(asked).toEqual([]);
    await turn(hidden, 'visible');
    await cancelled(hidden).waitFor();
    await live(hidden).waitFor();
    await context.close();
  });

  test('what happened while updates were paused is shown when they are resumed', async () => {
    const { client } = portal.sluice;
    const page = await portal.visit('/');
    await page.getByText('Recent batches').waitFor();
    await live(page).waitFor();
    await page.keyboard.press('.');
    await page.getByRole('button', { name: /^Paused/ }).waitFor();
    const { id } = await createBatch(client, [chatLine(1)], { name: 'While it was paused' });
    await untilEnded(client, id);
    await page.keyboard.press('.');
    await page.getByRole('listitem').filter({ hasText: 'While it was paused' }).getByText('Completed').waitFor();
    await page.context().close();
  });

  test('ten tabs of a browser have one stream; its reader is closed, the next one reads it, and all hear', async () => {
    const context = await portal.open();
    const streams: string[] = [];
    context.on('request', (request) => {
      if (request.url().includes('/v1/events?')) streams.push(request.url());
    });
    const tabs: Page[] = [];
    for (let i = 0; i < 10; i++) {
      const page = await context.newPage();
      await page.goto('/batches');
      await live(page).waitFor();
      tabs.push(page);
    }
    expect(streams).toHaveLength(1);
    const again = context.waitForEvent('response', (reply) => reply.url().includes('/v1/events?'));
    await tabs[0]!.close();
    await again;
    expect(streams).toHaveLength(2);
    await createBatch(portal.sluice.client, ['{"broken'], { name: 'Heard everywhere' });
    // Of a batch that a list holds, asked for anew by the change of readers, it is not said that it is new.
    for (const page of tabs.slice(1))
      await page
        .getByText(/new · show|Heard everywhere/)
        .first()
        .waitFor();
    await context.close();
  });

  test('a list that takes for ever is given up by going elsewhere, and is there when it can be', async () => {
    const { client, db } = portal.sluice;
    const { id } = await createBatch(client, [chatLine(1)], { name: 'Behind a lock' });
    await untilEnded(client, id);
    const page = await portal.visit('/settings');
    await page.getByRole('heading', { level: 1 }).waitFor();
    const waits = Promise.withResolvers<void>();
    // Whoever reads batches waits.
    const held = db.transaction(async (tx) => {
      await tx.run(sql`lock table batches in access exclusive mode`);
      await waits.promise;
    });
    try {
      const asked = page.waitForRequest('**/v1/portal/batches?*');
      await page.getByRole('link', { name: 'Batches', exact: true }).first().click();
      const list = await asked;
      await page.getByLabel('Loading', { exact: true }).first().waitFor();
      const given = page.waitForEvent('requestfailed', (request) => request === list);
      await page.getByRole('link', { name: 'Settings' }).click();
      await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor();
      expect((await given).failure()?.errorText).toBe('net::ERR_ABORTED');
      await page.getByRole('link', { name: 'Batches', exact: true }).first().click();
      await page.getByLabel('Loading', { exact: true }).first().waitFor();
    } finally {
      waits.resolve();
      await held;
    }
    await page.getByText('Behind a lock').waitFor();
    await page.context().close();
  });

  test('a file that is picked before the models are known is checked against them when they are; without them, by itself', async () => {
    const page = await portal.visit('/settings');
    await page.getByRole('heading', { level: 1 }).waitFor();
    const pick = (model: string) =>
      page.getByLabel('File of requests').setInputFiles({
        name: 'few.jsonl',
        mimeType: 'application/jsonl',
        buffer: Buffer.from(JSON.stringify(chatLine(1, { model }))),
      });
    const known = Promise.withResolvers<void>();
    await page.route('**/v1/models?*', async (route) => {
      await known.promise;
      await route.continue();
    });
    await page.goto('/batches/new');
    await pick('no-such-model');
    await page.getByText('Checking, 0 lines so far').waitFor();
    known.resolve();
    await page.getByText('1 line is wrong').waitFor();
    await page.unrouteAll();

    await page.route('**/v1/models?*', (route) => route.abort());
    await page.goto('/batches/new');
    await pick('no-such-model');
    await page.getByText('1 request, all well formed').waitFor();
    await page.context().close();
  });

  test('the server is killed in the middle of an upload: the page waits for it, and goes on where it was', async () => {
    await using database = await makeDatabase();
    const cwd = await mkdtemp(join(tmpdir(), 'sluice-upload-'));
    const port = await freePort();
    const env = { SLUICE_LOG__PRETTY: 'false', SLUICE_DATABASE_URL: database.url, SLUICE_API_KEY: 'test-key' };
    const start = async () => {
      const program = runProgram(['api', '--port', String(port)], { cwd, env });
      await program.logged(/^ready at/);
      return program;
    };
    const url = `http://127.0.0.1:${port}`;
    const content = Array.from({ length: 200 }, (_, i) => JSON.stringify(chatLine(i + 1, { padding: 'x'.repeat(100_000) }))).join('\n');
    await writeFile(join(cwd, 'large.jsonl'), content);

    const first = await start();
    let next: Awaited<ReturnType<typeof start>> | null = null;
    const context = await openContext(portal.browser, url, { key: 'test-key' });
    try {
      const page = await context.newPage();
      const parts: number[] = [];
      page.on('response', (reply) => {
        if (reply.url().endsWith('/parts')) parts.push(reply.status());
      });
      const cdp = await context.newCDPSession(page);
      await page.goto('/batches/new');
      await page.getByLabel('File of requests').setInputFiles(join(cwd, 'large.jsonl'));
      await page.getByText('200 requests, all well formed').waitFor();
      // A part takes a second.
      await cdp.send('Network.enable');
      await cdp.send('Network.emulateNetworkConditions', {
        offline: false,
        latency: 0,
        downloadThroughput: -1,
        uploadThroughput: 8 * 1024 * 1024,
      });
      await page.getByRole('button', { name: 'Create batch' }).click();
      await page.getByText('Uploading, 42 %').waitFor();
      first.kill('SIGKILL');
      await first.ended;
      await page.getByText('The server cannot be reached.').waitFor();
      expect(parts).toEqual([200]);
      next = await start();
      await page.waitForURL(/\/batches\/batch_/);

      // No part was sent twice that had arrived.
      expect(parts).toEqual([200, 200, 200]);
      const id = new URL(page.url()).pathname.split('/')[2]!;
      const { input_file_id: file } = (await (await context.request.get(`/v1/batches/${id}`)).json()) as { input_file_id: string };
      expect(await (await context.request.get(`/v1/files/${file}/content`)).text()).toBe(content);
    } finally {
      await context.close();
      await next?.[Symbol.asyncDispose]();
      await first[Symbol.asyncDispose]();
      await rm(cwd, { recursive: true, force: true });
    }
  });
});
