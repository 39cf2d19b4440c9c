import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import type { ModelSpec } from '../models/models.ts';

/**
 * Keeps the registered ones of some versions from being deleted until the transaction ends: whoever writes down work
 * for them calls it first, and a delete that waited for it then sees that work. Gives the first that is gone already;
 * null: all are there.
 */
export const holdVersions = async (tx: Db, models: readonly ModelSpec[]): Promise<ModelSpec | null> => {
  const registered = models.filter(({ no }) => no !== undefined);
  if (registered.length === 0) return null;
  const rows = await tx.many<{ no: number }>(
    sql`select no from model_versions where no = any(${registered.map(({ no }) => no)}::bigint[]) order by no for key share`,
  );
  const there = new Set(rows.map(({ no }) => no));
  return registered.find(({ no }) => !there.has(no!)) ?? null;
};
