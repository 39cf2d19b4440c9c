import { hash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { test as base } from '../../test/support/database.ts';
import { boundary, field, filePart, form, keysOf, multipart, serveFiles, upload, type FilesServer } from '../../test/support/files.ts';
import { sql } from '../db/sql.ts';
import { StorageFull, type Storage } from '../storage/storage.ts';
import { openMemory } from '../storage/memory.ts';

const line = `{"custom_id": "1", "method": "POST", "url": "/v1/predict", "body": {"model": "echo"}}\n`;

const test = base.extend<{ server: FilesServer }>({
  server: [
    async ({ db }, use) => {
      await using server = await serveFiles(db, { limits: { maxFileBytes: 1_000_000 } });
      await use(server);
    },
    { scope: 'file' },
  ],
});

/** Nothing is left of what a test sent, in storage or among the rows. */
const expectNothing = async ({ storage, db }: FilesServer) => {
  expect(await keysOf(storage)).toEqual([]);
  expect(await db.many(sql`select id from files where deleted_at is null`)).toEqual([]);
};
const clear = async ({ storage, db }: FilesServer) => {
  for (const key of await keysOf(storage)) await storage.delete(key);
  await db.run(sql`delete from files`);
};

test('a file as the openai client sends it gets the reply of the reference', async ({ server }) => {
  const before = Math.floor(Date.now() / 1000);
  const reply = await upload(server, form(field('purpose', 'batch'), filePart(line, { filename: 'upload' })));
  expect(reply.status).toBe(200);
  const file = reply.file();
  expect(file).toEqual({
    id: expect.stringMatching(/^file-[A-Za-z0-9]{22}$/) as string,
    object: 'file',
    bytes: line.length,
    created_at: expect.any(Number) as number,
    expires_at: file.created_at + 2_592_000,
    filename: 'upload',
    purpose: 'batch',
    status: 'processed',
    status_details: null,
    sha256: hash('sha256', line),
    created_by: 'ada',
  });
  expect(Math.abs(file.created_at - before)).toBeLessThan(30);
  expect(await keysOf(server.storage)).toEqual([`lab/files/${file.id}`]);
  await clear(server);
});

test('fields stand in any order, and the body is torn anywhere', async ({ server }) => {
  const content = Buffer.concat([Buffer.from(line), Buffer.from(`\r\n--${boundary.slice(0, -1)}\r\n--\r\n-`), randomBytes(3000)]);
  const parts = [
    filePart(content, { filename: 'größe 表.jsonl' }),
    field('purpose', 'batch'),
    field('expires_after[anchor]', 'created_at'),
    field('expires_after[seconds]', '3600'),
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray(parts, { minLength: parts.length }),
      fc.array(fc.nat(4200), { maxLength: 40 }),
      fc.boolean(),
      async (order, cuts, announced) => {
        const whole = form(...order);
        const at = [0, ...cuts.filter((cut) => cut < whole.length).sort((a, b) => a - b), whole.length];
        const body = at.slice(1).map((to, i) => whole.subarray(at[i], to));
        const headers = announced ? { ...multipart, 'content-length': whole.length } : multipart;
        const reply = await server.send('/v1/files', { method: 'POST', headers, body });
        const file = reply.file();
        expect(file).toMatchObject({
          bytes: content.length,
          sha256: hash('sha256', content),
          purpose: 'batch',
          filename: 'größe 表.jsonl',
        });
        expect(file.expires_at).toBe(file.created_at + 3600);
        expect((await server.storage.read(`lab/files/${file.id}`)).equals(content)).toBe(true);
      },
    ),
    { numRuns: 40 },
  );
  await clear(server);
});

test('every byte of a body may come alone', async ({ server }) => {
  const whole = form(filePart(line), field('purpose', 'batch'));
  const reply = await server.send('/v1/files', { method: 'POST', headers: multipart, body: Array.from(whole, (byte) => Buffer.of(byte)) });
  expect(reply.file()).toMatchObject({ bytes: line.length, sha256: hash('sha256', line) });
  await clear(server);
});

