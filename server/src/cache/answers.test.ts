import { expect, test } from 'vitest';
import { AnswerCache, type Answered, type Computed, type Question } from './answers.ts';
import { sampleOf } from './worth.ts';

const never = new AbortController().signal;
const question = (key: string, more: Partial<Question> = {}): Question => ({
  key: key.padEnd(64, '0'),
  tenant: 't',
  model: 'm@1.0.0',
  ...more,
});
const computed = (body: string, keep = true): Computed => ({ answer: { status: 200, body, at: Date.now() }, keep });
const open = (maxBytes = 1_000_000, ttlSeconds = 60) => new AnswerCache({ maxBytes, ttlSeconds, redis: null });

/** As the rooms that answer at once use it. */
const through = async (cache: AnswerCache, asked: Question, compute: () => Promise<Computed>, signal = never): Promise<Answered> =>
  cache.looksUp(asked, sampleOf(asked.key))
    ? cache.through(asked, compute, signal)
    : { answer: (await compute()).answer, state: 'BYPASS', from: null };

test('a question is computed once, and answered from memory after that', async () => {
  const cache = open();
  let runs = 0;
  const ask = () => cache.through(question('a'), async () => computed(`run ${++runs}`), never);
  expect([(await ask()).state, (await ask()).state, runs]).toEqual(['MISS', 'HIT', 1]);
  cache.reset('somebody else');
  expect((await ask()).state).toBe('HIT');
  cache.reset('t');
  expect((await ask()).state).toBe('MISS');
  cache.purge('m@1.0.0');
  expect((await ask()).answer.body).toBe('run 3');
});

test('who asks meanwhile waits for the one that computes, and a failure is kept by nobody', async () => {
  const cache = open();
  const gate = Promise.withResolvers<Computed>();
  const asked = [1, 2, 3].map(() => cache.through(question('a'), () => gate.promise, never));
  gate.resolve(computed('once'));
  expect((await Promise.all(asked)).map(({ from }) => from)).toEqual([null, 'flight', 'flight']);
  await expect(cache.through(question('b'), () => Promise.reject(new Error('broken')), never)).rejects.toThrow('broken');
  expect((await cache.through(question('b'), async () => computed('mended'), never)).state).toBe('MISS');
  expect((await cache.through(question('c'), async () => computed('a failure', false), never)).state).toBe('MISS');
  expect((await cache.through(question('c'), async () => computed('anew'), never)).answer.body).toBe('anew');
});

test('the work goes on while anybody waits for it, and ends with the last of them', async () => {
  const cache = open();
  const [first, second] = [new AbortController(), new AbortController()];
  let work: AbortSignal | undefined;
  const compute = (signal: AbortSignal) => {
    work = signal;
    return new Promise<Computed>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  };
  const asked = [first, second].map(({ signal }) => cache.through(question('a'), compute, signal).catch(() => 'gone'));
  first.abort();
  expect(await asked[0]).toBe('gone');
  expect(work?.aborted).toBe(false);
  second.abort();
  expect(await asked[1]).toBe('gone');
  expect(work?.aborted).toBe(true);
});

test('a caller may ask past the cache, or for a fresh answer that is kept', async () => {
  const cache = open();
  let runs = 0;
  const ask = (policy?: 'none' | 'fresh') => through(cache, question('a', policy ? { policy } : {}), async () => computed(String(++runs)));
  await ask();
  expect([(await ask('none')).state, (await ask()).answer.body]).toEqual(['BYPASS', '1']);
  expect([(await ask('fresh')).state, (await ask()).answer.body]).toEqual(['MISS', '3']);
});

test('memory is bounded by bytes, and the least used goes first', async () => {
  const cache = open(20_000);
  const body = 'x'.repeat(600);
  const ask = (key: number) => cache.through(question(key.toString(16)), async () => computed(body), never);
  for (let key = 1; key <= 100; key++) {
    await ask(key);
    await ask(1);
  }
  const { bytes, entries } = cache.figures('t');
  expect(bytes).toBeLessThanOrEqual(20_000);
  expect(entries).toBeGreaterThan(10);
  expect((await ask(1)).state).toBe('HIT');
  expect((await ask(2)).state).toBe('MISS');
});

test('a model whose requests all differ is asked past the cache, until they repeat', async () => {
  const cache = open(50_000_000);
  const hex = (n: number) => (n * 2_654_435_761).toString(16).padStart(64, '0');
  const ask = async (n: number) => (await through(cache, question('', { key: hex(n) }), async () => computed('x'))).state;
  for (let n = 1; n <= 512; n++) await ask(n);
  const states = new Set<string>();
  for (let n = 1_000; n < 1_100; n++) states.add(await ask(n));
  expect(states).toContain('BYPASS');
  expect(cache.figures('t').models[0]!.bypassed).toBe(true);
  for (let round = 0; round < 200; round++) for (let n = 1; n <= 32; n++) await ask(n);
  expect(cache.figures('t').models[0]!.bypassed).toBe(false);
  expect(await ask(5)).toBe('HIT');
});

test('nine in ten are hits where requests follow Zipf, and memory holds half of them', async () => {
  const keys = 10_000;
  const cache = open(5_000 * 500);
  const weights = Array.from({ length: keys }, (_, i) => 1 / (i + 1) ** 1.1);
  const sums: number[] = [];
  for (const weight of weights) sums.push((sums.at(-1) ?? 0) + weight);
  let seed = 42;
  const random = () => (seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
  const draw = () => {
    const at = random() * sums.at(-1)!;
    let [low, high] = [0, keys - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle]! < at) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  let hits = 0;
  for (let i = 0; i < 90_000; i++) {
    const { state } = await cache.through(question(draw().toString(16)), async () => computed('x'.repeat(100)), never);
    if (i >= 30_000 && state === 'HIT') hits++;
  }
  expect(hits / 60_000).toBeGreaterThan(0.9);
});
