-- Figures kept ready for pages: what was settled, by minute, and batches that have ended, counted by what one filters for.
-- Pages read a few rows of these instead of counting what may be millions.

-- Written by workers with their heartbeats, in steps of 1, 5 and 60 minutes; the finer, the shorter they are kept.
create table figures (
  tenant_id     text not null,
  minutes       smallint not null check (minutes in (1, 5, 60)),
  at            timestamptz not null,
  model         text not null,
  completed     bigint not null,
  failed        bigint not null,
  retried       bigint not null,
  -- of the completed ones, those that were not run
  copied        bigint not null,
  input_tokens  bigint not null,
  output_tokens bigint not null,
  -- what those that ran took together, and how that was spread: see policy/spread.ts
  busy_ms       double precision not null,
  spread        integer[] not null,
  primary key (tenant_id, minutes, at, model)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

-- What pages show and filter by; a batch that asked for no pool shows where its work was given last.
create function batch_pool(options jsonb, history jsonb) returns text immutable parallel safe language sql
  return coalesce(options ->> 'pool', history -> -1 ->> 'pool', '');

-- Batches that have ended. Open ones are few, and counted where they stand.
create table batch_counts (
  tenant_id text not null,
  status    text not null,
  -- all of its models, in order, with commas between
  models    text not null,
  owner     text not null,
  pool      text not null,
  priority  smallint not null,
  sla       text not null check (sla in ('met', 'breached', '')),
  count     bigint not null,
  primary key (tenant_id, status, models, owner, pool, priority, sla)
) with (fillfactor = 70);

-- One more, or one less. They are added to the counts now and then, so that batches that end side by side do not wait
-- for one another; whoever reads adds what is still here.
create table batch_count_changes (
  id        bigint generated always as identity primary key,
  tenant_id text not null,
  status    text not null,
  models    text not null,
  owner     text not null,
  pool      text not null,
  priority  smallint not null,
  sla       text not null,
  count     smallint not null check (count in (1, -1)),
  at        timestamptz not null default now()
);
create index batch_count_changes_tenant on batch_count_changes (tenant_id);

-- By the hour in which they ended.
create table batch_ends (
  tenant_id text not null,
  hour      timestamptz not null,
  met       bigint not null,
  breached  bigint not null,
  other     bigint not null,
  primary key (tenant_id, hour)
) with (fillfactor = 70);

create function batch_sla(status text, completed_at timestamptz, deadline timestamptz) returns text immutable parallel safe language sql
  return case when status = 'expired' or completed_at > deadline then 'breached' when status = 'completed' then 'met' else '' end;

create function count_batch() returns trigger language plpgsql as $$
declare
  b batches := case when tg_op = 'DELETE' then old else new end;
begin
  insert into batch_count_changes (tenant_id, status, models, owner, pool, priority, sla, count)
  values (b.tenant_id, b.status,
    coalesce((select string_agg(model, ',' order by model) from batch_models where batch_no = b.no), b.model, ''),
    b.created_by, batch_pool(b.options, b.pool_history), b.priority, batch_sla(b.status, b.completed_at, b.deadline),
    case when tg_op = 'DELETE' then -1 else 1 end);
  return b;
end $$;

create trigger batch_ended after update of status on batches for each row
  when (old.status is distinct from new.status and new.status in ('completed', 'failed', 'expired', 'cancelled'))
  execute function count_batch();
-- before, while its models are there
create trigger batch_deleted before delete on batches for each row
  when (old.status in ('completed', 'failed', 'expired', 'cancelled'))
  execute function count_batch();

-- What was there before.
insert into batch_counts (tenant_id, status, models, owner, pool, priority, sla, count)
select b.tenant_id, b.status, coalesce(m.models, b.model, ''), b.created_by, batch_pool(b.options, b.pool_history), b.priority,
  batch_sla(b.status, b.completed_at, b.deadline), count(*)
from batches b left join (select batch_no, string_agg(model, ',' order by model) as models from batch_models group by 1) m on m.batch_no = b.no
where b.status in ('completed', 'failed', 'expired', 'cancelled')
group by 1, 2, 3, 4, 5, 6, 7;

insert into batch_ends (tenant_id, hour, met, breached, other)
select tenant_id, date_trunc('hour', ended), count(*) filter (where sla = 'met'), count(*) filter (where sla = 'breached'), count(*) filter (where sla = '')
from (
  select tenant_id, batch_sla(status, completed_at, deadline) as sla, coalesce(completed_at, failed_at, expired_at, cancelled_at) as ended
  from batches where coalesce(completed_at, failed_at, expired_at, cancelled_at) > now() - interval '35 days') b
group by 1, 2;

-- Failed requests by cause, as they come: a row for each cause of each statement that wrote some. Who asks why a batch
-- failed adds up some thousand rows, not a million.
create table failure_causes (
  id         bigint generated always as identity primary key,
  tenant_id  text not null,
  batch_no   bigint not null references batches (no) on delete cascade,
  model      text not null,
  code       text not null,
  -- as deadletters/filter.ts words it
  cause      text not null,
  count      integer not null check (count > 0),
  dead       integer not null,
  first_seen timestamptz not null,
  last_seen  timestamptz not null,
  -- one of them
  line       integer not null
);
create index failure_causes_batch on failure_causes (batch_no);
create index failure_causes_recent on failure_causes (tenant_id, last_seen);

create function cause_of(message text) returns text immutable parallel safe language sql
  return left(regexp_replace(regexp_replace(regexp_replace(message,
    '"[^"]*"|(?<![[:alnum:]])''[^'']*''|`[^`]*`', '…', 'g'),
    '(?<![[:alnum:]_-])(?![45][0-9][0-9](?![[:alnum:]_-]))[[:alpha:]_-]*[0-9][[:alnum:]_-]*', '#', 'g'),
    '\s+', ' ', 'g'), 300);

create function count_causes() returns trigger language plpgsql as $$
begin
  insert into failure_causes (tenant_id, batch_no, model, code, cause, count, dead, first_seen, last_seen, line)
  select b.tenant_id, r.batch_no, r.model, r.code, cause_of(r.message), count(*), count(*) filter (where r.state = 'dead_lettered'),
    min(r.settled_at), max(r.settled_at), min(r.line)
  from written r join batches b on b.no = r.batch_no
  where r.state in ('failed', 'dead_lettered')
  group by 1, 2, 3, 4, 5;
  return null;
end $$;

create trigger causes_counted after insert on requests referencing new table as written for each statement execute function count_causes();

insert into failure_causes (tenant_id, batch_no, model, code, cause, count, dead, first_seen, last_seen, line)
select b.tenant_id, r.batch_no, r.model, r.code, cause_of(r.message), count(*), count(*) filter (where r.state = 'dead_lettered'),
  min(r.settled_at), max(r.settled_at), min(r.line)
from requests r join batches b on b.no = r.batch_no
where r.state in ('failed', 'dead_lettered')
group by 1, 2, 3, 4, 5;
