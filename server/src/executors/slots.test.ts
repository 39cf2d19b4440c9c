import { describe, expect, test } from 'vitest';
import { Slots } from './slots.ts';

const never = new AbortController().signal;

/** Takes a slot, and says in `order` when it got it. */
const taker = (slots: Slots, order: string[]) => (name: string, urgent: boolean) => {
  void Promise.resolve(slots.take(never, urgent)).then((taken) => taken && order.push(name));
};

describe('slots', () => {
  test('urgent tasks come before those that wait longer, and room is kept for the next', async () => {
    const slots = new Slots(8);
    const order: string[] = [];
    const take = taker(slots, order);
    for (let i = 0; i < 10; i++) take(`bulk ${i}`, false);
    take('urgent', true);
    await Promise.resolve();
    expect(slots.used).toBe(8);
    slots.give();
    await Promise.resolve();
    expect(order.at(-1)).toBe('urgent');
    slots.give(true);
    await Promise.resolve();
    expect(slots.used, 'one is kept for the next urgent task').toBe(7);
    expect(slots.take(never, true)).toBe(true);
  });

  test('urgent tasks leave others that wait their share', async () => {
    const slots = new Slots(8);
    const order: string[] = [];
    const take = taker(slots, order);
    for (let i = 0; i < 20; i++) take(`urgent ${i}`, true);
    for (let i = 0; i < 20; i++) take(`bulk ${i}`, false);
    await Promise.resolve();
    for (let i = 0; i < 8; i++) slots.give(true);
    await Promise.resolve();
    expect(order.slice(8).filter((name) => name.startsWith('bulk')).length).toBe(2);
  });

  test.each([
    [0.5, 4],
    [0.75, 6],
    [0, 0],
  ])('a share of %d of eight slots is %i of them', async (share, count) => {
    const slots = new Slots(8, share);
    const order: string[] = [];
    const take = taker(slots, order);
    for (let i = 0; i < 30; i++) take('urgent', true);
    for (let i = 0; i < 30; i++) take('bulk', false);
    await Promise.resolve();
    for (let i = 0; i < 9; i++) {
      slots.give(true);
      await Promise.resolve();
    }
    expect(order.filter((name) => name === 'bulk').length).toBe(count);
    expect(order.at(-1)).toBe('urgent');
  });

  test.each([
    [undefined, 'uuuuuouuuuo'],
    [0.5, 'uuououou'],
    [0.8, 'uuoooouoooo'],
  ])('of a single slot others have their share of the turns (%d)', async (share, expected) => {
    const slots = new Slots(1, share);
    let order = '';
    // As runs do: each waits for one slot at a time.
    const keepTaking = (name: 'u' | 'o'): void =>
      void Promise.resolve(slots.take(never, name === 'u')).then(() => {
        order += name;
        keepTaking(name);
      });
    keepTaking('u');
    await Promise.resolve();
    keepTaking('o');
    while (order.length < expected.length) {
      slots.give(order.endsWith('u'));
      await new Promise(setImmediate);
    }
    expect(order).toBe(expected);
  });

  test('a model with a single slot serves the urgent first, and bulk when there is none', async () => {
    const slots = new Slots(1);
    const order: string[] = [];
    const take = taker(slots, order);
    take('first', false);
    take('bulk', false);
    take('urgent', true);
    slots.give();
    await Promise.resolve();
    slots.give(true);
    await Promise.resolve();
    expect(order).toEqual(['first', 'urgent', 'bulk']);
  });
});
