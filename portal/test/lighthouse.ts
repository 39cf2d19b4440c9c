/**
 * `npm run lighthouse`: Lighthouse's scores of the pages one sees first, on a desk, of Sluice in processes of its own. Not
 * among the tests: its figures are of the machine, and it takes a browser to itself. At least 0.95 for speed, 1 for
 * accessibility, 0.95 for good practice.
 */
import lighthouse, { desktopConfig } from 'lighthouse';
import { expect, test } from 'vitest';
import { openApart } from './support/apart.ts';
import { makeSamples, sampleModels } from './support/samples.ts';

const port = 9_222;

test('lighthouse', async () => {
  await using portal = await openApart({ models: sampleModels, browser: [`--remote-debugging-port=${port}`] });
  const samples = await makeSamples(portal.client);
  const context = await portal.open();
  const cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
  await context.close();
  for (const path of ['/', '/batches', `/batches/${samples.batch}`]) {
    const runs: Record<string, number>[] = [];
    // Medians of three: a busy machine costs the first figure, not the others.
    for (let i = 0; i < 3; i++) {
      const result = await lighthouse(
        `${portal.url}${path}`,
        {
          port,
          logLevel: 'error',
          extraHeaders: { Cookie: cookie },
          onlyCategories: ['performance', 'accessibility', 'best-practices'],
        },
        desktopConfig,
      );
      const { categories, audits } = result!.lhr;
      runs.push({
        ...Object.fromEntries(Object.entries(categories).map(([name, { score }]) => [name, score ?? 0])),
        lcp: Math.round(audits['largest-contentful-paint']!.numericValue ?? 0),
        tbt: Math.round(audits['total-blocking-time']!.numericValue ?? 0),
      });
    }
    const median = (name: string): number => runs.map((run) => run[name]!).toSorted((a, b) => a - b)[1]!;
    const figures = Object.fromEntries(Object.keys(runs[0]!).map((name) => [name, median(name)]));
    console.log(JSON.stringify({ path: path.replace(samples.batch, '{batch}'), ...figures }));
    expect.soft(figures['performance'], path).toBeGreaterThanOrEqual(0.95);
    expect.soft(figures['accessibility'], path).toBe(1);
    expect.soft(figures['best-practices'], path).toBeGreaterThanOrEqual(0.95);
  }
}, 900_000);
