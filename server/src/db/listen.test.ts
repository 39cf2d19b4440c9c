import { expect, inject, test } from 'vitest';
import { openProxy } from '../../test/crash/proxy.ts';
import { Listener } from './listen.ts';

test('a listener whose connection carries nothing any more stops all the same', { timeout: 20_000 }, async () => {
  const proxy = await openProxy(inject('postgres'));
  const listener = new Listener(proxy.url, ['chunks']);
  let lost = 0;
  listener.on('lost', () => lost++);
  const ready = new Promise<void>((resolve) => listener.once('ready', resolve));
  await listener.start();
  await ready;
  proxy.strand();
  await listener.stop();
  expect(lost).toBe(0);
  await proxy[Symbol.asyncDispose]();
});

test('one that finds its connection dead makes another, and leaves nothing of the first', { timeout: 20_000 }, async () => {
  const proxy = await openProxy(inject('postgres'));
  await using listener = new Listener(proxy.url, ['chunks'], { probe: 50 });
  const lost = new Promise<Error>((resolve) => listener.once('lost', resolve));
  await listener.start();
  proxy.strand();
  expect((await lost).message).toMatch(/timeout/);
  await new Promise<void>((resolve) => listener.once('ready', resolve));
  // Closes only when no connection is left but those that are alive, which it ends.
  await proxy[Symbol.asyncDispose]();
});