const seconds = (value: string) => field('expires_after[seconds]', value);
const anchor = field('expires_after[anchor]', 'created_at');
const purpose = field('purpose', 'batch');
const file = filePart(line);
const refused: [string, Buffer, { code: string | null; param: string | null }][] = [
  ['no file', form(purpose), { code: 'missing_required_parameter', param: 'file' }],
  ['nothing at all', form(), { code: 'missing_required_parameter', param: 'file' }],
  ['no purpose', form(file), { code: 'missing_required_parameter', param: 'purpose' }],
  ['a wrong purpose', form(field('purpose', 'fun'), file), { code: 'invalid_value', param: 'purpose' }],
  ['a wrong purpose after the file', form(file, field('purpose', 'fun')), { code: 'invalid_value', param: 'purpose' }],
  ['a purpose only the server gives', form(file, field('purpose', 'batch_output')), { code: 'invalid_value', param: 'purpose' }],
  ['an empty purpose', form(file, field('purpose', '')), { code: 'invalid_value', param: 'purpose' }],
  ['two purposes', form(purpose, file, purpose), { code: 'invalid_request', param: 'purpose' }],
  ['two files', form(purpose, file, file), { code: 'invalid_request', param: 'file' }],
  ['two files, then the purpose', form(file, file, purpose), { code: 'invalid_request', param: 'file' }],
  ['an unknown field', form(purpose, file, field('model', 'x')), { code: 'unknown_parameter', param: 'model' }],
  ['a file of another name', form(purpose, filePart(line, { name: 'data' })), { code: 'unknown_parameter', param: 'data' }],
  ['an expiry without anchor', form(purpose, seconds('3600'), file), { code: 'missing_required_parameter', param: 'expires_after.anchor' }],
  ['an expiry without seconds', form(purpose, file, anchor), { code: 'missing_required_parameter', param: 'expires_after.seconds' }],
  ['an expiry too soon', form(purpose, anchor, seconds('3599'), file), { code: 'invalid_value', param: 'expires_after.seconds' }],
  ['an expiry too late', form(purpose, anchor, seconds('2592001'), file), { code: 'invalid_value', param: 'expires_after.seconds' }],
  ['an expiry that is no number', form(purpose, anchor, seconds('1e4'), file), { code: 'invalid_value', param: 'expires_after.seconds' }],
  [
    'another anchor',
    form(purpose, field('expires_after[anchor]', 'now'), seconds('3600'), file),
    { code: 'invalid_value', param: 'expires_after.anchor' },
  ],
  ['a purpose of a megabyte', form(field('purpose', 'b'.repeat(1_000_000)), file), { code: 'invalid_value', param: 'purpose' }],
  ['too many fields', form(...Array<string>(200).fill(field('x', 'y'))), { code: 'unknown_parameter', param: 'x' }],
  ['no end', Buffer.concat([Buffer.from(purpose), file]), { code: 'invalid_request', param: null }],
  ['an end within the file', form(purpose, file).subarray(0, -60), { code: 'invalid_request', param: null }],
  ['an end within a header', Buffer.from(`--${boundary}\r\nContent-Dispo`), { code: 'invalid_request', param: null }],
  ['bytes that are no form', randomBytes(5000), { code: 'invalid_request', param: null }],
  [
    'another boundary',
    Buffer.from(form(purpose, file).toString().replaceAll(boundary, 'another')),
    { code: 'invalid_request', param: null },
  ],
];

test.for(refused)('a form with %s is refused', async ([, body, expected], { server }) => {
  const reply = await upload(server, body);
  expect({ status: reply.status, ...reply.error() }).toMatchObject({ status: 400, type: 'invalid_request_error', ...expected });
  await expectNothing(server);
});

const types: [string, Record<string, string>][] = [
  ['JSON', { 'content-type': 'application/json' }],
  ['text', { 'content-type': 'text/plain' }],
  ['a form that is not multipart', { 'content-type': 'application/x-www-form-urlencoded' }],
  ['multipart without a boundary', { 'content-type': 'multipart/form-data' }],
  ['multipart with an empty boundary', { 'content-type': 'multipart/form-data; boundary=' }],
  ['other multipart', { 'content-type': `multipart/mixed; boundary=${boundary}` }],
  ['no type', {}],
];
test.for(types)('a body of %s is refused', async ([, headers], { server }) => {
  const reply = await server.send('/v1/files', { method: 'POST', headers, body: [form(purpose, file)] });
  expect(reply.status).toBe(400);
  expect(reply.error().type).toBe('invalid_request_error');
  await expectNothing(server);
});

