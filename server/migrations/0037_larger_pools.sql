-- Requests that ran out of memory wait for a pool that has more of it.

-- Of which memory it needs more than the pool it ran in has; and the pool it was given to before, if it was.
alter table waiting
  add column needs text check (needs in ('memory', 'gpu_memory')),
  add column ran_in text,
  add column pool text,
  add check ((needs is null) = (ran_in is null));

-- Only workers of this pool run it, since then: until the scheduler lets it go because there are none.
alter table chunks
  add column pool text,
  add column pool_since timestamptz,
  add check ((pool is null) = (pool_since is null));
create index chunks_pool on chunks (batch_no, id) where pool is not null and state in ('queued', 'leased');

-- A turn for this one chunk; null: for the next of its batch that any worker may run.
alter table turns add column chunk_id bigint;

-- `larger`: its lines moved from `pool` to `given_to`, and why.
alter table interruptions
  add column given_to text,
  add column reason text,
  drop constraint interruptions_kind_check,
  add constraint interruptions_kind_check check (kind in ('lost', 'drained', 'larger')),
  add check ((kind = 'larger') = (given_to is not null and reason is not null));

-- The same of a batch: how many of its requests moved between which pools, since when. What holds for all of it is in pool_history.
alter table batches add column outgrown jsonb not null default '[]';

-- What a worker of a pool has, as configuration says.
alter table pools add column memory_gb float8, add column gpu_memory_gb float8;
