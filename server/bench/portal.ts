/** What pages ask, with a million batches in the database and one of a million lines. */
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Batch } from '@sluice/contract';
import { openPool } from '../src/db/db.ts';
import { sql } from '../src/db/sql.ts';
import { insertMany } from '../test/support/many-batches.ts';
import { round, type Bench, type Figure } from './figures.ts';
import { call, createBatch, install, upload } from './installation.ts';
import { median } from './machine.ts';

const batches = Number(process.env['SLUICE_BENCH_BATCHES'] ?? 1_000_000);
const lines = Number(process.env['SLUICE_BENCH_LINES'] ?? 1_000_000);
const asked = 100;
const rounds = 3;

const quantile = (values: readonly number[], q: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]!;
};

/** A file of chat completions, one of fifty of which fails. */
const write = async (path: string): Promise<void> => {
  const file = createWriteStream(path);
  for (let from = 1; from <= lines; from += 10_000) {
    let text = '';
    for (let i = from; i < Math.min(from + 10_000, lines + 1); i++) {
      const body = {
        model: 'echo',
        messages: [{ role: 'user', content: `Say ${i}.` }],
        ...(i % 50 === 0 && { sluice_echo: { status: i % 100 === 0 ? 400 : 422 } }),
      };
      text += `${JSON.stringify({ custom_id: `line-${i}`, method: 'POST', url: '/v1/chat/completions', body })}\n`;
    }
    if (!file.write(text)) await once(file, 'drain');
  }
  file.end();
  await once(file, 'close');
};

const sorts = ['created_at', 'name', 'total', 'failed', 'deadline', 'duration'].flatMap((sort) => [sort, `-${sort}`]);
const filters = [
  '',
  'status=completed',
  'status=failed,expired',
  'status=in_progress',
  'model=boltz-2',
  'user=ada&status=cancelled',
  'pool=gpu',
  'priority=high',
  'sla=breached',
  'sla=at_risk',
  'q=kinase',
  'q=panel%20777',
  'q=meta.project:p6',
  'from=24h',
  'q=owner:bob%20-status:completed%20created:%3C7d',
];

/** The first page, or the second, of each sort and filter in turn. */
const list = async (url: string, i: number): Promise<number> => {
  const query = `sort=${sorts[i % sorts.length]}&${filters[(i * 7) % filters.length]}`;
  const first = performance.now();
  const { status, body } = await call(`${url}/v1/portal/batches?${query}`);
  const ms = performance.now() - first;
  if (status !== 200) throw new Error(body);
  const { next } = JSON.parse(body) as { next: string | null };
  if (process.env['SLUICE_BENCH_EACH'] && ms > 50) process.stderr.write(`${ms.toFixed(0)} ms ${query}\n`);
  if (i % 2 === 0 || next === null) return ms;
  const again = performance.now();
  await call(`${url}/v1/portal/batches?${query}&cursor=${next}`);
  const second = performance.now() - again;
  if (process.env['SLUICE_BENCH_EACH'] && second > 50) process.stderr.write(`${second.toFixed(0)} ms ${query} page 2\n`);
  return second;
};

const timed = async (url: string): Promise<number> => {
  const began = performance.now();
  const { status, body } = await call(url);
  if (status !== 200) throw new Error(body);
  return performance.now() - began;
};

/** Lines spread over the batch, in no order. */
const anyLine = (i: number): number => 1 + ((i * 7_368_787) % lines);

export const portal: Bench = {
  name: 'portal',
  about: `what pages ask, with ${batches.toLocaleString('en')} batches in the database and one of ${lines.toLocaleString('en')} lines`,
  async run() {
    await using sluice = await install();
    await using db = openPool({ url: sluice.database, name: 'bench', statementTimeout: 1_800_000 });
    const input = join(sluice.dataDir, 'input.jsonl');
    await write(input);
    const big = await createBatch(sluice.url, (await upload(sluice.url, input)).id);
    for (let status = ''; status !== 'completed'; await new Promise((resolve) => setTimeout(resolve, 500)))
      ({ status } = JSON.parse((await call(`${sluice.url}/v1/batches/${big.id}`)).body) as Batch);
    await insertMany(db, { count: batches, tenant: 'default' });
    await db.run(sql`vacuum analyze`);

    const requests = (i: number) => {
      const kind = ['', '&state=failed', '&state=completed', '&state=dead_lettered', '&code=invalid_request'][i % 5]!;
      return `${sluice.url}/v1/portal/batches/${big.id}/requests?from_line=${anyLine(i)}&limit=200${kind}`;
    };
    const measures: { name: string; most?: number; one: (i: number) => Promise<number> }[] = [
      { name: 'list of batches', most: 150, one: (i) => list(sluice.url, i) },
      { name: 'page of requests', most: 80, one: (i) => timed(requests(i)) },
      // Each asks anew: what is shared for a second is not asked here.
      {
        name: 'overview, first to ask',
        most: 50,
        one: async (i) => {
          await new Promise((resolve) => setTimeout(resolve, i % 20 === 0 ? 3_100 : 0));
          return i % 20 === 0 ? timed(`${sluice.url}/v1/portal/overview?range=24h`) : Number.NaN;
        },
      },
      { name: 'overview', most: 50, one: () => timed(`${sluice.url}/v1/portal/overview?range=24h`) },
      { name: 'counts', one: (i) => timed(`${sluice.url}/v1/portal/batches/counts?${filters[i % filters.length]}&limit=${i}`) },
      { name: 'attention', one: () => timed(`${sluice.url}/v1/portal/attention`) },
      { name: 'page of a batch', one: () => timed(`${sluice.url}/v1/portal/batches/${big.id}`) },
      { name: 'failures by cause', one: () => timed(`${sluice.url}/v1/batches/${big.id}/failures`) },
      {
        name: 'search',
        one: (i) =>
          timed(`${sluice.url}/v1/portal/search?q=${['kinase', 'panel%20123', 'toxicity%20pan', `line-${anyLine(i)}`, big.id][i % 5]}`),
      },
    ];
    const figures: Figure[] = [];
    for (const { name, most, one } of measures) {
      const runs: number[] = [];
      for (let r = 0; r < rounds; r++) {
        const times: number[] = [];
        for (let i = 0; i < asked; i++) times.push(await one(r * asked + i));
        runs.push(
          round(
            quantile(
              times.filter((time) => !Number.isNaN(time)),
              0.95,
            ),
          ),
        );
      }
      figures.push({
        bench: 'portal',
        name: `${name}, p95`,
        value: median(runs),
        unit: 'ms',
        ...(most !== undefined && { target: { most } }),
        runs,
      });
    }
    return figures;
  },
};
