-- Jobs: requests that were submitted on their own, and are answered in the background.

create table jobs (
  -- begins with its time, so that ids sort by creation: lists and retention need no index of their own
  id                  text primary key,
  tenant_id           text not null,
  created_by          text not null,
  -- name@version, as resolved when it was submitted
  model               text not null,
  endpoint            text not null,
  -- what the executor gets; small ones here, others in storage
  body                text,
  body_key            text,
  state               text not null default 'queued'
                      check (state in ('queued', 'running', 'waiting', 'completed', 'failed', 'dead_lettered', 'cancelled', 'expired')),
  priority            smallint not null default 1,
  -- from when on it may be claimed, and the order in which that happens: creation less what its priority is worth, so
  -- that an old job overtakes a new one of higher priority; of a waiting one the time of its next attempt
  turn_at             timestamptz not null,
  deadline            timestamptz,
  timeout_ms          integer check (timeout_ms > 0),
  soft_timeout_ms     integer check (soft_timeout_ms > 0),
  max_attempts        smallint check (max_attempts > 0),
  attempts            smallint not null default 0,
  -- workers that died while they ran it
  losses              smallint not null default 0,
  token               bigint,
  -- who runs it, or ran it last
  worker_id           text,
  leased_until        timestamptz,
  cancel_requested_at timestamptz,
  -- it has run for longer than its soft limit
  slow                boolean not null default false,
  -- the answer: the reply's body, small ones here; also of a reply that was a failure
  status_code         smallint,
  result              text,
  result_key          text,
  error               jsonb,
  -- attempts that failed
  history             jsonb not null default '[]',
  usage               jsonb,
  inference_ms        double precision,
  metadata            jsonb,
  retry_of            text,
  -- of the HTTP exchange that submitted it, as the log has it
  request_id          text,
  idempotency_key     text,
  idempotency_hash    text,
  created_at          timestamptz not null default now(),
  started_at          timestamptz,
  ended_at            timestamptz,
  check ((body is null) <> (body_key is null)),
  check ((state = 'running') = (token is not null)),
  check ((token is null) = (leased_until is null)),
  check (state <> 'running' or (worker_id is not null and started_at is not null)),
  check ((state in ('completed', 'failed', 'dead_lettered', 'cancelled', 'expired')) = (ended_at is not null)),
  check ((state in ('failed', 'dead_lettered', 'cancelled', 'expired')) = (error is not null)),
  check (result is null or result_key is null),
  check (state <> 'completed' or result is not null or result_key is not null),
  check ((result is null and result_key is null) or state in ('completed', 'failed', 'dead_lettered'))
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
create index jobs_claim on jobs (model, tenant_id, turn_at, id) where state in ('queued', 'waiting');
-- those that two workers died of are run one at a time
create index jobs_suspect on jobs (turn_at) where state in ('queued', 'waiting') and losses >= 2;
create index jobs_late on jobs (deadline) where state in ('queued', 'waiting') and deadline is not null;
create index jobs_running on jobs (worker_id) where state = 'running';
create index jobs_list on jobs (tenant_id, id);
create unique index jobs_idempotency on jobs (tenant_id, idempotency_key) where idempotency_key is not null;
