import { afterAll, beforeAll, expect, test } from 'vitest';
import { echo } from '../../src/models/models.ts';
import { call, untilEnded } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

let sluice: Sluice;
let id: string;
const kinds = ['CCO', 'Oc1ccccc1', 'CC(', 'c1ccccc1C', 'CCCC'];
const total = 1_500;
const rows = Array.from({ length: total }, (_, i) => ({ id: `mol-${i + 1}`, smiles: kinds[i % kinds.length], weight: i }));
/** Lines of benzene rings, as they were made. */
const rings = rows.flatMap(({ smiles }, i) => (smiles!.includes('c1ccccc1') ? [i + 1] : []));

beforeAll(async () => {
  sluice = await startSluice({ models: [echo] });
  const body = { rows, models: ['echo'], completion_window: '1h' };
  id = (await call(sluice.client, 'POST', '/v1/batches', body)).body['id'] as string;
  await untilEnded(sluice.client, id);
}, 60_000);
afterAll(() => sluice[Symbol.asyncDispose]());

interface Answer {
  data: { line: number; smiles: string }[];
  total: number;
  offset: number;
  looked: number;
  without: number;
  next_offset: number | null;
}

const find = async (query: Record<string, string | number>): Promise<Answer> => {
  const asked = new URLSearchParams(Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]));
  const { status, body } = await call(sluice.client, 'GET', `/v1/batches/${id}/results/molecules?${asked.toString()}`);
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body as unknown as Answer;
};

/** Answer after answer, to the end. */
const all = async (query: Record<string, string | number>): Promise<Answer[]> => {
  const answers: Answer[] = [];
  for (let offset: number | null = 0; offset !== null; offset = answers.at(-1)!.next_offset) answers.push(await find({ ...query, offset }));
  return answers;
};

test('a substructure is looked for in all rows, in parts that say how far they came', async () => {
  const answers = await all({ smarts: 'c1ccccc1', limit: 250 });
  expect(answers.flatMap(({ data }) => data.map(({ line }) => line))).toEqual(rings);
  expect(answers.every(({ data, total: of }) => data.length <= 250 && of === total)).toBe(true);
  expect(answers.length).toBeGreaterThan(2);
  // No row is looked at twice, and none is left out.
  expect(answers.reduce((sum, { looked }) => sum + looked, 0)).toBe(total);
  for (const [i, { offset }] of answers.entries()) expect(offset).toBe(i === 0 ? 0 : answers[i - 1]!.next_offset);
  expect(answers.reduce((sum, { without }) => sum + without, 0)).toBe(total / kinds.length);
});

test('the rows that a filter lets pass, in the order asked for', async () => {
  const answers = await all({ smarts: '[OX2H]', where: 'line<=100', sort: '-line' });
  expect(answers.flatMap(({ data }) => data.map(({ line }) => line))).toEqual(
    Array.from({ length: 100 }, (_, i) => 100 - i).filter((line) => /^CCO$|^O/.test(rows[line - 1]!.smiles!)),
  );
  expect(answers[0]!.total).toBe(100);
});

test('what is no SMARTS is said to be none', async () => {
  const { status, body } = await call(sluice.client, 'GET', `/v1/batches/${id}/results/molecules?smarts=c1cc(`);
  expect(status).toBe(400);
  expect(body['error']).toMatchObject({ code: 'invalid_value', param: 'smarts' });
});

/** The `custom_id`s of a download, in its order. */
const idsOf = async (query: Record<string, string | number>): Promise<string[]> => {
  const asked = new URLSearchParams(Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]));
  const path = `${sluice.url}/v1/batches/${id}/results?${asked.toString()}`;
  const reply = await fetch(path, { headers: { authorization: `Bearer ${sluice.client.apiKey}` } });
  const text = await reply.text();
  if (!reply.ok) throw new Error(text);
  if (query['format'] === 'sdf') return text.split('$$$$\n').flatMap((record) => record.split('\n', 1).filter(Boolean));
  return text
    .trim()
    .split('\n')
    .slice(1)
    .map((row) => row.split(',', 1)[0]!);
};

test('a download of a filter, an order and a substructure has these rows and no others', async () => {
  const asked = { where: 'line>100', sort: '-line', smarts: '[OX2H]', columns: 'custom_id,smiles', limit: 300, offset: 10 };
  const expected = rows
    .filter(({ smiles }, i) => i >= 100 && /^CCO$|^O/.test(smiles!))
    .map(({ id: name }) => name)
    .toReversed()
    .slice(10, 310);
  expect(await idsOf({ ...asked, format: 'csv' })).toEqual(expected);
  expect(await idsOf({ ...asked, format: 'sdf' })).toEqual(expected);
  expect((await idsOf({ smarts: 'c1ccccc1', format: 'csv', columns: 'custom_id' })).length).toBe(rings.length);
  expect(await idsOf({ smarts: '[Xe]', format: 'csv', columns: 'custom_id' })).toEqual([]);
});

test('a whole table as Parquet is another file than what of it holds a substructure; what is no SMARTS is no download', async () => {
  const etags = new Set<string | null>();
  for (const query of ['', '&smarts=c1ccccc1', '&smarts=O', '&smarts=c1ccccc1']) {
    const reply = await fetch(`${sluice.url}/v1/batches/${id}/results?format=parquet${query}`, {
      headers: { authorization: `Bearer ${sluice.client.apiKey}` },
    });
    expect(reply.status).toBe(200);
    await reply.body?.cancel();
    etags.add(reply.headers.get('etag'));
  }
  expect(etags.size).toBe(3);
  const { status, body } = await call(sluice.client, 'GET', `/v1/batches/${id}/results?smarts=c1cc(`);
  expect(status).toBe(400);
  expect(body['error']).toMatchObject({ code: 'invalid_value', param: 'smarts' });
});
