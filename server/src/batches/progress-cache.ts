import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { childrenOf } from './children.ts';
import { parentProgress } from './parents.ts';
import { progressOf } from './progress.ts';
import type { BatchRow, Progress } from './rows.ts';

type Which = Pick<BatchRow, 'no' | 'status' | 'kind' | 'total'>;

const runs = ({ status }: Which): boolean => status === 'in_progress' || status === 'finalizing' || status === 'cancelling';

/** How far those of the batches that run have come; a parent by the lines of its children. */
export const progressOfEach = async (db: Db, batches: readonly Which[]): Promise<Map<number, Progress>> => {
  const running = batches.filter(runs);
  const parents = running.filter(({ kind }) => kind === 'parent');
  const [found, children] = await Promise.all([
    progressOf(
      db,
      running.filter(({ kind }) => kind !== 'parent').map(({ no }) => no),
    ),
    childrenOf(
      db,
      parents.map(({ no }) => no),
    ),
  ]);
  for (const parent of parents)
    found.set(
      parent.no,
      await parentProgress(
        db,
        parent,
        children.filter(({ parent_no }) => parent_no === parent.no),
      ),
    );
  return found;
};

/** So many running batches a page shows at once; the sum walks over all chunks of each. */
const shown = 20;

/** How far the tenant's newest running batches have come, as events say it. */
export const newestProgress = async (db: Db, tenant: string) => {
  const running = await db.many<Which & { id: string }>(sql`
    select no, id, status, kind, total from batches
    where tenant_id = ${tenant} and status in ('in_progress', 'finalizing', 'cancelling') order by no desc limit ${shown}`);
  const found = await progressOfEach(db, running);
  return running.flatMap(({ no, id, total }) => {
    const progress = found.get(no);
    return progress === undefined ? [] : [{ id, total, ...progress }];
  });
};

/** How old a running batch's progress may be, in milliseconds: the sum walks over all of its chunks. */
const maxAge = 250;

/** Progress for many readers: one sum a batch at a time, shared by whoever asks while it runs and shortly after. */
export class ProgressCache {
  readonly #db: Db;
  readonly #cached = new Map<number, { at: number; progress: Promise<Progress | null> }>();

  constructor(db: Db) {
    this.#db = db;
  }

  /** Null where the row itself says it: before intake, and once the batch has ended. */
  async of(batch: Which): Promise<Progress | null> {
    if (!runs(batch)) return null;
    const now = performance.now();
    const found = this.#cached.get(batch.no);
    if (found && now - found.at < maxAge) return found.progress;
    const progress = progressOfEach(this.#db, [batch]).then((map) => map.get(batch.no) ?? null);
    if (this.#cached.size > 1_000) this.#cached.clear();
    this.#cached.set(batch.no, { at: now, progress });
    progress.catch(() => this.#cached.delete(batch.no));
    return progress;
  }
}
