import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lanes, type Lane } from '../policy/turns.ts';
import type { Shares } from './share.ts';
import { Slots } from './slots.ts';

const never = new AbortController().signal;

/** Takes a slot, and says in `order` when it got it. */
const taker = (slots: Slots, order: string[]) => (name: string, lane: Lane) => {
  void Promise.resolve(slots.take(never, lane)).then((taken) => taken && order.push(name));
};

/** Lets what was resolved go on. */
const settle = () => new Promise(setImmediate);

/**
 * Runs tasks of all lanes on a clock of its own: of each lane more wait than there are slots, from the beginning to the end.
 *
 * @param lasts how long the next task of a lane takes
 * @returns the time each lane had slots for, and the lanes in the order in which their tasks began
 */
const saturate = async (
  limit: number,
  shares: Shares,
  lasts: (lane: Lane) => number,
  { until, present = lanes }: { until: number; present?: readonly Lane[] },
) => {
  const clock = { now: 0 };
  const slots = new Slots(limit, shares, () => clock.now);
  const had: Record<Lane, number> = { interactive: 0, jobs: 0, bulk: 0 };
  const running: { lane: Lane; ends: number }[] = [];
  const order: Lane[] = [];
  const keepTaking = async (lane: Lane): Promise<void> => {
    while (clock.now < until) {
      await slots.take(never, lane);
      order.push(lane);
      const ends = clock.now + lasts(lane);
      had[lane] += Math.min(ends, until) - clock.now;
      running.push({ lane, ends });
    }
  };
  // One task holds all slots until everybody waits.
  for (let i = 0; i < limit; i++) void slots.take(never, 'bulk');
  for (const lane of present) for (let i = 0; i < limit; i++) void keepTaking(lane);
  await settle();
  for (let i = 0; i < limit; i++) slots.give('bulk');
  await settle();
  while (clock.now < until) {
    running.sort((a, b) => b.ends - a.ends);
    const { lane, ends } = running.pop()!;
    clock.now = ends;
    slots.give(lane);
    await settle();
  }
  return { had, order };
};