const contents: [string, string | Buffer, boolean][] = [
  ['an empty file', '', false],
  ['white space', ' \r\n\n', false],
  ['only a byte order mark', '\ufeff', false],
  ['prose', 'hello {"a": 1}\n', false],
  ['malformed JSON', '{malformed\n', false],
  ['a JSON array', '[{"a": 1}]', false],
  ['NUL', Buffer.from([0, 0, 0]), false],
  ['UTF-16', Buffer.from('{"a": 1}', 'utf16le'), false],
  ['half a byte order mark', Buffer.from([0xef, 0xbb, 0x7b, 0x22]), false],
  ['JSON lines', line, true],
  ['a byte order mark and blank lines before', `\ufeff\r\n \n${line}`, true],
  ['a bad line after a good one', `${line}nonsense`, true],
  ['an empty object', '{ }', true],
  ['a line that breaks off', '{ "custom_id', true],
];
test.for(contents)('a batch file of %s', async ([, content, accepted], { server }) => {
  for (const parts of [
    [purpose, filePart(content)],
    [filePart(content), purpose],
  ]) {
    const reply = await upload(server, form(...parts));
    if (accepted) expect(reply.status).toBe(200);
    else {
      expect(reply.json()).toEqual({
        error: { message: 'Invalid file format for Batch API. Must be .jsonl', type: 'invalid_request_error', param: null, code: null },
      });
      expect(reply.status).toBe(400);
      await expectNothing(server);
    }
  }
  // Other purposes take any bytes.
  expect((await upload(server, form(field('purpose', 'user_data'), filePart(content)))).json()).toMatchObject({ expires_at: null });
  await clear(server);
});

test('a file over the limit is refused, however its size is told', async ({ server }) => {
  const big = `${line}${'x'.repeat(1_000_001 - line.length)}`;
  for (const body of [form(purpose, filePart(big)), form(filePart(big), purpose)]) {
    for (const headers of [{}, { 'content-length': body.length }]) {
      const reply = await upload(server, body, { headers });
      expect(reply.status).toBe(400);
      expect(reply.error()).toMatchObject({
        code: 'file_too_large',
        param: 'file',
        message: expect.stringMatching(/^File is too large\./) as string,
      });
    }
  }
  const huge = form(purpose, filePart('{"'.padEnd(3_000_000)));
  expect((await upload(server, huge, { headers: { 'content-length': huge.length } })).error().code).toBe('file_too_large');
  await expectNothing(server);
  expect((await upload(server, form(purpose, filePart(big.slice(0, 1_000_000))))).status).toBe(200);
  await clear(server);
});

test("OpenAI's limits are by purpose", async ({ db }) => {
  const small: Storage = openMemory();
  // Its sizes, not its bytes: 200 MB need not be sent to be counted.
  const storage: Storage = {
    ...small,
    put: async (key, bytes, options) => ({ ...(await small.put(key, bytes, options)), bytes: 201 * 2 ** 20 }),
  };
  await using server = await serveFiles(db, { storage, limits: { openai: true } });
  for (const parts of [
    [purpose, file],
    [file, purpose],
  ])
    expect((await upload(server, form(...parts))).error().code).toBe('file_too_large');
  await expectNothing(server);
  expect((await upload(server, form(field('purpose', 'user_data'), file))).status).toBe(200);
  await clear(server);
});

test('names are shown as they were sent, but lead nowhere', async ({ server }) => {
  const names = {
    '../../etc/passwd': 'passwd',
    'C:\\\\data\\\\in.jsonl': 'in.jsonl',
    '..': 'upload',
    '': 'upload',
    'tab\there\u0007.jsonl': 'tabhere.jsonl',
    ['é'.repeat(300)]: 'é'.repeat(127),
  };
  for (const [sent, shown] of Object.entries(names)) {
    const reply = await upload(server, form(purpose, filePart(line, { filename: sent })));
    expect(reply.json()).toMatchObject({ filename: shown });
  }
  expect((await upload(server, form(purpose, filePart(line, { filename: null })))).json()).toMatchObject({ filename: 'upload' });
  await clear(server);
});

