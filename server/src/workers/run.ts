import type { Db } from '../db/db.ts';
import { LoadError, type Executor, type Outcome, type RunSignals, type Task } from '../executors/executor.ts';
import type { ModelSpec } from '../models/models.ts';
import { withoutLines } from '../formats/lines.ts';
import { attemptsOf, giveBackLines, release, type Lease } from '../requests/claim.ts';
import { announceChunks, announceTurns, lossLimit } from '../requests/queue.ts';
import type { Storage } from '../storage/storage.ts';
import type { LoadedModels } from './loaded.ts';
import { runNarrow, type Narrow } from './narrow.ts';
import type { Reuse } from './reuse.ts';
import type { Hit, Notes, Settler } from './settler.ts';
import { sameOf, type Same } from './same.ts';
import { readTasks, type LineTask } from './tasks.ts';

export interface RunDeps {
  db: Db;
  storage: Storage;
  loaded: LoadedModels;
}

/** A lease being worked on, and the ways to end it. */
export interface Running {
  lease: Lease;
  model: ModelSpec;
  settler: Settler;
  stop: AbortController;
  abort: AbortController;
  /** How its batch is to be run, where it may not be as wide as the executor makes it; null: it may. */
  narrow: Narrow | null;
  /** Answers that are there already; null: nobody looks for them. */
  reuse: Reuse | null;
}

/** Runs one lease to its end: until every line is settled, or it must stop, or it is lost. Returns how it ended. */
export const runLease = async (
  { db, storage, loaded }: RunDeps,
  { lease, model, settler, stop, abort, narrow, reuse }: Running,
): Promise<'done' | 'released' | 'lost'> => {
  const started = new Set<number>();
  const signals = {
    stop: AbortSignal.any([stop.signal, abort.signal]),
    abort: abort.signal,
    lane: lease.lane,
    started: (line: number) => void started.add(line),
  };
  // At once, and not when what is under way has ended: that may take minutes, and others have nothing to do.
  const giving: Promise<'whole' | 'part' | 'nothing'>[] = [];
  const giveRest = (): void => void giving.push(giveUnstarted(db, lease, started, why(stop)).catch(() => 'nothing' as const));
  if (stop.signal.aborted) giveRest();
  else stop.signal.addEventListener('abort', giveRest, { once: true });
  try {
    const attempts = lease.retry ? await attemptsOf(db, lease) : new Map<number, number>();
    await loaded.use(model, async (executor) => {
      for await (const tasks of readTasks(storage, lease, attempts)) {
        if (signals.stop.aborted || settler.state !== 'open') return;
        // A chunk that has cost several workers their lives goes a line at a time, so that the next death has a name.
        if (lease.losses >= lossLimit) for (const task of tasks) await runTasks(executor, [task], signals, settler, true);
        else {
          // Whoever serves a language model has the beginning of the prompt before still at hand.
          if (model.executor === 'openai' && lease.strategy !== 'sequential') tasks.sort((a, b) => a.comparePrompt(b) || a.line - b.line);
          const { run, ...notes } = await sortOut(executor, sameOf(tasks), signals, { settler, reuse });
          const left: LineTask[] = [];
          if (!(await runGroup(executor, run, signals, { settler, narrow, notes, left }))) return;
          if (left.length > 0 && !(await runGroup(executor, left, signals, { settler, narrow, notes: {} }))) return;
        }
      }
    });
  } catch (error) {
    stop.signal.removeEventListener('abort', giveRest);
    const given = await Promise.all(giving);
    if (!(error instanceof LoadError)) {
      await giveBack(db, lease, settler, why(stop), given.includes('whole'));
      throw error;
    }
    for await (const tasks of readTasks(storage, lease, new Map()))
      await settler.add(
        byLine(tasks),
        tasks.map((task) => unloadable(task, error)),
      );
  }
  stop.signal.removeEventListener('abort', giveRest);
  const given = await Promise.all(giving);
  return giveBack(db, lease, settler, why(stop), given.includes('whole'));
};

/** Why a lease is given back before it is through, where that is worth a note. */
const why = (stop: AbortController): 'drained' | null => (stop.signal.reason === 'drained' ? 'drained' : null);

/**
 * Gives back the lines that have not been started, when a worker stops; those under way stay in the lease.
 *
 * @returns `whole` where the lease ended with it
 */