describe('slots', () => {
  test('interactive comes before jobs before bulk, whoever waits longest; room is kept for the next', async () => {
    const slots = new Slots(8);
    const order: string[] = [];
    const take = taker(slots, order);
    for (let i = 0; i < 12; i++) take('bulk', 'bulk');
    take('job', 'jobs');
    take('interactive', 'interactive');
    await settle();
    expect(slots.used).toBe(8);
    for (let i = 0; i < 3; i++) slots.give('bulk');
    await settle();
    // Of eight slots one and a part belong to jobs, before anybody.
    expect(order.slice(8)).toEqual(['job', 'interactive', 'bulk']);
    slots.give('interactive');
    slots.give('jobs');
    await settle();
    expect(slots.used, 'one is kept for who comes next').toBe(7);
    expect(slots.take(never, 'jobs')).toBe(true);
  });

  test.each([
    [
      { interactive: 0, jobs: 0.25, bulk: 0.5 },
      { interactive: 2, jobs: 2, bulk: 4 },
    ],
    [
      { interactive: 0.5, jobs: 0.25, bulk: 0.25 },
      { interactive: 4, jobs: 2, bulk: 2 },
    ],
    [
      { interactive: 0, jobs: 0, bulk: 0 },
      { interactive: 8, jobs: 0, bulk: 0 },
    ],
    [
      { interactive: 0, jobs: 0, bulk: 1 },
      { interactive: 0, jobs: 0, bulk: 8 },
    ],
  ])('of eight slots %o are %o', async (shares, counts) => {
    const { had } = await saturate(8, shares, () => 1, { until: 10 });
    expect(had).toEqual({ interactive: 10 * counts.interactive, jobs: 10 * counts.jobs, bulk: 10 * counts.bulk });
  });

  test.each([
    [{ interactive: 0, jobs: 0.2, bulk: 0.2 }, 'ijbiiijbiiijb'],
    [{ interactive: 0, jobs: 0, bulk: 0.5 }, 'ibibibib'],
    [{ interactive: 0.2, jobs: 0.2, bulk: 0.6 }, 'ibjbbibjbb'],
  ])('of a single slot each lane has its part of the turns: %o', async (shares, expected) => {
    const { order } = await saturate(1, shares, () => 1, { until: expected.length - 1 });
    expect(order.map((lane) => lane[0]).join('')).toBe(expected);
  });

  test('a long task is paid back in time, not in turns', async () => {
    const { had } = await saturate(1, { interactive: 0, jobs: 0, bulk: 0.2 }, (lane) => (lane === 'bulk' ? 100 : 1), { until: 5_000 });
    expect(had.bulk).toBe(1_000);
  });

  test('what nobody wants is nobody’s: lanes that have no tasks leave their shares to the others', async () => {
    const { had } = await saturate(4, { interactive: 0, jobs: 0.5, bulk: 0.5 }, () => 1, { until: 10, present: ['jobs'] });
    expect(had).toEqual({ interactive: 0, jobs: 40, bulk: 0 });
  });

  test('whatever tasks take, each lane that always waits has its share, and who comes first has the rest', async () => {
    const shares = fc
      .tuple(
        fc.integer({ min: 0, max: 100 }),
        fc.integer({ min: 0, max: 100 }),
        fc.integer({ min: 0, max: 100 }),
        fc.integer({ min: 0, max: 100 }),
      )
      .map(([interactive, jobs, bulk, rest]): Shares => {
        const sum = Math.max(1, interactive + jobs + bulk + rest);
        return { interactive: interactive / sum, jobs: jobs / sum, bulk: bulk / sum };
      });
    const longest = 10;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 9 }),
        shares,
        fc.infiniteStream(fc.integer({ min: 1, max: longest })),
        async (limit, own, lengths) => {
          const until = 1_000;
          const { had } = await saturate(limit, own, () => lengths.next().value, { until });
          // A lane waits for one task at most to end before it comes to what it is owed, for each of its slots.
          const slack = 2 * longest * (limit + 1);
          for (const lane of lanes) expect(had[lane], lane).toBeGreaterThanOrEqual(own[lane] * limit * until - slack);
          expect(had.interactive).toBeGreaterThanOrEqual((1 - own.jobs - own.bulk) * limit * until - slack);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('whoever is owed most comes first: a lane is not kept from its share by one before it that is owed less', async () => {
    let x = 89;
    const length = () => {
      x = (x * 1_103_515_245 + 12_345) % 2 ** 31;
      return 1 + ((x >> 8) % 10);
    };
    const { had } = await saturate(4, { interactive: 0, jobs: 0.44, bulk: 0.4974 }, length, { until: 2_000 });
    expect(had.bulk).toBeGreaterThan(0.4974 * 4 * 2_000 - 20);
  });

  test('nobody saves up: a lane that comes back is owed nothing for the time it was away', async () => {
    const clock = { now: 0 };
    const slots = new Slots(1, { interactive: 0, jobs: 0, bulk: 0.5 }, () => clock.now);
    const order: string[] = [];
    const take = taker(slots, order);
    take('job', 'jobs');
    const left = new AbortController();
    void slots.take(left.signal, 'bulk');
    clock.now = 100;
    left.abort();
    for (let i = 0; i < 3; i++) take('job', 'jobs');
    for (let i = 0; i < 3; i++) take('bulk', 'bulk');
    for (let i = 0; i < 5; i++) {
      await settle();
      clock.now++;
      slots.give(order.at(-1) === 'job' ? 'jobs' : 'bulk');
    }
    await settle();
    // Owed 50 from before, it would have had all of its turns at once.
    expect(order.join(' ')).toBe('job bulk job bulk job bulk');
  });

  test('who gives up while it waits is not waited for', async () => {
    const slots = new Slots(1);
    const order: string[] = [];
    const take = taker(slots, order);
    take('first', 'bulk');
    const left = new AbortController();
    const gone = slots.take(left.signal, 'interactive');
    take('second', 'bulk');
    left.abort();
    expect(await gone).toBe(false);
    slots.give('bulk');
    await settle();
    expect([order, slots.waiting]).toEqual([['first', 'second'], 0]);
  });
});
