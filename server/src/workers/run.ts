import type { Db } from '../db/db.ts';
import { LoadError, type Executor, type Outcome, type RunSignals, type Task } from '../executors/executor.ts';
import type { ModelSpec } from '../models/models.ts';
import { withoutLines } from '../formats/lines.ts';
import { attemptsOf, giveBackLines, release, type Lease } from '../requests/claim.ts';
import { announceChunks, announceTurns, lossLimit } from '../requests/queue.ts';
import type { Storage } from '../storage/storage.ts';
import type { LoadedModels } from './loaded.ts';
import type { Settler } from './settler.ts';
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
}

/** Runs one lease to its end: until every line is settled, or it must stop, or it is lost. Returns how it ended. */
export const runLease = async (
  { db, storage, loaded }: RunDeps,
  { lease, model, settler, stop, abort }: Running,
): Promise<'done' | 'released' | 'lost'> => {
  const started = new Set<number>();
  const signals = {
    stop: AbortSignal.any([stop.signal, abort.signal]),
    abort: abort.signal,
    started: (line: number) => void started.add(line),
  };
  // At once, and not when what is under way has ended: that may take minutes, and others have nothing to do.
  const giving: Promise<void>[] = [];
  const giveRest = (): void => void giving.push(giveUnstarted(db, lease, started).catch(() => {}));
  if (stop.signal.aborted) giveRest();
  else stop.signal.addEventListener('abort', giveRest, { once: true });
  try {
    const attempts = lease.retry ? await attemptsOf(db, lease) : new Map<number, number>();
    await loaded.use(model, async (executor) => {
      for await (const tasks of readTasks(storage, lease, attempts)) {
        if (signals.stop.aborted || settler.state !== 'open') return;
        // A chunk that has cost several workers their lives goes a line at a time, so that the next death has a name.
        if (lease.losses >= lossLimit) for (const task of tasks) await runTasks(executor, [task], signals, settler, true);
        else await runTasks(executor, tasks, signals, settler, false);
      }
    });
  } catch (error) {
    stop.signal.removeEventListener('abort', giveRest);
    await Promise.all(giving);
    if (!(error instanceof LoadError)) {
      await giveBack(db, lease, settler);
      throw error;
    }
    for await (const tasks of readTasks(storage, lease, new Map()))
      await settler.add(
        byLine(tasks),
        tasks.map((task) => unloadable(task, error)),
      );
  }
  stop.signal.removeEventListener('abort', giveRest);
  await Promise.all(giving);
  return giveBack(db, lease, settler);
};

/** Gives back the lines that have not been started, when a worker stops; those under way stay in the lease. */
const giveUnstarted = async (db: Db, lease: Lease, started: ReadonlySet<number>): Promise<void> => {
  // None is started where the model is still being loaded: then the chunk goes back whole.
  if (started.size === 0) await release(db, lease);
  else if (
    (await giveBackLines(
      db,
      lease,
      withoutLines(lease.lines, (line) => started.has(line)),
    )) === 'kept'
  )
    return;
  await announceTurns(db);
  await announceChunks(db);
};

const byLine = (tasks: readonly LineTask[]): Map<number, LineTask> => new Map(tasks.map((task) => [task.line, task]));

const runTasks = async (executor: Executor, tasks: LineTask[], signals: RunSignals, settler: Settler, flush: boolean): Promise<void> => {
  const known = byLine(tasks);
  for await (const outcomes of executor.run(tasks, signals)) {
    await settler.add(known, outcomes);
    for (const { line } of outcomes) known.get(line)?.forget();
    if (settler.state === 'lost') return;
  }
  if (flush) await settler.flush();
};

const giveBack = async (db: Db, lease: Lease, settler: Settler): Promise<'done' | 'released' | 'lost'> => {
  try {
    await settler.flush();
  } finally {
    if (settler.state === 'open') await release(db, lease);
  }
  return settler.state === 'open' ? 'released' : settler.state;
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