const giveUnstarted = async (
  db: Db,
  lease: Lease,
  started: ReadonlySet<number>,
  note: 'drained' | null,
): Promise<'whole' | 'part' | 'nothing'> => {
  // None is started where the model is still being loaded: then the chunk goes back whole.
  const whole = started.size === 0;
  const unstarted = withoutLines(lease.lines, (line) => started.has(line));
  const given = whole ? await release(db, lease, note) : await giveBackLines(db, lease, unstarted, note);
  if (given === 'lost' || given === 'kept') return 'nothing';
  await announceTurns(db);
  await announceChunks(db);
  return whole ? 'whole' : 'part';
};

const byLine = (tasks: readonly LineTask[]): Map<number, LineTask> => new Map(tasks.map((task) => [task.line, task]));

interface Ways {
  settler: Settler;
  narrow: Narrow | null;
  notes: Notes<LineTask>;
  /** Gets the followers of what failed for good. */
  left?: LineTask[];
}

/** @returns false where the rest of the chunk must not run now */
const runGroup = async (
  executor: Executor,
  tasks: LineTask[],
  signals: RunSignals,
  { settler, narrow, notes, left }: Ways,
): Promise<boolean> => {
  const all = withFollowers(signals, notes.followers);
  const run = (some: LineTask[]) => runTasks(executor, some, all, settler, false, notes, left);
  if (narrow !== null) return runNarrow(tasks, narrow, signals.stop, (task) => run([task]));
  await run(tasks);
  return true;
};

/** Settles what has an answer already, and gives the rest. */
const sortOut = async (
  executor: Executor,
  group: Same,
  signals: RunSignals,
  { settler, reuse }: Pick<Running, 'settler' | 'reuse'>,
): Promise<Same & Notes<LineTask>> => {
  if (reuse === null) return group;
  const sorted = await reuse.sort(executor, group, signals);
  // What was given back while they were looked up is somebody else's now.
  if (signals.stop.aborted) return { ...group, run: [] };
  const { started } = withFollowers(signals, sorted.followers);
  for (const { task } of sorted.found) started?.(task.line);
  const missing = new Set(sorted.found.map(({ task }) => task));
  try {
    await settler.copy(counted(reuse.hits(sorted), missing));
  } catch (error) {
    reuse.failed(error);
  }
  const { run, followers, kept } = sorted;
  // An answer whose batch was deleted meanwhile is made anew.
  return { run: missing.size === 0 ? run : [...run, ...missing], followers, kept };
};

/** The hits as they come; those whose own task has come are no longer missing. */
async function* counted(hits: AsyncIterable<Hit<LineTask>>, missing: Set<LineTask>): AsyncGenerator<Hit<LineTask>> {
  for await (const hit of hits) {
    missing.delete(hit.task);
    yield hit;
  }
}

/** Who follows a request begins with it: given back meanwhile to run elsewhere, it would be settled twice. */
const withFollowers = (signals: RunSignals, followers: Same['followers'] | undefined): RunSignals =>
  followers === undefined || followers.size === 0
    ? signals
    : {
        ...signals,
        started: (line) => {
          signals.started?.(line);
          for (const follower of followers.get(line) ?? []) signals.started?.(follower.line);
        },
      };

/** @returns the last outcomes that came: all of them, where there was one task */
const runTasks = async (
  executor: Executor,
  tasks: LineTask[],
  signals: RunSignals,
  settler: Settler,
  flush: boolean,
  notes: Notes<LineTask> = {},
  left?: LineTask[],
): Promise<readonly Outcome[]> => {
  const known = byLine(tasks);
  let last: readonly Outcome[] = [];
  for await (const outcomes of executor.run(tasks, signals)) {
    const alone = await settler.add(known, outcomes, notes);
    left?.push(...alone);
    for (const { line } of outcomes) known.get(line)?.forget();
    last = outcomes;
    if (settler.state === 'lost') return last;
  }
  if (flush) await settler.flush();
  return last;
};

/** Settles what is left to settle and ends the lease, unless it was given back `whole` before. */
const giveBack = async (
  db: Db,
  lease: Lease,
  settler: Settler,
  note: 'drained' | null,
  whole: boolean,
): Promise<'done' | 'released' | 'lost'> => {
  let how: 'released' | 'lost' = 'released';
  try {
    await settler.flush();
  } finally {
    if (settler.state === 'open' && !whole) how = await release(db, lease, note);
  }
  return settler.state === 'open' ? how : settler.state;
};

const unloadable = (task: Task, error: LoadError): Outcome => ({
  line: task.line,
  ok: false,
  kind: 'permanent',
  code: 'model_not_ready',
  message: `The model could not be loaded: ${error.message}`,
  startedAt: Date.now(),
  ms: 0,
});
