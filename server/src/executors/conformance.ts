import { afterEach, describe, expect, test } from 'vitest';
import type { Executor, Outcome, Task } from './executor.ts';

/** What the suite needs to know of an executor to hold it to the interface's promises. */
export interface Subject {
  /** Opens a model of which `most` tasks may be under way at once. */
  open: (most: number) => Promise<Executor>;
  /** A task that succeeds at once. */
  quick: (line: number) => Task;
  /** A task that takes about this long, and then succeeds. */
  slow: (line: number, ms: number) => Task;
  /** A task that fails for good, whatever is tried. */
  bad: (line: number) => Task;
}

const lines = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

const collect = async (run: AsyncIterable<Outcome[]>, each: (outcomes: Outcome[]) => void = () => {}): Promise<Outcome[]> => {
  const all: Outcome[] = [];
  for await (const outcomes of run) {
    expect(outcomes.length).toBeGreaterThan(0);
    all.push(...outcomes);
    each(outcomes);
  }
  return all;
};

const byLine = (outcomes: readonly Outcome[]) => outcomes.map((outcome) => outcome.line).sort((a, b) => a - b);

/** How many attempts were under way at the busiest moment, by the outcomes' own times. */
const busiest = (outcomes: readonly Outcome[]): number => {
  const edges = outcomes.flatMap(({ startedAt, ms }) => [
    { at: startedAt, step: 1 },
    { at: startedAt + Math.max(0, ms - 2), step: -1 },
  ]);
  // Both times are of whole milliseconds, so that one may seem to end after the next has begun.
  edges.sort((a, b) => a.at - b.at || a.step - b.step);
  let [now, most] = [0, 0];
  for (const { step } of edges) most = Math.max(most, (now += step));
  return most;
};

