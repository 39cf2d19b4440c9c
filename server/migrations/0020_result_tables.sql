-- Tables of results: one row per line of the input, what went in beside what came out, as Parquet. A batch on /v1/predict
-- gets one when it ends; others when somebody asks.

create table result_tables (
  batch_no     bigint primary key references batches on delete cascade,
  state        text not null default 'queued' check (state in ('queued', 'building', 'ready', 'failed', 'expired')),
  -- of what is being built: fences late writes
  token        bigint,
  leased_until timestamptz,
  tries        integer not null default 0,
  not_before   timestamptz not null default now(),
  -- why it failed or is no more
  reason       text,
  storage_key  text,
  bytes        bigint,
  rows         bigint,
  sha256       text,
  columns      jsonb,
  created_at   timestamptz not null default now(),
  built_at     timestamptz,
  check ((state = 'building') = (token is not null)),
  check ((state = 'ready') = (storage_key is not null)),
  check (state <> 'ready' or (bytes is not null and rows is not null and sha256 is not null and columns is not null)),
  check (state not in ('failed', 'expired') or reason is not null)
);
create index result_tables_due on result_tables (not_before) where state in ('queued', 'building');
create index result_tables_ready on result_tables (batch_no) where state = 'ready';
