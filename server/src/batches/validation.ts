import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';

/** Says how far the check of an input is: rows or lines that were checked, out of how many where that is known. */
export type Checking = (checked: number, total: number | null) => void;

/** Milliseconds between two times that it is written down. */
const often = 1_000;

/** Writes down how far the check of a batch is, once a second; what is checked in less than that has nothing written. */
export const tellChecking = (db: Db, { no, token }: { no: number; token: number }): Checking => {
  let most = 0;
  let writtenAt = performance.now();
  let writing = false;
  return (checked, total) => {
    // What was made of the rows of a table is gone through again.
    if (checked <= most) return;
    most = checked;
    if (writing || performance.now() - writtenAt < often) return;
    writing = true;
    void db
      .run(
        sql`update batches set checked = ${checked}, to_check = ${total} where no = ${no} and token = ${token} and status = 'validating'`,
      )
      // Nobody's work depends on it.
      .catch(() => {})
      .finally(() => {
        writing = false;
        writtenAt = performance.now();
      });
  };
};
