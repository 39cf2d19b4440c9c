-- Routes: which models are recommended for a target, and who said so. Those of the configuration have no row.

create table routes (
  no         bigint generated always as identity primary key,
  tenant_id  text not null,
  target     text not null,
  -- '': of every series that has no route of its own
  series     text not null default '',
  -- [{"model", "weight", "valid_from", "valid_until"}], the times in seconds since the epoch; in the order given
  models     jsonb not null check (jsonb_typeof(models) = 'array' and models <> '[]'),
  note       text,
  created_by text not null,
  created_at timestamptz not null default now(),
  updated_by text not null,
  updated_at timestamptz not null default now(),
  unique (tenant_id, target, series)
);

-- Who changed a route, when, from what to what; null: there was none before, or there is none since.
create table route_changes (
  no          bigint generated always as identity primary key,
  tenant_id   text not null,
  target      text not null,
  series      text not null default '',
  from_models jsonb,
  to_models   jsonb,
  note        text,
  changed_by  text not null,
  changed_at  timestamptz not null default now(),
  check (from_models is not null or to_models is not null)
);
create index route_changes_route on route_changes (tenant_id, target, series, no desc);
