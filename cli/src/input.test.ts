import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { complete, lines, prepare, valueAt } from './input.ts';
import { parts } from './upload.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

const fileOf = async (content: string): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-input-'));
  folders.push(folder);
  await writeFile(join(folder, 'in.jsonl'), content);
  return join(folder, 'in.jsonl');
};

const text = async (chunks: AsyncIterable<Buffer>): Promise<string> => Buffer.concat(await Array.fromAsync(chunks)).toString('utf8');

async function* cut(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

const sizes = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 });

test('lines come whole, wherever the stream was cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: 'grapheme' })), sizes, async (values, sizes) => {
      const content = Buffer.from(values.join('\n'));
      const found = await Array.fromAsync(lines(cut(content, sizes)));
      expect(Buffer.concat(found)).toEqual(content);
      for (const line of found.slice(0, -1)) expect(line.indexOf(10)).toBe(line.length - 1);
    }),
  );
});

test('parts have the size they should, and lose nothing', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), sizes, fc.integer({ min: 1, max: 20 }), async (bytes, sizes, size) => {
      const found = await Array.fromAsync(parts(cut(Buffer.from(bytes), sizes), size));
      expect(Buffer.concat(found)).toEqual(Buffer.from(bytes));
      for (const part of found.slice(0, -1)) expect(part.length).toBe(size);
      expect(found.at(-1)?.length ?? 1).toBeGreaterThan(0);
    }),
  );
});

test('the value of an outermost key is found in any object', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), fc.constantFrom(undefined, 1), (others, body, indent) => {
      const json = JSON.stringify({ ...others, body, ['after"body":']: { body: 1 } }, null, indent);
      const at = valueAt(json, 'body');
      expect(json.slice(at)).toMatch(/^\S/);
      expect(json.slice(0, at)).toMatch(/"body"\s*:\s*$/);
      expect(JSON.parse(`${json.slice(0, at)}"here",${JSON.stringify('rest')}:${json.slice(at)}`)).toMatchObject({ body: 'here' });
    }),
  );
  expect(valueAt('{"a":{"body":1}}', 'body')).toBe(-1);
});

describe('a line', () => {
  const options = { model: 'm', endpoint: '/v1/predict' };
  const parse = (line: string) => JSON.parse(line) as unknown;

  test('that names no model gets one; one that does keeps it', () => {
    const line = { custom_id: 'a', method: 'POST', url: '/v1/predict', body: { inputs: {} } };
    expect(parse(complete(JSON.stringify(line), 1, options))).toEqual({ ...line, body: { model: 'm', inputs: {} } });
    expect(parse(complete(JSON.stringify({ ...line, body: {} }), 1, options))).toEqual({ ...line, body: { model: 'm' } });
    const named = `${JSON.stringify({ ...line, body: { model: 'own' } })}\n`;
    expect(complete(named, 1, options)).toBe(named);
  });

  test('that is a body alone becomes a request named after its place', () => {
    expect(parse(complete('\uFEFF {"inputs":{"smiles":"CCO"}} \r\n', 7, options))).toEqual({
      custom_id: 'line-7',
      method: 'POST',
      url: '/v1/predict',
      body: { model: 'm', inputs: { smiles: 'CCO' } },
    });
    expect(parse(complete('{}', 1, options))).toMatchObject({ body: { model: 'm' } });
  });

  test('keeps its numbers as they were written', () => {
    expect(complete('{"inputs":{"n":9007199254740993,"e":1e400}}', 1, options)).toContain('{"n":9007199254740993,"e":1e400}');
  });

  test.each(['', '\n', '{"a":', '[1]', '"text"', 'null'])('%j goes as it is: the server says what is wrong', (line) => {
    expect(complete(line, 1, options)).toBe(line);
  });
});

describe('a file', () => {
  test('that needs nothing is sent as it is', async () => {
    const content = '{"custom_id":"a","method":"POST","url":"/v1/embeddings","body":{"model":"m"}}\r\nnot json\n';
    const prepared = await prepare(await fileOf(content), {});
    expect(prepared).toMatchObject({ name: 'in.jsonl', bytes: Buffer.byteLength(content), endpoint: '/v1/embeddings', named: false });
    expect(await text(prepared.open())).toBe(content);
  });

  test('that is completed has the size it says, twice', async () => {
    const prepared = await prepare(await fileOf('{"inputs":{"smiles":"CCÖ"}}\n\n{"inputs":{}}'), { model: 'm' });
    expect(prepared).toMatchObject({ endpoint: '/v1/predict', named: true });
    for (const _ of [1, 2]) {
      const sent = await text(prepared.open());
      expect(Buffer.byteLength(sent)).toBe(prepared.bytes);
      expect(sent.split('\n').map((line) => /"line-\d"/.exec(line)?.[0])).toEqual(['"line-1"', undefined, '"line-3"', undefined]);
    }
  });

  test.each([
    ['{"messages":[]}', '/v1/chat/completions'],
    ['{"prompt":""}', '/v1/completions'],
    ['{"custom_id":"a","body":{"inputs":1}}', '/v1/predict'],
  ])('%s is for %s', async (line, endpoint) => {
    expect((await prepare(await fileOf(line), {})).endpoint).toBe(endpoint);
  });

  test('that could be for several endpoints needs to be told', async () => {
    await expect(prepare(await fileOf('{"input":"x"}'), {})).rejects.toMatchObject({
      code: 1,
      next: expect.stringContaining('--endpoint') as string,
    });
    await expect(prepare('/nowhere/in.jsonl', {})).rejects.toThrow('/nowhere/in.jsonl cannot be read');
  });
});
