-- Records of predictions that were answered at once: who, when, which version, how long; what was asked and answered
-- where the model's policy keeps it. They are written in groups, off the way of the answer.

create table predictions (
  no           bigint generated always as identity,
  -- as the reply has it; of one that failed, made for the record
  id           text not null,
  tenant_id    text not null,
  created_by   text not null,
  model        text not null,
  status_code  smallint not null,
  -- of a failure
  code         text,
  message      text,
  -- SHA-256 of the inputs as JSON; null where they were too large to be looked at twice
  input_hash   bytea check (length(input_hash) = 32),
  input_bytes  integer,
  input        text,
  output       text,
  cache        text check (cache in ('hit', 'miss', 'bypass')),
  queue_ms     real,
  batch_ms     real,
  compute_ms   real,
  total_ms     real not null,
  request_id   text not null,
  created_at   timestamptz not null,
  expires_at   timestamptz not null,
  primary key (tenant_id, no)
) with (autovacuum_vacuum_insert_threshold = 100000);
create index predictions_id on predictions (id);
-- in the order in which they were written, more or less: a few pages say where to look
create index predictions_expiring on predictions using brin (expires_at);
