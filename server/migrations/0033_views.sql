-- What somebody has kept of pages: lists as they filtered them, and how pages are set up for them.

create table views (
  id         text primary key,
  tenant_id  text not null,
  user_id    text not null,
  screen     text not null,
  name       text not null,
  -- what the address of a page says of it
  slug       text not null,
  query      jsonb not null,
  -- the whole tenant sees it
  shared     boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, user_id, screen, slug)
);
create index views_shared on views (tenant_id, screen) where shared;

create table settings (
  tenant_id  text not null,
  user_id    text not null,
  settings   jsonb not null,
  updated_at timestamptz not null default now(),
  primary key (tenant_id, user_id)
);

-- Batches of one of several models are part of it: it is counted, and they are not.
create or replace function count_batch() returns trigger language plpgsql as $$
declare
  b batches := case when tg_op = 'DELETE' then old else new end;
begin
  if b.parent_no is not null then
    return b;
  end if;
  insert into batch_count_changes (tenant_id, status, models, owner, pool, priority, sla, count)
  values (b.tenant_id, b.status, coalesce((select string_agg(model, ',' order by model) from batch_models where batch_no = b.no), b.model, ''),
    b.created_by, batch_pool(b.options, b.pool_history), b.priority, batch_sla(b.status, b.completed_at, b.deadline),
    case when tg_op = 'DELETE' then -1 else 1 end);
  return b;
end $$;

delete from batch_count_changes;
delete from batch_counts;
insert into batch_counts (tenant_id, status, models, owner, pool, priority, sla, count)
select b.tenant_id, b.status, coalesce(m.models, b.model, ''), b.created_by, batch_pool(b.options, b.pool_history), b.priority,
  batch_sla(b.status, b.completed_at, b.deadline), count(*)
from batches b left join (select batch_no, string_agg(model, ',' order by model) as models from batch_models group by 1) m on m.batch_no = b.no
where b.parent_no is null and b.status in ('completed', 'failed', 'expired', 'cancelled')
group by 1, 2, 3, 4, 5, 6, 7;
