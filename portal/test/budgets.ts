/**
 * `npm run budgets`: what the portal may take, measured in a browser against Sluice in processes of its own. Prints each
 * figure with its budget, keeps them beside those of `npm run bench`, and ends with 1 where one is missed. Not among the
 * tests: times are of the machine.
 */
import type { Page } from 'playwright-core';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { holds, round, table, type Figure } from '../../server/bench/figures.ts';
import { createBatch, query, untilEnded, upload } from '../../server/bench/installation.ts';
import { keep } from '../../server/bench/keep.ts';
import { median, watched } from '../../server/bench/machine.ts';
import { openApart, type Apart } from './support/apart.ts';
import { sizes } from './support/sizes.ts';

const lines = 50_000;
const runs = 5;

const quantile = (values: readonly number[], q: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]!;
};

const figureOf = (name: string, unit: string, most: number, values: readonly number[], foreign?: readonly number[]): Figure => ({
  bench: 'budgets',
  name,
  value: round(median(values)),
  unit,
  target: { most },
  ...(values.length > 1 && { runs: values.map(round) }),
  ...(foreign && { foreign: [...foreign] }),
});

const chat = (id: string, more: object = {}): string =>
  JSON.stringify({
    custom_id: id,
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model: 'echo', messages: [{ role: 'user', content: `Say ${id}.` }], ...more },
  });

const batchOf = async (sluice: Apart, name: string, of: readonly string[], options: object = {}): Promise<string> => {
  const path = join(sluice.folder, 'input.jsonl');
  await writeFile(path, `${of.join('\n')}\n`);
  return (await createBatch(sluice.url, (await upload(sluice.url, path)).id, { name, ...options })).id;
};

/** Runs `once` so often, and says how much others used the machine meanwhile. */
const repeat = async <T>(times: number, once: () => Promise<T>): Promise<{ results: T[]; foreign: number[] }> => {
  const results: T[] = [];
  const foreign: number[] = [];
  for (let i = 0; i < times; i++) {
    const run = await watched(once);
    results.push(run.result);
    foreign.push(run.foreign);
  }
  return { results, foreign };
};

/** A page in a browser that has never been here, signed in; what `watch` does it does before the page's own code. */
const visit = async (sluice: Apart, path: string, watch: () => void): Promise<Page> => {
  const context = await sluice.open({ reducedMotion: false });
  const page = await context.newPage();
  await page.addInitScript(watch);
  await page.goto(path);
  return page;
};

interface Painted {
  largest: number;
  moved: number;
  blocked: number;
}

/** Of pages loaded cold: when the largest thing was painted, how much moved, how long input would have waited. */
const loading = async (sluice: Apart, path: string, text: string): Promise<Painted> => {
  const page = await visit(sluice, path, () => {
    const seen = { largest: 0, moved: 0, blocked: 0 };
    Object.assign(globalThis, { seen });
    const watch = (type: string, take: (entry: PerformanceEntry) => void) =>
      new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true });
    watch('largest-contentful-paint', ({ startTime }) => (seen.largest = startTime));
    watch('layout-shift', (entry) => (seen.moved += (entry as PerformanceEntry & { value: number }).value));
    watch('longtask', ({ duration }) => (seen.blocked += Math.max(0, duration - 50)));
  });
  await page.getByText(text).first().waitFor();
  // What is painted last may be the largest.
  await delay(1_000);
  const seen = await page.evaluate(() => (globalThis as unknown as { seen: Painted }).seen);
  await page.context().close();
  return seen;
};

interface Scrolled {
  first: number;
  elements: number;
  frame: number;
}

/** The table of a batch's requests: its first rows after their data, what it is made of, and frames while it is scrolled. */
const scrolling = async (sluice: Apart, batch: string): Promise<Scrolled> => {
  const page = await visit(sluice, `/batches/${batch}?tab=requests`, () => {
    const watcher = new MutationObserver(() => {
      // A row that waits for its data has two cells.
      if (!document.querySelector('[data-place] > [role=row] > :nth-child(3)')) return;
      watcher.disconnect();
      // What comes after the next frame comes after its paint.
      requestAnimationFrame(() => setTimeout(() => Object.assign(globalThis, { painted: performance.now() })));
    });
    watcher.observe(document, { childList: true, subtree: true });
  });
  await page.waitForFunction(() => 'painted' in globalThis);
  const found = await page.evaluate(async () => {
    const data = (performance.getEntriesByType('resource') as PerformanceResourceTiming[]).find(({ name }) => /\/requests\?/.test(name))!;
    const grid = document.querySelector('[role=grid]')!;
    const scroll = grid.parentElement!;
    const frames: number[] = [];
    let elements = 0;
    let last = await new Promise<number>(requestAnimationFrame);
    for (let i = 0; i < 400; i++) {
      scroll.scrollTop += 480;
      const now = await new Promise<number>(requestAnimationFrame);
      frames.push(now - last);
      last = now;
      if (i % 10 === 0) elements = Math.max(elements, 1 + grid.querySelectorAll('*').length);
    }
    return { first: (globalThis as unknown as { painted: number }).painted - data.responseEnd, elements, frames };
  });
  await page.context().close();
  return { first: found.first, elements: found.elements, frame: quantile(found.frames, 0.95) };
};

