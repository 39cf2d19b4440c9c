-- The scheduler: pools of workers, whose turn it is, what is promised.

-- The pools of the configuration, and what the policy wants of them. `decided` is what the policy remembers.
create table pools (
  name            text primary key,
  preemptible     boolean not null,
  -- per worker-hour, in whatever currency
  price           double precision not null check (price >= 0),
  minimum         integer not null check (minimum >= 0),
  maximum         integer not null check (maximum >= minimum),
  backlog_ratio   double precision not null check (backlog_ratio > 0),
  startup_seconds double precision not null check (startup_seconds >= 0),
  desired         integer not null default 0,
  reason          text not null default '',
  decided_at      timestamptz
);

-- What the policy decided last for each model, to remember and to show. `at_risk` holds batches in order.
create table targets (
  model      text primary key,
  decided    jsonb not null,
  decided_at timestamptz not null default now()
);

-- What each tenant was served, over its weight: the tenant with the least is next.
create table accounts (
  tenant_id text primary key,
  counter   double precision not null default 0,
  weight    double precision not null default 1 check (weight > 0),
  -- has work waiting: who comes back with work does not come back with turns saved up
  active    boolean not null default false
);

-- The next claims, in order: planned by the scheduler that leads, taken one each by workers.
create table turns (
  no         bigint generated always as identity primary key,
  -- those of an older plan than `plan.current` no longer count
  plan       bigint not null,
  kind       text not null check (kind in ('spot', 'dedicated')),
  model      text not null,
  batch_no   bigint not null references batches (no) on delete cascade,
  tenant_id  text not null,
  work       double precision not null,
  why        text not null
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
create index turns_next on turns (kind, model, no);

-- When turns were planned last. Where that is long ago, workers claim by themselves rather than stand still.
create table plan (
  one        boolean primary key default true check (one),
  current    bigint not null default 0,
  planned_at timestamptz not null default '-infinity'
);
insert into plan default values;

alter table workers add column kind text not null default 'dedicated' check (kind in ('spot', 'dedicated'));
-- asked to take nothing more; it acts on it at its next heartbeat
alter table workers add column drain_requested_at timestamptz;

alter table batches add column lane text not null default 'bulk' check (lane in ('interactive', 'jobs', 'bulk'));
-- false: accepted with a warning, its deadline is not promised
alter table batches add column admitted boolean not null default true;
alter table batches add column at_risk boolean not null default false;
alter table batches add column escalated_at timestamptz;
alter table batches add column forecast_p50 timestamptz;
alter table batches add column forecast_p90 timestamptz;
-- requests it may have in flight; null: any number
alter table batches add column width integer check (width > 0);
-- of strategy `adaptive`: the controller's state
alter table batches add column adaptive jsonb;

-- where a chunk runs or ran, and under which promise
alter table chunks add column kind text check (kind in ('spot', 'dedicated'));
alter table segments add column pool text not null default 'dedicated';

create index chunks_turn on chunks (batch_no, model, id) where state = 'queued';

create function line_count(lines int4multirange) returns integer language sql immutable parallel safe
  return (select coalesce(sum(upper(r) - lower(r)), 0) from unnest(lines) r);
-- requests that have not settled: counted when they change, not whenever somebody asks
alter table chunks add column requests integer not null generated always as (line_count(lines)) stored;
