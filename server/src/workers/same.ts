import type { LineTask } from './tasks.ts';

/**
 * Requests of a group that ask for the same: the first of each kind is run, the others follow it. When it succeeds they
 * get its answer; while it waits for another attempt they wait with it, uncharged; when it has failed for good they run
 * themselves, for a failure is never copied. What was only likely when the input was taken in is compared here byte by byte.
 */
export interface Same {
  /** What is to be run, in order. */
  run: LineTask[];
  /** By the line of what they follow. */
  followers: ReadonlyMap<number, readonly LineTask[]>;
}

const nobody: Same['followers'] = new Map();

export const sameOf = (tasks: LineTask[]): Same => {
  if (tasks.every(({ first, line }) => first === line)) return { run: tasks, followers: nobody };
  const run: LineTask[] = [];
  const leaders = new Map<number, LineTask>();
  const followers = new Map<number, LineTask[]>();
  for (const task of tasks) {
    const leader = leaders.get(task.first);
    if (leader?.same(task)) {
      const own = followers.get(leader.line);
      if (own) own.push(task);
      else followers.set(leader.line, [task]);
      continue;
    }
    // What the first of them follows may be in another chunk; then they follow the first that is here.
    if (!leader) leaders.set(task.first, task);
    run.push(task);
  }
  return { run, followers };
};
