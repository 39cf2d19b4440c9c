import { EventEmitter, once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { sql } from '../../src/db/sql.ts';
import { StorageFull, type Storage } from '../../src/storage/storage.ts';
import { call, chatLine, createBatch, jsonl, linesIn, untilEnded, upload } from '../support/requests.ts';
import { startSluice, type Sluice, type SluiceOptions } from '../support/sluice.ts';

/** Storage that runs out of room for the keys that `full` matches, half-way through their bytes. */
class Shelf extends EventEmitter<{ put: [key: string]; refused: [key: string]; failed: [key: string] }> {
  full: RegExp | null = null;

  readonly wrap = (storage: Storage): Storage => ({
    ...storage,
    put: async (key, bytes, options) => {
      try {
        const stored = await storage.put(key, this.full?.test(key) ? this.#half(key, bytes) : bytes, options);
        this.emit('put', key);
        return stored;
      } catch (error) {
        this.emit('failed', key);
        throw error;
      }
    },
  });

  async *#half(key: string, bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of bytes) {
      yield piece.subarray(0, piece.length / 2);
      break;
    }
    this.emit('refused', key);
    throw new StorageFull(new Error('ENOSPC'));
  }
}

let sluice: Sluice;
let shelf: Shelf;
afterEach(() => sluice[Symbol.asyncDispose]());
const start = async (options: SluiceOptions = {}) => {
  shelf = new Shelf();
  sluice = await startSluice({ ...options, storage: shelf.wrap });
  return sluice.client;
};

const keys = async (prefix = '') => {
  const found: string[] = [];
  for await (const { key } of sluice.storage.list(prefix)) found.push(key);
  return found;
};
const lines = Array.from({ length: 20 }, (_, i) => chatLine(i, i % 4 === 0 ? { echo: { status: 400 } } : {}));

/** Creates a batch, and waits until something of it found no room. */
const createFull = async (content: readonly (Record<string, unknown> | string)[], full: RegExp): Promise<string> => {
  const { client } = sluice;
  const input = await upload(client, content);
  shelf.full = full;
  const refused = once(shelf, 'refused');
  const { id } = await client.batches.create({ input_file_id: input.id, endpoint: '/v1/chat/completions', completion_window: '24h' });
  await refused;
  return id;
};

/** Room again; intake and finalizing, which pause for a while where they find none, are not waited for. */
const makeRoom = async (id: string): Promise<void> => {
  shelf.full = null;
  const pausing = sql`id = ${id} and token is null and leased_until is not null`;
  const waits = () =>
    sluice.db.maybe(sql`select from batches where id = ${id} and status in ('validating', 'finalizing') and leased_until is not null`);
  while ((await waits()) !== null) if ((await sluice.db.run(sql`update batches set leased_until = null where ${pausing}`)) > 0) return;
};

const expectWhole = async (id: string) => {
  const ended = await untilEnded(sluice.client, id);
  expect(ended).toMatchObject({ status: 'completed', request_counts: { total: 20, completed: 15, failed: 5 } });
  const [output, errors] = [await linesIn(sluice.client, ended.output_file_id), await linesIn(sluice.client, ended.error_file_id)];
  expect([...output, ...errors].map((line) => Number(line['custom_id'])).sort((x, y) => x - y)).toEqual(lines.map((_, i) => i));
  // Two results and the input: no file of a try that failed is left.
  expect((await keys('default/files/')).sort()).toEqual(
    [ended.input_file_id, ended.output_file_id, ended.error_file_id].map((file) => `default/files/${file}`).sort(),
  );
};

describe('the storage is full', () => {
  test('for an upload: 507, and nothing of it is there', async () => {
    const client = await start({ workers: 0, scheduler: false });
    shelf.full = /files/;
    await expect(upload(client, lines)).rejects.toMatchObject({ status: 507, code: 'storage_full', type: 'server_error' });
    expect([(await client.files.list()).data, await keys()]).toEqual([[], []]);
    shelf.full = null;
    expect(await upload(client, lines)).toMatchObject({ status: 'processed' });
  });

  test('for an upload in parts: the parts that were taken stay', async () => {
    const client = await start({ workers: 0, scheduler: false });
    const content = jsonl(lines);
    const { id } = await client.uploads.create({ filename: 'x', purpose: 'batch', bytes: content.length, mime_type: 'x' });
    const add = async () => client.uploads.parts.create(id, { data: new File([new Uint8Array(content)], 'part') });
    shelf.full = /uploads/;
    await expect(add()).rejects.toMatchObject({ status: 507 });
    expect(await keys()).toEqual([]);
    shelf.full = /files/;
    const part = await add();
    await expect(client.uploads.complete(id, { part_ids: [part.id] })).rejects.toMatchObject({ status: 507 });
    expect((await client.files.list()).data).toEqual([]);
    expect((await call(client, 'GET', `/v1/uploads/${id}`)).body).toMatchObject({ status: 'pending' });
    shelf.full = null;
    expect(await client.uploads.complete(id, { part_ids: [part.id] })).toMatchObject({
      status: 'completed',
      file: { bytes: content.length },
    });
  });

  test.each([
    ['the index', /index/, 'validating'],
    ['a segment', /\/batch_[^/]+\/\d/, 'in_progress'],
    ['the output file', /files/, 'finalizing'],
  ])('for %s: the batch waits for room, and loses nothing', async (_, full, status) => {
    const client = await start({ timing: { leaseSeconds: 2 } });
    const id = await createFull(lines, full);
    expect(await client.batches.retrieve(id)).toMatchObject({ status, output_file_id: null, error_file_id: null });
    expect((await client.files.list({ purpose: 'batch_output' })).data).toEqual([]);
    await makeRoom(id);
    await expectWhole(id);
  });

  test('for the error file, when the output file was written', async () => {
    const client = await start({ timing: { leaseSeconds: 2 } });
    let outputs = 0;
    shelf.on('put', (key) => {
      // The input was there before; the first file after it is the output.
      if (key.includes('/files/') && ++outputs === 2) shelf.full = /files/;
    });
    const { id } = await createBatch(client, lines);
    await once(shelf, 'failed');
    expect(outputs).toBeGreaterThanOrEqual(2);
    await makeRoom(id);
    await expectWhole(id);
  });

  test('for the list of errors: the batch fails once there is room', async () => {
    const client = await start({ limits: { maxErrors: 2 }, workers: 0 });
    const id = await createFull([chatLine(1), ...Array.from({ length: 9 }, () => 'oops')], /files/);
    expect(await client.batches.retrieve(id)).toMatchObject({ status: 'validating', errors: null });
    await makeRoom(id);
    const ended = await untilEnded(client, id);
    expect(ended).toMatchObject({ status: 'failed' });
    expect(await linesIn(client, ended['errors_file_id'] as string)).toHaveLength(9);
    expect((await keys('default/files/')).length).toBe(2);
    expect(await keys(`default/${id}/`)).toEqual([]);
  });
});
