import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';

/** Told of how far the check of an input is: rows or lines that were checked, out of how many where that is known. */
export type OnChecked = (checked: number, total: number | null) => void;

/** Milliseconds between two times that it is written down. */
const often = 1_000;

/** Writes down how far the check of a batch is, for its holder alone. @returns 1, or 0 where the lease is lost */
const writeChecked = (db: Db, { no, token }: { no: number; token: number }, checked: number, total: number | null): Promise<number> =>
  db.run(sql`update batches set checked = ${checked}, to_check = ${total} where no = ${no} and token = ${token} and status = 'validating'`);

/** Keeps what is written of a batch's check true to a second. Of what is checked in less than that, nothing is. */
export const keepChecked = (db: Db, batch: { no: number; token: number }): OnChecked => {
  let shown = 0;
  let writtenAt = performance.now();
  let writing = false;
  return (checked, total) => {
    // The lines that are made of a table are gone through once its rows are checked, from the first one on.
    if (checked <= shown || writing || performance.now() - writtenAt < often) return;
    shown = checked;
    writing = true;
    void writeChecked(db, batch, checked, total)
      // Nobody's work depends on it.
      .catch(() => {})
      .finally(() => {
        writing = false;
        writtenAt = performance.now();
      });
  };
};
