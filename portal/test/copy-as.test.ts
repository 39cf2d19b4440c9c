import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pages } from '../src/app/pages.ts';
import { fill, noBrowser, settled } from './support/browser.ts';
import { openPortal, type Portal } from './support/portal.ts';
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
  '/batches/{table}/results?view=molecules&smarts=c1ccccc1%5B%237%5D',
  '/batches/{table}/results?where=aqsol-logs.logS%3E-3&sort=-aqsol-logs.logS',
];

const pythonHasOpenai = spawnSync('python3', ['-c', 'import openai']).status === 0;
const hasPython = spawnSync('python3', ['--version']).status === 0;

/** Programs that run what they are given as JSON, each text a module of its own, and say what each of them died of: `null`, nothing. */
const together = {
  'Node, openai': `
    const wrong = [];
    for (const file of JSON.parse(process.env.TEXTS)) await import(file).then(() => wrong.push(null), (error) => wrong.push(String(error)));
    process.stderr.write(JSON.stringify(wrong));`,
  'Python, openai': `
import contextlib, io, json, os, sys
def wrong(file):
    text = open(file[len('file://'):]).read()
    try:
        code = compile(text, 'copied', 'exec')
        with contextlib.redirect_stdout(io.StringIO()):
            ${pythonHasOpenai ? `exec(code, {'__name__': '__main__'})` : 'pass'}
    except BaseException as error:
        return repr(error)
json.dump([wrong(file) for file in json.loads(os.environ['TEXTS'])], sys.stderr)`,
};

describe.skipIf(noBrowser)('what is copied', { timeout: 600_000 }, () => {
  let portal: Portal;
  let samples: Samples;
  beforeAll(async () => {
    portal = await openPortal({ models: sampleModels });
    samples = await makeSamples(portal.sluice.client);
  }, 120_000);
  afterAll(() => portal?.[Symbol.asyncDispose]());

  const start = async (program: string, args: string[], more: Record<string, string> = {}) => {
    const env = { PATH: process.env['PATH'], SLUICE_URL: portal.url, SLUICE_API_KEY: portal.sluice.client.apiKey!, ...more };
    const child = spawn(program, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, said] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (data: string) => (out += data));
    child.stderr.setEncoding('utf8').on('data', (data: string) => (said += data));
    const [code] = (await once(child, 'close')) as [number];
    return { code, out, said };
  };

  /** As a shell of a user's has it: the key in the environment, `sluice` in the path, `curl` that fails where the server refuses. */
  const inShell = async (text: string): Promise<string[]> => {
    const functions = `curl() { command curl -sS --fail-with-body "$@"; }; sluice() { '${root}cli/bin/sluice' "$@"; }`;
    const { code, out, said } = await start('bash', ['-c', `${functions}\n${text}`]);
    return code === 0 ? [] : [`${text}\n${`${out}${said}`.slice(-600)}`];
  };

  /** All texts of a language in one process: what they take is mostly to load the client. */
  const inProcess = async (way: keyof typeof together, texts: string[]): Promise<string[]> => {
    if (texts.length === 0) return [];
    const folder = await mkdtemp(join(tmpdir(), 'sluice-copied-'));
    try {
      await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
      const files = await Promise.all(
        texts.map(async (text, i) => {
          const file = join(folder, `${i}.mjs`);
          await writeFile(file, text);
          return pathToFileURL(file).href;
        }),
      );
      const [program, args] = way === 'Node, openai' ? [process.execPath, ['--input-type=module', '-e']] : ['python3', ['-c']];
      const { said } = await start(program, [...args, together[way]], { TEXTS: JSON.stringify(files) });
      const wrong = JSON.parse(said) as (string | null)[];
      expect(wrong).toHaveLength(texts.length);
      return wrong.flatMap((each, i) => (each === null ? [] : [`${texts[i]!}\n${each.slice(-600)}`]));
    } finally {
      await rm(folder, { recursive: true });
    }
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
    // What is copied from beside a structure waits for no drawing of it.
    await context.route('**/assets/molstar*', (route) => route.abort());
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
    const of = (...wanted: Way[]) => asks.flatMap(([text, way]) => (wanted.includes(way) ? [text] : []));
    const failed: string[] = [];
    const next = of('curl', 'sluice').values();
    const hand = async () => {
      for (const text of next) failed.push(...(await inShell(text)));
    };
    const language = async (way: keyof typeof together) => failed.push(...(await inProcess(way, of(way))));
    await Promise.all([hand(), hand(), language('Node, openai'), language('Python, openai')]);
    expect(failed).toEqual([]);
  });
});
