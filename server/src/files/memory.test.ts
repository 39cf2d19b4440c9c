import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { end, filePart, multipart } from '../../test/support/files.ts';

const megabyte = Buffer.from(`{"custom_id": "${'x'.repeat(2 ** 20 - 19)}"}\n`);

/** Sends a form with one file of `megabytes`, as fast as it is taken. */
const send = async (port: number, megabytes: number): Promise<{ bytes: number; peak: number }> => {
  const call = request({ port, host: '127.0.0.1', method: 'POST', headers: multipart });
  const reply = once(call, 'response');
  const write = async (piece: Uint8Array | string) => call.write(piece) || (await once(call, 'drain'));
  await write(filePart('').subarray(0, -2));
  for (let i = 0; i < megabytes; i++) await write(megabyte);
  await write(`\r\n${end}`);
  call.end();
  const [response] = (await reply) as [NodeJS.ReadableStream];
  return (await json(response)) as { bytes: number; peak: number };
};

test('receiving 300 MB takes no more memory than receiving 30', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-memory-'));
  const child = fork(join(import.meta.dirname, '../../test/support/receiver.ts'), [folder], { execArgv: [] });
  try {
    const [port] = (await once(child, 'message')) as [number];
    const small = await send(port, 30);
    const big = await send(port, 300);
    expect(big.bytes).toBe(300 * megabyte.length);
    expect(big.peak - small.peak).toBeLessThan(48 * 2 ** 20);
    expect(big.peak).toBeLessThan(250 * 2 ** 20);
  } finally {
    child.kill();
    await rm(folder, { recursive: true, force: true });
  }
});
