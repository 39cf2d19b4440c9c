-- Calls under way at servers elsewhere: whoever gets their request after a crash asks after the same call.

create table remote_calls (
  -- the request or job, and its attempt
  key         text primary key,
  -- `name@version`
  model       text not null,
  -- as the server named it; null: it has not answered yet
  call_id     text,
  -- by which the server may report its end, once
  token       text unique,
  told_at     timestamptz,
  -- the id of that report
  told_by     text,
  created_at  timestamptz not null default now(),
  check ((told_at is null) = (told_by is null)),
  check (told_at is null or token is not null)
);
create index remote_calls_old on remote_calls (created_at);
