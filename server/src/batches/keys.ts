import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { ofModel } from '../models/keys.ts';
import { anyOf } from './filter.ts';

/**
 * The keys of what a filter calls by name, of those that batches of the tenant ran on: by them an index is asked, and where
 * there is none, no batch needs to be looked at. First which there are at all, one step in the index for each; then whether
 * the tenant has any, by what was counted, and of what has not ended.
 */
export const keysOf = async (db: Db, tenant: string, names: readonly string[]): Promise<string[]> => {
  const rows = await db.many<{ model: string }>(sql`
    with recursive every (model) as (
      (select model from batch_models order by model limit 1)
      union all
      select (select m.model from batch_models m where m.model > every.model order by m.model limit 1) from every where every.model is not null)
    select k.model from every k
    where ${anyOf(names.map((name) => ofModel(sql`k.model`, name)))} and (
      exists (select from batch_counts c where c.tenant_id = ${tenant} and k.model = any(string_to_array(c.models, ',')))
      or exists (select from batch_count_changes c where c.tenant_id = ${tenant} and k.model = any(string_to_array(c.models, ',')))
      or exists (
        select from batches b join batch_models m on m.batch_no = b.no
        where b.tenant_id = ${tenant} and b.status in ('validating', 'in_progress', 'finalizing', 'cancelling') and m.model = k.model))`);
  return rows.map(({ model }) => model);
};