describe('an upload that is cut off', () => {
  test('leaves nothing, wherever it is cut', async ({ server }) => {
    const whole = form(purpose, filePart(line.repeat(2000)), anchor);
    const { port } = new URL(server.url);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.boolean(), async (cut, announced) => {
        const gone = new Promise<void>((resolve) =>
          server.app.server.once('connection', (socket) => socket.once('close', () => resolve())),
        );
        const socket = connect(Number(port), '127.0.0.1');
        const length = announced ? `Content-Length: ${whole.length}` : 'Transfer-Encoding: chunked';
        socket.write(
          `POST /v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ada\r\nContent-Type: ${multipart['content-type']}\r\n${length}\r\n\r\n`,
        );
        if (announced) socket.write(whole.subarray(0, cut));
        else
          socket.write(Buffer.concat([Buffer.from(`${cut.toString(16)}\r\n`), whole.subarray(0, cut), Buffer.from(cut > 0 ? '\r\n' : '')]));
        await new Promise<void>((resolve) => socket.write('', () => resolve()));
        socket.resetAndDestroy();
        await gone;
      }),
      { numRuns: 30 },
    );
    // The handlers of the cut connections have run down once a later upload on the same event loop is through.
    expect((await upload(server, form(purpose, file))).status).toBe(200);
    await expect.poll(() => keysOf(server.storage)).toHaveLength(1);
    expect(await server.db.many(sql`select id from files`)).toHaveLength(1);
    await clear(server);
  });
});

test('a form that is wrong, in any way, is answered, and leaves nothing', async ({ server }) => {
  const whole = form(purpose, filePart(line), anchor, seconds('3600'));
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(30), fc.uint8Array({ maxLength: 20 }), async (at, removed, put) => {
      const body = Buffer.concat([whole.subarray(0, at), put, whole.subarray(at + removed)]);
      const reply = await upload(server, body);
      expect([200, 400]).toContain(reply.status);
      if (reply.status === 200) await clear(server);
      else await expectNothing(server);
    }),
    { numRuns: 300 },
  );
});

test('a full storage says so, and keeps nothing', async ({ db }) => {
  await using server = await serveFiles(db, { storage: openMemory({ capacity: 100_000 }) });
  const much = form(purpose, filePart(line.repeat(10_000)));
  const reply = await upload(server, much);
  expect(reply.status).toBe(507);
  expect(reply.error()).toMatchObject({ code: 'storage_full', type: 'server_error' });
  await expectNothing(server);
  expect((await upload(server, form(purpose, file))).status).toBe(200);
  await clear(server);
});

test('a row that cannot be written leaves no bytes', async ({ db }) => {
  const storage = openMemory();
  await using server = await serveFiles(db, { storage });
  await db.run(sql`alter table files add constraint refuse check (filename <> 'refuse')`);
  const reply = await upload(server, form(purpose, filePart(line, { filename: 'refuse' })));
  await db.run(sql`alter table files drop constraint refuse`);
  expect(reply.status).toBe(500);
  await expectNothing(server);
});

test('a storage that fails half-way is not the client’s fault', async ({ db }) => {
  const memory = openMemory();
  const storage: Storage = { ...memory, put: () => Promise.reject(new StorageFull(new Error('ENOSPC'))) };
  await using server = await serveFiles(db, { storage });
  // Refused at the first byte, while ten megabytes are still to come.
  const reply = await upload(server, form(purpose, filePart(`{"${'x'.repeat(10_000_000)}`)));
  expect(reply.status).toBe(507);
  await expectNothing(server);
});

test('a client that sends everything before it reads gets its answer all the same', async ({ server }) => {
  const { port } = new URL(server.url);
  const body = form(field('purpose', 'fun'), filePart('x'.repeat(30_000_000)));
  const socket = connect(Number(port), '127.0.0.1');
  socket.pause();
  socket.write(
    `POST /v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ada\r\nContent-Type: ${multipart['content-type']}\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.write(body, () => resolve());
  });
  expect((await once(socket.resume(), 'data')).toString()).toMatch(/^HTTP\/1\.1 400 /);
  socket.destroy();
});

let unhandled = 0;
const count = () => void unhandled++;
beforeAll(() => void process.on('unhandledRejection', count));
afterAll(() => {
  process.off('unhandledRejection', count);
  expect(unhandled).toBe(0);
});
