import { Type } from 'typebox';
import { Value } from 'typebox/value';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import type { ModelSpec } from '../models/models.ts';
import { ModelFacts } from '../vetting/facts.ts';
import type { Facts } from './layout.ts';

/** What of a version's `metadata` is of use here; versions that were vetted by another Sluice may have less. */
const Known = Type.Object({ batching: ModelFacts.properties.batching, memory_bytes: ModelFacts.properties.memory_bytes });

const metadataOf = (db: Db, no: number): Promise<{ metadata: unknown } | null> =>
  db.maybe<{ metadata: unknown }>(sql`select metadata from model_versions where no = ${no}`);

/** What vetting found out about a registered version; null for a declared one, and where it is not known. */
export const readFacts = async (db: Db, { no }: ModelSpec): Promise<Facts | null> => {
  const row = no === undefined ? null : await metadataOf(db, no);
  if (!row || !Value.Check(Known, row.metadata)) return null;
  const { batching, memory_bytes } = row.metadata;
  const { inputs, outputs, safe, max_rows } = batching;
  return { inputs, outputs, safe, maxRows: max_rows, memoryBytes: memory_bytes };
};