/** From a request's settling, by the database's clock, until the row of its batch shows it. Both clocks are this machine's. */
const showing = async (sluice: Apart): Promise<number[]> => {
  const page = await visit(sluice, '/batches', () => {
    const shown: { count: number; at: number }[] = [];
    Object.assign(globalThis, { shown });
    new MutationObserver(() => {
      const count = Number(document.querySelector('[aria-label="Progress of Watched"]')?.getAttribute('aria-valuenow') ?? 0);
      if (count <= (shown.at(-1)?.count ?? 0)) return;
      const entry = { count, at: Infinity };
      shown.push(entry);
      requestAnimationFrame(() => setTimeout(() => (entry.at = Date.now())));
    }).observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: ['aria-valuenow'] });
  });
  await page.getByText('Fifty thousand').first().waitFor();
  const id = await batchOf(
    sluice,
    'Watched',
    // At no beat, so that they meet the stream's in every phase.
    Array.from({ length: 100 }, (_, i) => chat(`w-${i}`, { sluice_echo: { delay_ms: 250 + ((i * 137) % 400) } })),
    { max_concurrent: 1 },
  );
  // New batches wait until they are asked for.
  await page.getByText('1 new · show').click();
  await untilEnded(sluice.url, id, 250);
  await page.waitForFunction(() => (globalThis as unknown as { shown: { count: number; at: number }[] }).shown.at(-1)?.count === 100);
  const shown = await page.evaluate(() => (globalThis as unknown as { shown: { count: number; at: number }[] }).shown);
  await page.context().close();
  const settled = await query<{ at: number; count: number }>(
    sluice.database,
    `select extract(epoch from settled_at)::float8 * 1000 as at, (sum(s.completed) over (order by s.id))::int as count
     from segments s join batches b on b.no = s.batch_no where b.id = $1 order by s.id`,
    [id],
  );
  // What settled before the row was there is not the stream's matter.
  return settled.filter(({ count }) => count > shown[0]!.count).map(({ at, count }) => shown.find((each) => each.count >= count)!.at - at);
};

/** Milliseconds that two frames take at 60 a second: the 33 of the budget. */
const twoFrames = Math.ceil(2_000 / 60);

const measure = async (): Promise<Figure[]> => {
  await using sluice = await openApart({ env: { SLUICE_TIMING__SETTLE_MS: '250' } });
  const { scripts, styles, later } = sizes();
  const largest = later.filter(({ file }) => !/molstar/.test(file)).reduce((most, { kB }) => Math.max(most, kB), 0);
  const figures = [
    figureOf('scripts of the first page, gzipped', 'kB', 230, [scripts]),
    figureOf('styles of the first page, gzipped', 'kB', 22, [styles]),
    figureOf('the largest further chunk, gzipped', 'kB', 45, [largest]),
  ];
  const big = await batchOf(
    sluice,
    'Fifty thousand',
    Array.from({ length: lines }, (_, i) => chat(`r-${i + 1}`, i % 50 === 0 ? { sluice_echo: { status: 422 } } : {})),
  );
  await untilEnded(sluice.url, big, 250);
  for (const [name, path, text] of [
    ['overview', '/', 'Fifty thousand'],
    ['list of batches', '/batches', 'Fifty thousand'],
    ['a batch', `/batches/${big}`, 'Completed, some failed'],
  ] as const) {
    const { results, foreign } = await repeat(runs, () => loading(sluice, path, text));
    const of = (key: keyof Painted) => results.map((each) => each[key]);
    figures.push(
      figureOf(`${name}: largest paint`, 'ms', 1_000, of('largest'), foreign),
      figureOf(`${name}: blocking`, 'ms', 150, of('blocked'), foreign),
      figureOf(`${name}: layout shift`, '', 0.02, of('moved'), foreign),
    );
  }
  const table = await repeat(runs, () => scrolling(sluice, big));
  const of = (key: keyof Scrolled) => table.results.map((each) => each[key]);
  figures.push(
    figureOf('50,000 rows: first rows after their data', 'ms', 100, of('first'), table.foreign),
    figureOf('50,000 rows: elements, at most', '', 600, [Math.max(...of('elements'))]),
    figureOf('50,000 rows: frame while scrolling, p95', 'ms', twoFrames, of('frame'), table.foreign),
  );
  const live = await repeat(1, () => showing(sluice));
  figures.push(figureOf('settled until shown in the list, p95', 'ms', 1_000, [quantile(live.results[0]!, 0.95)], live.foreign));
  return figures;
};

const figures = await measure();
await keep('budgets', figures);
process.stdout.write(`${table(figures)}\n`);
process.exitCode = figures.every((figure) => holds(figure) !== false) ? 0 : 1;
