import { expect, test } from 'vitest';
import { Aimd } from './aimd.ts';

/** Takes every slot, so that successes count. */
const fill = async (aimd: Aimd) => {
  const signal = new AbortController().signal;
  while (aimd.slots.free) await aimd.slots.take(signal);
};

test('it starts at 16, and doubles a round until the first complaint', async () => {
  const aimd = new Aimd(64);
  expect(aimd.slots.limit).toBe(16);
  await fill(aimd);
  for (let i = 0; i < 16; i++) aimd.went();
  expect(aimd.slots.limit).toBe(32);
  for (let i = 0; i < 100; i++) {
    await fill(aimd);
    aimd.went();
  }
  expect(aimd.slots.limit).toBe(64);
});

test('a complaint halves it, and a round of successes then adds one', async () => {
  const aimd = new Aimd(64);
  expect(aimd.overloaded(10, 20)).toBe(true);
  expect(aimd.slots.limit).toBe(8);
  await fill(aimd);
  for (let i = 0; i < 8; i++) aimd.went();
  expect(aimd.slots.limit).toBe(8);
  aimd.went();
  expect(aimd.slots.limit).toBe(9);
});

test('what began before a cut does not cut again, and it never falls below one', () => {
  const aimd = new Aimd(64);
  aimd.overloaded(10, 20);
  expect(aimd.overloaded(19, 30)).toBe(false);
  expect(aimd.slots.limit).toBe(8);
  for (let at = 100; at < 200; at += 10) aimd.overloaded(at, at);
  expect(aimd.slots.limit).toBe(1);
});

test('an idle executor learns nothing from a success', () => {
  const aimd = new Aimd(64);
  aimd.went();
  expect(aimd.slots.limit).toBe(16);
});
