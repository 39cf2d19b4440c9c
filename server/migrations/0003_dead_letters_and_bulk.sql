-- Dead letters that were given up on, and operations on many batches or requests at once.

-- Marked, never deleted: the batch, its counts and its error file stay as they are.
alter table requests add column discarded_at timestamptz;
alter table requests add column discarded_by text;
alter table requests add column discard_reason text;
alter table requests add check (discarded_at is null or state = 'dead_lettered');
alter table requests add check ((discarded_at is null) = (discarded_by is null) and (discarded_at is null) = (discard_reason is null));
create index requests_dead on requests (batch_no desc, line) where state = 'dead_lettered';

create table bulk_operations (
  no               bigint generated always as identity primary key,
  id               text not null unique,
  tenant_id        text not null,
  created_by       text not null,
  acts_on          text not null check (acts_on in ('batches', 'requests')),
  action           text not null check (action in ('cancel', 'retry', 'redrive', 'priority', 'deadline')),
  -- what is meant: a filter without the excluded, or ids; and nothing that came after `as_of`
  filter           jsonb,
  ids              text[],
  exclude          text[] not null default '{}',
  as_of            timestamptz not null,
  options          jsonb not null default '{}',
  reason           text,
  status           text not null default 'queued'
                   check (status in ('queued', 'running', 'stopping', 'stopped', 'completed', 'failed')),
  -- as counted when it was created; the others grow while it runs
  matched          bigint not null,
  eligible         bigint not null,
  done             bigint not null default 0,
  skipped          bigint not null default 0,
  failed           bigint not null default 0,
  -- the last batch, and for requests the last line of it, that has been dealt with
  cursor_no        bigint not null default 0,
  cursor_line      integer not null default 0,
  -- not before: what holds it to its pace, and lets others have their turn
  next_at          timestamptz not null default now(),
  -- who works on it just now
  token            bigint,
  leased_until     timestamptz,
  -- begun since it last moved on
  tries            smallint not null default 0,
  error            text,
  idempotency_key  text,
  idempotency_hash text,
  created_at       timestamptz not null default now(),
  started_at       timestamptz,
  ended_at         timestamptz,
  check ((filter is null) <> (ids is null)),
  check ((token is null) = (leased_until is null)),
  check ((status in ('stopped', 'completed', 'failed')) = (ended_at is not null)),
  check (ended_at is null or token is null),
  check ((status = 'failed') = (error is not null))
) with (fillfactor = 70);
create index bulk_operations_list on bulk_operations (tenant_id, no desc);
create index bulk_operations_open on bulk_operations (next_at, no) where status in ('queued', 'running', 'stopping');
create unique index bulk_operations_idempotency on bulk_operations (tenant_id, idempotency_key) where idempotency_key is not null;

-- Items an operation left alone, or could not do. Those it did have no row: the cursor has passed them.
create table bulk_items (
  no           bigint generated always as identity primary key,
  operation_no bigint not null references bulk_operations (no) on delete cascade,
  item         text not null,
  outcome      text not null check (outcome in ('skipped', 'failed')),
  reason       text not null,
  message      text,
  unique (operation_no, item)
);
create index bulk_items_list on bulk_items (operation_no, no);