/** Every executor passes these: they are what `executor.ts` promises to the worker. */
export const conformance = (name: string, subject: Subject): void => {
  describe(`${name} keeps the promises of an executor`, () => {
    let opened: Executor[] = [];
    const open = async (most: number) => {
      const executor = await subject.open(most);
      opened.push(executor);
      return executor;
    };
    const signals = () => {
      const [stop, abort] = [new AbortController(), new AbortController()];
      return { stop, abort, given: { stop: stop.signal, abort: abort.signal } };
    };

    afterEach(async () => {
      for (const executor of opened) await executor[Symbol.asyncDispose]();
      opened = [];
    });

    test('every task gets exactly one outcome, with its times', async () => {
      const executor = await open(4);
      const before = Date.now();
      const outcomes = await collect(executor.run(lines(100).map(subject.quick), signals().given));
      expect(byLine(outcomes)).toEqual(lines(100));
      for (const outcome of outcomes) {
        expect(outcome).toMatchObject({ ok: true, status: 200 });
        expect(outcome.startedAt).toBeGreaterThanOrEqual(before);
        expect(outcome.ms).toBeGreaterThanOrEqual(0);
        expect(outcome.startedAt + outcome.ms).toBeLessThanOrEqual(Date.now() + 1);
        expect(outcome.body).not.toMatch(/[\r\n]/);
        expect(JSON.parse(outcome.body!)).toBeTypeOf('object');
      }
    });

    test('no task, no outcome', async () => {
      expect(await collect((await open(4)).run([], signals().given))).toEqual([]);
    });

    test('a bad task fails alone', async () => {
      const executor = await open(4);
      const tasks = lines(30).map((line) => (line === 7 ? subject.bad(line) : subject.quick(line)));
      const outcomes = await collect(executor.run(tasks, signals().given));
      expect(byLine(outcomes)).toEqual(lines(30));
      const failed = outcomes.filter((outcome) => !outcome.ok);
      expect(failed).toMatchObject([{ line: 7, kind: 'permanent' }]);
      expect(failed[0]).toHaveProperty('message', expect.stringMatching(/\w/));
    });

    test('after stop nothing starts, and what is under way finishes', async () => {
      const executor = await open(2);
      const { stop, given } = signals();
      const tasks = lines(40).map((line) => subject.slow(line, 40));
      const outcomes = await collect(executor.run(tasks, given), () => stop.abort());
      expect(outcomes.length).toBeGreaterThan(0);
      expect(outcomes.length).toBeLessThan(40);
      expect(new Set(byLine(outcomes)).size).toBe(outcomes.length);
      expect(outcomes.every((outcome) => outcome.ok)).toBe(true);
    });

    test('it tells of each task that starts, before its outcome, and of none after stop', async () => {
      const executor = await open(2);
      const { stop, given } = signals();
      const started: number[] = [];
      let atStop = 0;
      const tasks = lines(40).map((line) => subject.slow(line, 40));
      const run = executor.run(tasks, { ...given, started: (line) => void started.push(line) });
      const outcomes = await collect(run, (group) => {
        for (const { line } of group) expect(started).toContain(line);
        if (!stop.signal.aborted) {
          stop.abort();
          atStop = started.length;
        }
      });
      expect(started).toHaveLength(atStop);
      expect(byLine(outcomes)).toEqual([...started].sort((a, b) => a - b));
    });

    test('a run that is stopped before it begins starts nothing', async () => {
      const executor = await open(2);
      const { stop, given } = signals();
      stop.abort();
      expect(await collect(executor.run(lines(5).map(subject.quick), given))).toEqual([]);
    });

    test('abort ends what is under way as cancelled', async () => {
      const executor = await open(2);
      const { abort, given } = signals();
      const tasks = [subject.slow(1, 30), subject.slow(2, 60_000), subject.slow(3, 60_000), subject.slow(4, 60_000)];
      const outcomes = await collect(executor.run(tasks, given), () => abort.abort());
      expect(outcomes.find(({ line }) => line === 1)).toMatchObject({ ok: true });
      const others = outcomes.filter(({ line }) => line !== 1);
      expect(others.length).toBeGreaterThan(0);
      expect(new Set(byLine(outcomes)).size).toBe(outcomes.length);
      for (const outcome of others) expect(outcome).toMatchObject({ ok: false, kind: 'cancelled' });
      // And the executor is as good as before.
      expect(await collect(executor.run([subject.quick(5)], signals().given))).toMatchObject([{ line: 5, ok: true }]);
    });

    test('a caller that leaves early ends what it started', async () => {
      const executor = await open(2);
      for await (const _ of executor.run([subject.slow(1, 30), subject.slow(2, 60_000), subject.slow(3, 60_000)], signals().given)) break;
      expect(await collect(executor.run(lines(4).map(subject.quick), signals().given))).toHaveLength(4);
    });

    test('runs at the same time share the concurrency', async () => {
      const executor = await open(2);
      const runs = [0, 10, 20].map((first) =>
        collect(
          executor.run(
            lines(6).map((line) => subject.slow(first + line, 30)),
            signals().given,
          ),
        ),
      );
      const outcomes = (await Promise.all(runs)).flat();
      expect(outcomes).toHaveLength(18);
      expect(outcomes.every((outcome) => outcome.ok)).toBe(true);
      expect(busiest(outcomes)).toBeLessThanOrEqual(2);
      expect(executor.hungry()).toBe(true);
    });

    test('it is not hungry while it is full', async () => {
      const executor = await open(2);
      expect(executor.hungry()).toBe(true);
      const { abort, given } = signals();
      const seen: boolean[] = [];
      const tasks = [subject.slow(1, 30), ...lines(20).map((line) => subject.slow(line + 1, 60_000))];
      await collect(executor.run(tasks, given), () => {
        seen.push(executor.hungry());
        abort.abort();
      });
      expect(seen[0]).toBe(false);
    });

    test('disposing twice is harmless, and ends what is under way', async () => {
      const executor = await open(2);
      const outcomes = collect(executor.run([subject.slow(1, 30), subject.slow(2, 60_000)], signals().given), () => {
        void executor[Symbol.asyncDispose]();
      });
      expect(await outcomes).toMatchObject([
        { line: 1, ok: true },
        { line: 2, ok: false, kind: 'cancelled' },
      ]);
      await executor[Symbol.asyncDispose]();
      await executor[Symbol.asyncDispose]();
    });
  });
};
