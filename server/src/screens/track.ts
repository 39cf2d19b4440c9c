import type { ScreenSummary } from '@sluice/contract';
import { batchColumns, type BatchRow } from '../batches/rows.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { messageOf } from '../lib/errors.ts';
import { shownKey } from '../models/keys.ts';
import type { ScreenSpec } from './create.ts';
import type { Mlflow, TrackedRun } from './mlflow.ts';

export interface TrackDeps {
  db: Db;
  mlflow: Mlflow;
  /** This Sluice as people reach it, for links; null: paths alone. */
  publicUrl: string | null;
}

/** Tries before a run is given up; they are a minute apart, then two, four, … */
const maxTries = 8;

type Row = BatchRow & { spec: ScreenSpec; summary: ScreenSummary };

/** Tracks the next screen that was gathered, as a run. A tracker that is away costs tries, and never the screen. */
export const trackNext = async ({
  db,
  mlflow,
  publicUrl,
}: TrackDeps): Promise<{ batchId: string; run: string | null; error: string | null } | null> => {
  const screen = await db.maybe<Row>(sql`
    update screens s
    set track_tries = track_tries + 1, track_after = now() + make_interval(mins => (2 ^ s.track_tries)::int)
    from batches b
    where b.no = s.batch_no and s.batch_no = (
      select batch_no from screens
      where gathered_at is not null and summary is not null and tracked_at is null and track_after <= now() and track_tries < ${maxTries}
      order by track_after limit 1 for update skip locked)
    returning ${batchColumns}, s.spec, s.summary`);
  if (screen === null) return null;
  try {
    const run = await mlflow.track(runOf(screen, publicUrl ?? ''));
    await db.run(sql`update screens set run_id = ${run}, tracked_at = now(), track_error = null where batch_no = ${screen.no}`);
    return { batchId: screen.id, run, error: null };
  } catch (error) {
    const reason = messageOf(error).slice(0, 500);
    await db.run(sql`update screens set track_error = ${reason} where batch_no = ${screen.no}`);
    return { batchId: screen.id, run: null, error: reason };
  }
};

const statuses: Record<string, TrackedRun['status']> = { completed: 'FINISHED', cancelled: 'KILLED' };

const runOf = (screen: Row, base: string): TrackedRun => {
  const { spec, summary } = screen;
  const parameters = Object.entries(spec.parameters).flatMap(([name, value]) =>
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? [[`parameters.${name}`, value] as const] : [],
  );
  const statistics = Object.entries(summary.statistics).flatMap(([figure, stats]) =>
    stats === null ? [] : (['mean', 'min', 'median', 'max'] as const).map((name) => [`${figure}.${name}`, stats[name]] as const),
  );
  const [probability, pic50] = [summary.top_by_probability[0], summary.top_by_pic50[0]];
  const ended = screen.completed_at ?? screen.expired_at ?? screen.cancelled_at ?? screen.created_at;
  return {
    batchId: screen.id,
    name: screen.name ?? screen.id,
    user: screen.created_by,
    startedAt: Math.round(screen.created_at * 1_000),
    endedAt: Math.round(ended * 1_000),
    status: statuses[screen.status] ?? 'FAILED',
    params: {
      model: screen.model === null ? '' : shownKey(screen.model),
      ligands: spec.ligands,
      proteins: spec.proteins.length,
      residues: spec.proteins.reduce((sum, { residues }) => sum + residues, 0),
      affinity: spec.affinity,
      ...Object.fromEntries(parameters),
    },
    metrics: {
      ...Object.fromEntries(Object.entries(summary.by_status).map(([status, count]) => [`ligands.${status}`, count])),
      ...Object.fromEntries(statistics),
    },
    tags: {
      'sluice.screen': `${base}/v1/screens/${screen.id}`,
      'sluice.results_csv': `${base}/v1/batches/${screen.id}/artifacts/batch_results.csv`,
      'sluice.summary': `${base}/v1/batches/${screen.id}/artifacts/summary.json`,
      'sluice.archive': `${base}/v1/archive/${screen.id}`,
      ...(probability && { 'sluice.best_by_probability': probability.id }),
      ...(pic50 && { 'sluice.best_by_pic50': pic50.id }),
    },
  };
};
