import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeManifest, type Settled } from '../formats/manifest.ts';
import { IndexWriter } from '../formats/line-index.ts';
import { linesOf } from '../formats/lines.ts';
import { newBatchId, requestId } from '../lib/ids.ts';
import { openMemory } from '../storage/memory.ts';
import type { MergeInput } from './merge.ts';
import { mergeChildren, type ChildLines } from './merge-children.ts';

type End = 'completed' | 'failed' | 'rejected' | 'cancelled' | 'expired';

const customId = (line: number) => `id "${line}\\"`;

/** How each model's request of a line ended. */
const ends = fc.integer({ min: 1, max: 4 }).chain((models) =>
  fc.array(
    fc.array(fc.constantFrom<End>('completed', 'completed', 'completed', 'failed', 'rejected', 'cancelled', 'expired'), {
      minLength: models,
      maxLength: models,
    }),
    {
      minLength: 1,
      maxLength: 40,
    },
  ),
);

const restOf = (end: End, model: number, line: number): { response: unknown; error: unknown } => {
  if (end === 'completed') return { response: { status_code: 200, request_id: 'r', body: { model, line } }, error: null };
  if (end === 'rejected')
    return { response: { status_code: 400, request_id: 'r', body: { error: { code: 'bad', message: 'no' } } }, error: null };
  return { response: null, error: { code: 'invalid_input', message: `model ${model}` } };
};

const build = async (rows: End[][]): Promise<ChildLines[]> => {
  const storage = openMemory();
  const index = new IndexWriter();
  let source = '';
  rows.forEach((_, i) => {
    const line = JSON.stringify({ custom_id: customId(i + 1) });
    index.add(source.length, line.length, 0, 0);
    source += `${line}\n`;
  });
  await storage.put('input', [Buffer.from(source)]);
  await storage.put('index', [...index.take(), ...index.finish()]);
  return Promise.all(
    rows[0]!.map(async (_, model): Promise<ChildLines> => {
      const batchId = newBatchId();
      const settled = rows.flatMap((row, i) => (['completed', 'failed', 'rejected'].includes(row[model]!) ? [i + 1] : []));
      let data = '';
      const entries = settled.map((line): Settled => {
        const end = rows[line - 1]![model]!;
        const text = `{"id":"${requestId(batchId, line)}","custom_id":${JSON.stringify(customId(line))},${JSON.stringify(restOf(end, model, line)).slice(1)}\n`;
        const entry: Settled = {
          line,
          state: end === 'completed' ? 'completed' : 'failed',
          attempts: 1,
          status: 200,
          offset: data.length,
          length: text.length,
          startedAt: line,
          ms: 1,
        };
        data += text;
        return entry;
      });
      const manifest = encodeManifest(entries);
      await storage.put(`segment-${model}`, [Buffer.from(data), manifest]);
      const left = (end: End, code: string) => ({
        lines: linesOf(rows.flatMap((row, i) => (row[model] === end ? [i + 1] : []))),
        code,
        message: 'never ran',
      });
      const completed = entries.filter(({ state }) => state === 'completed').length;
      const input: MergeInput = {
        batchId,
        storage,
        inputKey: 'input',
        indexKey: 'index',
        segments:
          settled.length === 0
            ? []
            : [
                {
                  storage_key: `segment-${model}`,
                  data_bytes: data.length,
                  manifest_bytes: manifest.length,
                  first_line: settled[0]!,
                  last_line: settled.at(-1)!,
                  completed,
                  failed: settled.length - completed,
                },
              ],
        unwritten: [left('cancelled', 'batch_cancelled'), left('expired', 'batch_expired')].filter(({ lines }) => lines.length > 0),
      };
      return { label: `m${model}`, input };
    }),
  );
};

const worstOf = (row: End[]): 'completed' | 'failed' | 'expired' | 'cancelled' => {
  if (row.includes('failed') || row.includes('rejected')) return 'failed';
  if (row.includes('expired')) return 'expired';
  return row.includes('cancelled') ? 'cancelled' : 'completed';
};

test('every row is in one of the two files, once and in its place, with a group for each model', async () => {
  await fc.assert(
    fc.asyncProperty(ends, async (rows) => {
      const children = await build(rows);
      const parent = newBatchId();
      const tally = { completed: 0, failed: 0, cancelled: 0, expired: 0 };
      const read = async (kind: 'completed' | 'failed') =>
        Buffer.concat(await Array.fromAsync(mergeChildren(parent, children, kind, tally)))
          .toString()
          .split('\n')
          .slice(0, -1)
          .map(
            (line) =>
              JSON.parse(line) as {
                id: string;
                custom_id: string;
                response: { status_code: number; body: { models: Record<string, unknown> } };
                error: { code: string } | null;
              },
          );
      const [output, errors] = [await read('completed'), await read('failed')];
      const wanted = (kind: 'completed' | 'failed') =>
        rows.flatMap((row, i) => ((worstOf(row) === 'completed') === (kind === 'completed') ? [i + 1] : []));
      expect(output.map(({ custom_id }) => custom_id)).toEqual(wanted('completed').map(customId));
      expect(errors.map(({ custom_id }) => custom_id)).toEqual(wanted('failed').map(customId));
      for (const state of ['completed', 'failed', 'expired', 'cancelled'] as const)
        expect(tally[state]).toBe(rows.filter((row) => worstOf(row) === state).length);
      for (const [kind, lines] of [
        ['completed', output],
        ['failed', errors],
      ] as const)
        wanted(kind).forEach((line, i) => {
          const { id, response, error } = lines[i]!;
          expect(id).toBe(requestId(parent, line));
          const groups = rows[line - 1]!.map((end, model) => [
            `m${model}`,
            end === 'cancelled' || end === 'expired'
              ? { response: null, error: { code: `batch_${end}`, message: 'never ran' } }
              : restOf(end, model, line),
          ]);
          expect(response.body.models).toEqual(Object.fromEntries(groups));
          expect(error === null).toBe(kind === 'completed');
        });
    }),
    { numRuns: 150 },
  );
});

test('a line that one model has nothing of is not passed over', async () => {
  const children = await build([
    ['completed', 'completed'],
    ['failed', 'completed'],
    ['completed', 'completed'],
  ]);
  const input = { ...children[1]!.input, segments: [] };
  const tally = { completed: 0, failed: 0, cancelled: 0, expired: 0 };
  const torn = [children[0]!, { label: 'm1', input }];
  await expect(Array.fromAsync(mergeChildren(newBatchId(), torn, 'failed', tally))).rejects.toThrow(
    /line 2 of batch_\w+ has no result in m1/,
  );
  // While it runs, that line is yet to come.
  expect(await Array.fromAsync(mergeChildren(newBatchId(), torn, 'failed', tally, { partial: true }))).toEqual([]);
});
