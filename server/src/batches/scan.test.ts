import type { BatchError } from '@sluice/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IndexWriter, readEntries } from '../formats/line-index.ts';
import { linesOf } from '../formats/lines.ts';
import { readLines } from '../formats/read-lines.ts';
import { LineSplitter } from '../formats/splitter.ts';
import { Models } from '../models/models.ts';
import { openMemory } from '../storage/memory.ts';
import { InputScan } from './scan.ts';

const limits = { maxLines: 1_000, maxLineBytes: 200_000, openai: false };
const models = new Models([{ name: 'other', version: '1.0.0', executor: 'echo', options: {} }]);

const scanned = async (content: Buffer) => {
  const storage = openMemory();
  await storage.put('input', [content]);
  const errors: BatchError[] = [];
  const scan = new InputScan({
    storage,
    inputKey: 'input',
    endpoint: '/v1/predict',
    models,
    tenant: 'default',
    limits,
    onError: (error) => void errors.push(error),
  });
  await storage.put('index', scan.index());
  return { storage, scan, errors };
};

const request = (id: string, model: string, inputs: unknown) =>
  JSON.stringify({ custom_id: id, method: 'POST', url: '/v1/predict', body: { model, inputs } });

/** Lines of JSON with text of all scripts, some a good deal longer than others, and space around them. */
const line = fc
  .tuple(
    fc.constantFrom('echo', 'other'),
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom('', ' ', '\t '),
    fc.constantFrom(0, 0, 0, 70_000),
  )
  .map(
    ([model, text, space, more]) =>
      (id: number) =>
        `${space}${request(`${id}-${text.toWellFormed()}`, model, text + 'é'.repeat(more))}${space}`,
  );

const file = fc.record({
  lines: fc.array(line, { minLength: 1, maxLength: 12 }),
  newline: fc.constantFrom('\n', '\r\n'),
  bom: fc.boolean(),
  last: fc.boolean(),
});

const written = ({ lines, newline, bom, last }: { lines: ((id: number) => string)[]; newline: string; bom: boolean; last: boolean }) => {
  const texts = lines.map((make, i) => make(i));
  return { texts, content: Buffer.from((bom ? '\uFEFF' : '') + texts.join(newline) + (last ? newline : '')) };
};

const readBack = async (storage: ReturnType<typeof openMemory>, numbers: number[]): Promise<[number, string][]> => {
  const found: [number, string][] = [];
  for await (const group of readLines(storage, { inputKey: 'input', indexKey: 'index' }, linesOf(numbers)))
    for (const { line, bytes } of group) found.push([line, bytes.toString('utf8')]);
  return found;
};

test('any lines of a file are read back through its index, to the byte', async () => {
  await fc.assert(
    fc.asyncProperty(file, fc.array(fc.nat()), async (shape, picks) => {
      const { texts, content } = written(shape);
      const { storage, scan, errors } = await scanned(content);
      expect([errors, scan.lines, scan.bytes]).toEqual([[], texts.length, content.length]);
      const numbers = [...new Set(picks.map((pick) => (pick % texts.length) + 1))].sort((a, b) => a - b);
      expect(await readBack(storage, numbers)).toEqual(numbers.map((n) => [n, texts[n - 1]]));
      for (const { model, lines, count } of scan.models()) {
        const own = texts.flatMap((text, i) => (text.includes(`"model":"${model.name}"`) ? [i + 1] : []));
        expect([lines, count]).toEqual([linesOf(own), own.length]);
      }
    }),
    { numRuns: 60 },
  );
});

test('the index is the same wherever the blocks of the file are cut', async () => {
  await fc.assert(
    fc.asyncProperty(file, fc.array(fc.nat(), { maxLength: 30 }), async (shape, borders) => {
      const { texts, content } = written(shape);
      const index = new IndexWriter();
      const splitter = new LineSplitter(
        { line: (_, start, end, offset) => index.add(offset, end - start, 0, 0), tooLong: () => {} },
        1_000_000,
      );
      const cuts = [...new Set([0, ...borders.map((border) => border % (content.length + 1)), content.length])].sort((a, b) => a - b);
      cuts.slice(1).forEach((end, i) => splitter.push(content.subarray(cuts[i], end)));
      splitter.end();
      const storage = openMemory();
      await storage.put('input', [content]);
      await storage.put('index', index.finish());
      expect(
        await readBack(
          storage,
          texts.map((_, i) => i + 1),
        ),
      ).toEqual(texts.map((text, i) => [i + 1, text]));
    }),
    { numRuns: 60 },
  );
});

test('an index of many blocks is written while it is made', async () => {
  const storage = openMemory();
  const index = new IndexWriter();
  const lines = 100_000;
  await storage.put(
    'index',
    (function* () {
      for (let i = 0; i < lines; i++) {
        index.add(10 * i, 9, i, 2 * i, 0);
        if (i % 20_000 === 0) yield* index.take();
      }
      yield* index.finish();
    })(),
  );
  const entries = await readEntries(storage, 'index', 1, lines + 1);
  expect(entries.findIndex(({ offset }, i) => offset !== 10 * i)).toBe(-1);
  expect(entries).toHaveLength(lines);
});

test('lines that are wrong stand in the index as well, so that the numbers of the others hold', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom('', 'oops', '{}', '\0', null), { minLength: 1, maxLength: 30 }), async (kinds) => {
      const texts = kinds.map((kind, i) => kind ?? request(`${i}`, 'echo', i));
      const { storage, scan, errors } = await scanned(Buffer.from(`${texts.join('\n')}\n`));
      expect(scan.lines).toBe(texts.length);
      expect([...new Set(errors.map(({ line }) => line))]).toEqual(kinds.flatMap((kind, i) => (kind === null ? [] : [i + 1])));
      expect(
        await readBack(
          storage,
          texts.map((_, i) => i + 1),
        ),
      ).toEqual(texts.map((text, i) => [i + 1, text]));
    }),
  );
});

test('each repeated custom_id is found, with the line that had it first', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(8), { minLength: 1, maxLength: 40 }), async (ids) => {
      const { errors } = await scanned(Buffer.from(ids.map((id) => request(`id ${id}`, 'echo', 1)).join('\r\n')));
      const repeats = ids.flatMap((id, i) => (ids.indexOf(id) < i ? [[i + 1, ids.indexOf(id) + 1]] : []));
      expect(errors.map(({ line, message }) => [line, Number(/line (\d+)\.$/.exec(message)![1])])).toEqual(repeats);
    }),
  );
});

test('a file without a line', async () => {
  for (const content of ['', '\uFEFF'])
    expect((await scanned(Buffer.from(content))).errors).toMatchObject([{ code: 'empty_file', line: null }]);
});
