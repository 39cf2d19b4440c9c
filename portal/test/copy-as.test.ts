import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pages } from '../src/app/pages.ts';
import { fill, noBrowser, openPortal, settled, type Portal } from './support/portal.ts';
import { makeSamples, sampleModels, type Samples } from './support/samples.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const ways = ['curl', 'Python, openai', 'Node, openai', 'sluice'] as const;
type Way = (typeof ways)[number];

/** Addresses with filters, beside those that every page is looked at by. */
const filtered = [
  '/batches?status=failed',
  '/batches?q=kinase',
  "/batches?q=o'hara&status=completed,cancelled&sla=met",
  '/jobs?show=failed&model=echo',
  '/models?q=aqsol',
  '/models?executor=onnx&tag=sample',
  '/files?purpose=batch_output',
  "/dead-letters?q=it's&batch={continued}",
  '/batches/{batch}?tab=requests&state=failed',
  '/batches/{batch}?tab=requests&state=failed&code=upstream_error',
  '/batches/{table}/results?where=aqsol-logs.logS%3E-3&sort=-aqsol-logs.logS',
];

const pythonHasOpenai = spawnSync('python3', ['-c', 'import openai']).status === 0;
const hasPython = spawnSync('python3', ['--version']).status === 0;

describe.skipIf(noBrowser)('what is copied', { timeout: 600_000 }, () => {
  let portal: Portal;
  let samples: Samples;
  beforeAll(async () => {
    portal = await openPortal({ models: sampleModels });
    samples = await makeSamples(portal.sluice.client);
  }, 120_000);
  afterAll(() => portal?.[Symbol.asyncDispose]());

  /** As a shell of a user's has it: the key in the environment, `sluice` in the path, `curl` that fails where the server refuses. */
  const run = async (way: Way, text: string): Promise<string | null> => {
    const functions = `curl() { command curl -sS --fail-with-body "$@"; }; sluice() { '${root}cli/bin/sluice' "$@"; }`;
    const [program, args] =
      way === 'Node, openai'
        ? [process.execPath, ['--input-type=module', '-e', text]]
        : way === 'Python, openai'
          ? ['python3', ['-c', pythonHasOpenai ? text : `compile(${JSON.stringify(text)}, 'copied', 'exec')`]]
          : ['bash', ['-c', `${functions}\n${text}`]];
    const env = { PATH: process.env['PATH'], SLUICE_URL: portal.url, SLUICE_API_KEY: portal.sluice.client.apiKey! };
    const child = spawn(program, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (data: string) => (said += data));
    const [code] = (await once(child, 'close')) as [number];
    return code === 0 ? null : `${text}\n${said.slice(-600)}`;
  };

  const copied = async (page: Page): Promise<Record<Way, string>> => {
    const texts = {} as Record<Way, string>;
    for (const way of ways) {
      await page.getByRole('button', { name: 'Copy as' }).first().click();
      await page.getByRole('menuitem', { name: way, exact: true }).click();
      await page.getByRole('menu').waitFor({ state: 'detached' });
      texts[way] = await page.evaluate<string>('globalThis.copied');
    }
    return texts;
  };

  test('works: curl, Python, Node and sluice, of every page and with filters', async () => {
    const context = await portal.open();
    await context.addInitScript(() => {
      Object.defineProperty(navigator, 'clipboard', {
        value: { writeText: async (text: string) => void Object.assign(globalThis, { copied: text }) },
      });
    });
    const page = await context.newPage();
    const looks = [
      ...pages.flatMap(({ looks, open }) => (open ? [] : looks.map((look) => ({ path: look.path, await: look.await })))),
      ...filtered.map((path) => ({ path, await: 'Copy as' })),
    ];
    const texts = new Map<string, Way>();
    const without: string[] = [];
    for (const { path, await: text } of looks) {
      await page.goto(fill(path, samples));
      await settled(page, text);
      if ((await page.getByRole('button', { name: 'Copy as' }).count()) === 0) without.push(path);
      else for (const [way, each] of Object.entries(await copied(page))) texts.set(each, way as Way);
    }
    await context.close();
    expect(without).toEqual([]);
    // What creates something is looked at only where it does so by itself; what asks is run.
    const asks = [...texts].filter(
      ([text, way]) =>
        (hasPython || way !== 'Python, openai') && (!/-X POST|\.post\(|batch run/.test(text) || /results\/query|batch query/.test(text)),
    );
    expect(asks.length).toBeGreaterThan(100);
    const failed: string[] = [];
    const next = asks.values();
    const hand = async () => {
      for (const [text, way] of next) {
        const wrong = await run(way, text);
        if (wrong !== null) failed.push(wrong);
      }
    };
    await Promise.all([hand(), hand(), hand()]);
    expect(failed).toEqual([]);
  });
});
