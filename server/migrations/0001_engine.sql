-- The engine: files, uploads, batches, the request queue, events, workers.
-- Bodies live in storage; these tables hold metadata and states. Nothing is written per request at intake, and a
-- request that simply succeeds has no row of its own: its record is in its segment's manifest.

create sequence lease_token;

create table files (
  id          text primary key,
  tenant_id   text not null,
  created_by  text not null,
  purpose     text not null,
  filename    text not null,
  bytes       bigint not null check (bytes >= 0),
  sha256      text not null,
  storage_key text not null,
  created_at  timestamptz not null default now(),
  expires_at  timestamptz,
  deleted_at  timestamptz,
  -- when the bytes went: later than deleted_at while an accepted batch still reads them
  purged_at   timestamptz,
  check (purged_at is null or deleted_at is not null)
);
create index files_list on files (tenant_id, created_at desc, id desc) where deleted_at is null;
create index files_expiring on files (expires_at) where deleted_at is null and expires_at is not null;
create index files_to_purge on files (deleted_at) where deleted_at is not null and purged_at is null;

create table uploads (
  id            text primary key,
  tenant_id     text not null,
  created_by    text not null,
  filename      text not null,
  purpose       text not null,
  bytes         bigint not null check (bytes >= 0),
  mime_type     text not null,
  status        text not null default 'pending' check (status in ('pending', 'completed', 'cancelled', 'expired')),
  file_id       text references files (id),
  -- seconds the finished file lives, counted from its creation
  file_seconds  bigint,
  created_at    timestamptz not null default now(),
  expires_at    timestamptz not null,
  check ((status = 'completed') = (file_id is not null))
);
create index uploads_pending on uploads (expires_at) where status = 'pending';

create table upload_parts (
  id          text primary key,
  upload_id   text not null references uploads (id) on delete cascade,
  bytes       bigint not null,
  storage_key text not null,
  created_at  timestamptz not null default now()
);
create index upload_parts_upload on upload_parts (upload_id);

create table batches (
  -- short and dense, for the rows that point here; clients see `id`
  no                bigint generated always as identity primary key,
  id                text not null unique,
  tenant_id         text not null,
  created_by        text not null,
  name              text,
  endpoint          text not null,
  input_file_id     text not null,
  input_key         text,
  input_bytes       bigint not null default 0,
  completion_window text not null,
  deadline          timestamptz not null,
  priority          smallint not null default 1,
  metadata          jsonb,
  -- dedup, strategy, max_concurrent, pool: accepted now, obeyed when their part is built
  options           jsonb not null default '{}',
  output_seconds    bigint,
  status            text not null default 'validating'
                    check (status in ('validating', 'failed', 'in_progress', 'finalizing', 'completed', 'expired', 'cancelling', 'cancelled')),
  cancel_mode       text check (cancel_mode in ('stop', 'abort')),
  -- set once intake has written every chunk: from then on the batch ends when nothing of it is open
  sealed            boolean not null default false,
  -- set when the deadline passed with work left; the status moves once the files are written
  expiring          boolean not null default false,
  -- who validates or finalizes it just now
  token             bigint,
  leased_until      timestamptz,
  tries             smallint not null default 0,
  index_key         text,
  -- name@version, when all lines name one
  model             text,
  total             bigint not null default 0,
  completed         bigint not null default 0,
  failed            bigint not null default 0,
  cancelled         bigint not null default 0,
  expired           bigint not null default 0,
  usage             jsonb,
  errors            jsonb,
  errors_file_id    text,
  output_file_id    text,
  error_file_id     text,
  -- a continuation runs lines of another batch again: its line k is the k-th of origin_lines
  continues_no      bigint references batches (no) on delete set null,
  origin_lines      int4multirange,
  idempotency_key   text,
  idempotency_hash  text,
  created_at        timestamptz not null default now(),
  in_progress_at    timestamptz,
  finalizing_at     timestamptz,
  completed_at      timestamptz,
  failed_at         timestamptz,
  expired_at        timestamptz,
  cancelling_at     timestamptz,
  cancelled_at      timestamptz,
  check ((status = 'completed') = (completed_at is not null)),
  check ((status = 'failed') = (failed_at is not null)),
  check ((status = 'expired') = (expired_at is not null)),
  check ((status = 'cancelled') = (cancelled_at is not null)),
  check (status not in ('cancelling', 'cancelled') or cancelling_at is not null),
  check (status not in ('in_progress', 'finalizing', 'completed', 'expired') or sealed),
  check (status not in ('completed', 'expired', 'cancelled') or total = completed + failed + cancelled + expired),
  check (status <> 'completed' or (cancelled = 0 and expired = 0)),
  check ((output_file_id is null and error_file_id is null) or status in ('completed', 'expired', 'cancelled'))
) with (fillfactor = 70);
create unique index batches_idempotency on batches (tenant_id, idempotency_key) where idempotency_key is not null;
create index batches_list on batches (tenant_id, no desc);
create index batches_open on batches (no) where status in ('validating', 'in_progress', 'finalizing', 'cancelling');
create index batches_input on batches (input_file_id);
create index batches_continues on batches (continues_no) where continues_no is not null;

