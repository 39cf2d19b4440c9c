import type { Admit } from '../batches/admission.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { admit, type Admission, type AdmissionMode } from '../policy/admission.ts';
import { lineOf, marketOf, toDemand, type ControllerOptions } from './controller.ts';
import { readDemand, readFleet } from './reading.ts';

/**
 * Whether a batch's deadline can be promised, by the live demand of all that is accepted. Intake asks it before it lets
 * a batch in, and the preview asks it the same way, so that they cannot disagree.
 */
export const admission =
  (mode: AdmissionMode, options: ControllerOptions): Admit =>
  async (db: Db, candidate) => {
    if (mode === 'off') return { admitted: true, refused: null };
    const { now } = await db.one<{ now: number }>(sql`select extract(epoch from now())::float8 as now`);
    const [fleet, rows] = [await readFleet(db, options.leaseSeconds), await readDemand(db)];
    for (const { model, count } of candidate.models) {
      const { rate, measured } = options.rateOf(model);
      const verdict: Admission = admit({
        now,
        mode,
        market: marketOf(model, fleet, options, measured),
        demands: rows.filter((row) => row.model === model && row.batch_id !== candidate.batch).map((row) => toDemand(row, rate)),
        candidate: { batch: candidate.batch, deadline: candidate.deadline, work: count / rate, requests: count, width: candidate.width },
        factor: lineOf(options).factor,
      });
      if (verdict.result === 'window_not_feasible')
        return { admitted: false, refused: { reason: verdict.reason, earliest: verdict.earliest } };
      if (!verdict.admitted) return { admitted: false, refused: null };
    }
    return { admitted: true, refused: null };
  };
