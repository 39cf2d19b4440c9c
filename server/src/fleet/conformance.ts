import { afterEach, describe, expect, test } from 'vitest';
import type { Fleet, Member } from './fleet.ts';

export interface Subject {
  /** A fleet of the pools `one` and `two`, without members. */
  open: () => Promise<Fleet>;
  /** Resolves when `ask` says so; how long a worker takes to start is the implementation's affair. */
  until: (what: string, ask: () => Promise<boolean>) => Promise<unknown>;
}

/** Every fleet passes these: they are what `fleet.ts` promises to the autoscaler. */
export const conformance = (name: string, { open, until }: Subject, { timeout = 60_000 } = {}): void => {
  describe(`${name} keeps the promises of a fleet`, { timeout }, () => {
    let fleet: Fleet;
    afterEach(() => fleet[Symbol.asyncDispose]());

    const members = async (pool: string): Promise<Member[]> => (await fleet.list()).filter((member) => member.pool === pool);
    const running = (pool: string, count: number) =>
      until(`${pool} has ${count}`, async () => {
        const all = await members(pool);
        return all.length === count && all.every(({ state }) => state === 'running');
      });

    test('it grows, shrinks, and goes to zero, each pool by itself', async () => {
      fleet = await open();
      expect(await fleet.list()).toEqual([]);
      await fleet.setTarget('one', 2);
      await fleet.setTarget('two', 1);
      await Promise.all([running('one', 2), running('two', 1)]);
      const two = await members('two');
      await fleet.setTarget('one', 1);
      await running('one', 1);
      await fleet.setTarget('one', 0);
      await running('one', 0);
      expect(await members('two')).toEqual(two);
    });

    test('the same target again changes nothing', async () => {
      fleet = await open();
      await fleet.setTarget('one', 2);
      await fleet.setTarget('one', 2);
      await running('one', 2);
      const before = await fleet.list();
      await fleet.setTarget('one', 2);
      expect(await fleet.list()).toEqual(before);
    });

    test('a drained member goes, and another takes its place', async () => {
      fleet = await open();
      await fleet.setTarget('one', 1);
      await running('one', 1);
      const [first] = await members('one');
      await fleet.drain(first!.name);
      await until('another is there', async () => {
        await fleet.setTarget('one', 1);
        const all = await members('one');
        return all.length === 1 && all[0]!.name !== first!.name && all[0]!.state === 'running';
      });
      // Gone is gone.
      await expect(fleet.drain(first!.name)).resolves.toBeUndefined();
    });
  });
};