-- What each model did in a batch, written when the batch ends.
create table batch_models (
  batch_no      bigint not null references batches (no) on delete cascade,
  model         text not null,
  total         bigint not null default 0,
  completed     bigint not null default 0,
  failed        bigint not null default 0,
  input_tokens  bigint not null default 0,
  output_tokens bigint not null default 0,
  primary key (batch_no, model)
);

-- A set of requests of one batch and one model: what a worker leases. `lines` are those not settled yet.
create table chunks (
  id               bigint generated always as identity primary key,
  batch_no         bigint not null references batches (no) on delete cascade,
  model            text not null,
  lines            int4multirange not null,
  state            text not null default 'queued' check (state in ('queued', 'leased', 'done', 'cancelled', 'expired')),
  -- its lines have rows in `attempts`
  retry            boolean not null default false,
  -- workers that died while they held it
  losses           smallint not null default 0,
  priority         smallint not null,
  deadline         timestamptz not null,
  token            bigint,
  worker_id        text,
  leased_at        timestamptz,
  leased_until     timestamptz,
  parts            integer not null default 0,
  completed        bigint not null default 0,
  failed           bigint not null default 0,
  input_tokens     bigint not null default 0,
  cached_tokens    bigint not null default 0,
  output_tokens    bigint not null default 0,
  reasoning_tokens bigint not null default 0,
  check ((state = 'leased') = (token is not null and worker_id is not null and leased_until is not null)),
  check ((state = 'done') = isempty(lines))
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
create index chunks_claim on chunks (model, priority desc, deadline, id) where state = 'queued';
-- not on leased_until: a heartbeat would then write every index anew instead of one row
create index chunks_leased on chunks (worker_id) where state = 'leased';
create index chunks_open on chunks (batch_no) where state in ('queued', 'leased');
create index chunks_batch on chunks (batch_no);

-- A settled part of a chunk: one object in storage (result lines, then a manifest), one row here.
create table segments (
  id             bigint generated always as identity primary key,
  batch_no       bigint not null references batches (no) on delete cascade,
  chunk_id       bigint not null,
  token          bigint not null,
  part           integer not null,
  worker_id      text not null,
  model          text not null,
  storage_key    text not null,
  data_bytes     bigint not null,
  manifest_bytes bigint not null,
  lines          int4multirange not null check (not isempty(lines)),
  first_line     integer not null generated always as (lower(lines)) stored,
  last_line      integer not null generated always as (upper(lines) - 1) stored,
  completed      integer not null,
  failed         integer not null,
  settled_at     timestamptz not null default now(),
  unique (chunk_id, token, part)
);
create index segments_batch on segments (batch_no, first_line);

-- Requests that did not simply succeed: a row each. `segment_id` null: no worker wrote its line, finalizing does.
create table requests (
  batch_no    bigint not null references batches (no) on delete cascade,
  line        integer not null,
  state       text not null check (state in ('failed', 'dead_lettered', 'cancelled', 'expired')),
  model       text not null,
  code        text not null,
  message     text not null,
  status_code smallint,
  attempts    smallint not null,
  worker_id   text,
  segment_id  bigint,
  settled_at  timestamptz not null default now(),
  primary key (batch_no, line)
);
create index requests_state on requests (batch_no, state, line);

-- Failed attempts, and lost ones; a plain success has none.
create table attempts (
  batch_no    bigint not null references batches (no) on delete cascade,
  line        integer not null,
  number      smallint not null,
  kind        text not null check (kind in ('retryable', 'permanent', 'worker_lost')),
  code        text not null,
  message     text not null,
  status_code smallint,
  worker_id   text,
  started_at  timestamptz not null,
  duration_ms integer not null,
  primary key (batch_no, line, number)
);

-- Requests between two attempts. When due they are gathered into new chunks.
create table waiting (
  batch_no   bigint not null references batches (no) on delete cascade,
  line       integer not null,
  model      text not null,
  not_before timestamptz not null,
  primary key (batch_no, line)
);
create index waiting_due on waiting (not_before);

create table workers (
  id         text primary key,
  pool       text not null,
  host       text not null,
  pid        integer not null,
  models     text[] not null,
  state      text not null default 'ready' check (state in ('ready', 'draining', 'stopped')),
  started_at timestamptz not null default now(),
  seen_at    timestamptz not null default now()
);

-- Requests a second one worker does of a model, as last measured: what chunk sizes and estimates are made from.
create table model_rates (
  model      text primary key,
  rate       double precision not null check (rate > 0),
  settled    bigint not null,
  updated_at timestamptz not null default now()
);

-- What happened, in the transaction in which it did. `number` counts within a batch, from 1.
create table events (
  id         bigint generated always as identity primary key,
  -- a reader stops before transactions still open, or it would skip ids that commit late
  xid        xid8 not null default pg_current_xact_id(),
  tenant_id  text not null,
  batch_no   bigint references batches (no) on delete cascade,
  number     integer not null,
  type       text not null,
  data       jsonb not null default '{}',
  created_at timestamptz not null default now(),
  unique (batch_no, number)
);
create index events_tenant on events (tenant_id, id);
