import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeManifest, type Settled } from '../formats/manifest.ts';
import { IndexWriter } from '../formats/line-index.ts';
import { linesOf } from '../formats/lines.ts';
import { openMemory } from '../storage/memory.ts';
import type { Storage } from '../storage/storage.ts';
import { merge, type MergeInput, type SegmentRow, type Tally } from './merge.ts';

const short = (line: number) => `result of ${line}\n`;

const putSegment = async (
  storage: Storage,
  key: string,
  lines: number[],
  failed: Set<number>,
  text: (line: number) => string = short,
): Promise<SegmentRow> => {
  let data = '';
  const entries: Settled[] = lines.map((line) => {
    const entry: Settled = {
      line,
      state: failed.has(line) ? 'failed' : 'completed',
      attempts: 1,
      status: 200,
      offset: data.length,
      length: text(line).length,
      startedAt: 1_000 + line,
      ms: 5,
    };
    data += text(line);
    return entry;
  });
  const manifest = encodeManifest(entries);
  await storage.put(key, [Buffer.from(data), manifest]);
  const bad = lines.filter((line) => failed.has(line)).length;
  return {
    storage_key: key,
    data_bytes: data.length,
    manifest_bytes: manifest.length,
    first_line: lines[0]!,
    last_line: lines.at(-1)!,
    completed: lines.length - bad,
    failed: bad,
  };
};

/** Lines 1 to n dealt out over segments, in and out of order; those of place 0 never ran. */
const dealt = fc.array(fc.record({ place: fc.nat(6), failed: fc.boolean() }), { minLength: 1, maxLength: 60 });

const build = async (
  deal: { place: number; failed: boolean }[],
): Promise<{ input: MergeInput; failed: Set<number>; missing: Set<number> }> => {
  const storage = openMemory();
  const failed = new Set(deal.flatMap(({ failed }, i) => (failed ? [i + 1] : [])));
  const placed = Map.groupBy(
    deal.map((_, i) => i + 1),
    (line) => deal[line - 1]!.place,
  );
  const index = new IndexWriter();
  let source = '';
  deal.forEach((_, i) => {
    const line = JSON.stringify({ custom_id: `id-${i + 1}` });
    index.add(source.length, line.length, 0, 0);
    source += `${line}\n`;
  });
  await storage.put('input', [Buffer.from(source)]);
  await storage.put('index', index.finish());
  const missing = placed.get(0) ?? [];
  placed.delete(0);
  const segments = await Promise.all([...placed].map(([place, lines]) => putSegment(storage, `s/${place}`, lines, failed)));
  segments.sort((a, b) => a.first_line - b.first_line);
  const unwritten = missing.length > 0 ? [{ lines: linesOf(missing), code: 'batch_expired', message: 'late' }] : [];
  return {
    input: { batchId: `batch_${'0'.repeat(32)}`, storage, inputKey: 'input', indexKey: 'index', segments, unwritten },
    failed,
    missing: new Set(missing),
  };
};

const collect = async (input: MergeInput, wanted: 'completed' | 'failed'): Promise<{ text: string; tally: Tally }> => {
  const tally: Tally = { completed: 0, failed: 0, unwritten: 0 };
  const chunks: Buffer[] = [];
  for await (const chunk of merge(input, wanted, tally)) chunks.push(chunk);
  return { text: Buffer.concat(chunks).toString(), tally };
};

test('every line is in one of the two files, once, in the order of the input', async () => {
  await fc.assert(
    fc.asyncProperty(dealt, async (deal) => {
      const { input, failed, missing } = await build(deal);
      const output = await collect(input, 'completed');
      const errors = await collect(input, 'failed');
      const lines = deal.map((_, i) => i + 1);
      expect(output.text).toBe(
        lines
          .filter((line) => !failed.has(line) && !missing.has(line))
          .map(short)
          .join(''),
      );
      const errorLines = errors.text.split('\n').slice(0, -1);
      const expected = lines.filter((line) => failed.has(line) || missing.has(line));
      expect(errorLines).toHaveLength(expected.length);
      expected.forEach((line, i) => {
        if (missing.has(line))
          expect(JSON.parse(errorLines[i]!)).toMatchObject({ custom_id: `id-${line}`, response: null, error: { code: 'batch_expired' } });
        else expect(`${errorLines[i]!}\n`).toBe(short(line));
      });
      expect(output.tally).toEqual(errors.tally);
      expect(output.tally.completed + output.tally.failed + output.tally.unwritten).toBe(deal.length);
    }),
  );
});

test('a line that was settled twice is never written', async () => {
  const storage = openMemory();
  const segments = [await putSegment(storage, 's/1', [1, 2, 3], new Set()), await putSegment(storage, 's/2', [3, 4], new Set())];
  const input: MergeInput = { batchId: 'batch_x', storage, inputKey: 'input', indexKey: 'index', segments, unwritten: [] };
  await expect(collect(input, 'completed')).rejects.toThrow('line 3 of batch_x was settled twice');
});

test('what is lent to a put is in the file as it was', async () => {
  const storage = openMemory();
  const long = (line: number) => `${line} ${'x'.repeat(20_000)}\n`;
  const [odd, even, rest] = [[] as number[], [] as number[], [] as number[]];
  for (let line = 1; line <= 1_000; line++) (line > 100 ? rest : line % 2 === 1 ? odd : even).push(line);
  const segments = await Promise.all([odd, even, rest].map((lines, i) => putSegment(storage, `s/${i}`, lines, new Set(), long)));
  const input: MergeInput = { batchId: 'batch_x', storage, inputKey: 'input', indexKey: 'index', segments, unwritten: [] };
  const tally: Tally = { completed: 0, failed: 0, unwritten: 0 };
  await storage.put('out', merge(input, 'completed', tally, { lent: true }));
  const lines = (await storage.read('out')).toString().split('\n').slice(0, -1);
  expect(lines.map((line) => Number(line.split(' ', 1)[0]))).toEqual(Array.from({ length: 1_000 }, (_, i) => i + 1));
  expect(new Set(lines.map((line) => line.replace(/^\d+ /, '')))).toEqual(new Set(['x'.repeat(20_000)]));
});
