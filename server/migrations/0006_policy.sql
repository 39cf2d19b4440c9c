-- What the policy is fed with, and what it tells: strategies, measured times, where work went and why.

-- 0: no worker is large enough for one request of it (`resource_aware`)
alter table batches drop constraint batches_width_check;
alter table batches add check (width >= 0);
-- [{at, pool, reason}]: each time its work was given to other workers
alter table batches add column pool_history jsonb not null default '[]';

-- what it has for requests that declare what they need
alter table workers add column room_bytes bigint not null default 0 check (room_bytes >= 0);
alter table workers add column room_gpus double precision not null default 0 check (room_gpus >= 0);
-- who told it to end: signal, file, endpoint, api; lost: nobody, it was not heard of any more. And whether that is counted.
alter table workers add column interrupted_by text;
alter table workers add column interruption_counted boolean not null default false;

-- only workers of this pool take it; null: of any pool of its kind
alter table turns add column pool text;
-- the plan in it: a claim finds its turn without a look at those of older plans
drop index turns_next;
create index turns_next on turns (kind, model, plan, no);

-- of the reports that `rate` is the mean of
alter table model_rates add column variance double precision not null default 0 check (variance >= 0);
-- the same, of workers of one kind
create table pool_rates (
  model      text not null,
  kind       text not null check (kind in ('spot', 'dedicated')),
  rate       double precision not null check (rate > 0),
  variance   double precision not null default 0 check (variance >= 0),
  settled    bigint not null,
  updated_at timestamptz not null default now(),
  primary key (model, kind)
);

-- How long things took, or how far off an estimate was: counts by classes that grow by a fifth of an octave, older ones
-- weighing less (policy/spread.ts).
create table spreads (
  what       text not null check (what in ('request', 'finalize', 'estimate')),
  model      text not null default '',
  counts     double precision[] not null,
  updated_at timestamptz not null default now(),
  primary key (what, model)
);

-- Chunks that workers gave up before they were through: one row for all of their requests.
create table interruptions (
  id        bigint generated always as identity primary key,
  batch_no  bigint not null references batches (no) on delete cascade,
  lines     int4multirange not null,
  kind      text not null check (kind in ('lost', 'drained')),
  worker_id text,
  pool      text,
  at        timestamptz not null default now()
);
create index interruptions_batch on interruptions (batch_no);
