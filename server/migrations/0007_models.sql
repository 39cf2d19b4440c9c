-- The registry: models that tenants bring, their versions, files, aliases. Those of the configuration have no row.

-- Bytes of model files, stored once per content. Which versions use one is asked of them, never counted.
create table model_files (
  sha256      text primary key,
  bytes       bigint not null check (bytes >= 0),
  -- a name of its own: a delete that is late never takes the bytes of a file that came again
  storage_key text not null unique,
  created_at  timestamptz not null default now()
);

create table models (
  no         bigint generated always as identity primary key,
  tenant_id  text not null,
  name       text not null,
  created_by text not null,
  created_at timestamptz not null default now(),
  unique (tenant_id, name)
);

create table model_versions (
  no           bigint generated always as identity primary key,
  model_no     bigint not null references models (no) on delete cascade,
  version      text not null,
  executor     text not null,
  options      jsonb not null default '{}',
  -- declared by whoever registered it; what vetting found is in `inputs` and `outputs`
  schema       jsonb,
  tags         text[] not null default '{}',
  card         text,
  status       text not null default 'pending' check (status in ('pending', 'uploaded', 'validating', 'ready', 'failed', 'archived')),
  reason       text,
  status_at    timestamptz not null default now(),
  ready_at     timestamptz,
  file_sha256  text references model_files (sha256),
  file_name    text,
  created_by   text not null,
  created_at   timestamptz not null default now(),
  -- who vets it just now
  token        bigint,
  leased_until timestamptz,
  vetted_by    text,
  -- vettings whose worker was lost
  losses       smallint not null default 0,
  report       jsonb,
  inputs       jsonb,
  outputs      jsonb,
  metadata     jsonb,
  unique (model_no, version),
  check ((status = 'validating') = (token is not null)),
  check ((token is null) = (leased_until is null)),
  check (status not in ('uploaded', 'validating') or file_sha256 is not null),
  check (status <> 'ready' or ready_at is not null),
  check (status <> 'failed' or reason is not null)
);
create index model_versions_to_vet on model_versions (status_at, no) where status in ('uploaded', 'validating');
create index model_versions_file on model_versions (file_sha256) where file_sha256 is not null;
-- what every process keeps in memory
create index model_versions_served on model_versions (no) where status in ('ready', 'archived');

create table model_aliases (
  model_no   bigint not null references models (no) on delete cascade,
  alias      text not null,
  version_no bigint not null references model_versions (no),
  primary key (model_no, alias)
);
create index model_aliases_version on model_aliases (version_no);

-- Who moved an alias, when, from where to where. Versions by name: they may be deleted, what happened is not.
create table model_alias_moves (
  no           bigint generated always as identity primary key,
  model_no     bigint not null references models (no) on delete cascade,
  alias        text not null,
  from_version text,
  to_version   text,
  moved_by     text not null,
  moved_at     timestamptz not null default now(),
  -- the move that this one took back
  undoes       bigint references model_alias_moves (no) on delete cascade
);
create index model_alias_moves_alias on model_alias_moves (model_no, alias, no desc);

-- Raised with every change of what is served: processes ask for this number, and read the rest where it is a new one.
create table model_revision (
  one      boolean primary key default true check (one),
  revision bigint not null default 0
);
insert into model_revision default values;

-- What a worker has in memory: [{"model", "held_bytes", "rate"}], and the bytes it holds itself (`memory_bytes` is what it may).
alter table workers add column loaded jsonb not null default '[]';
alter table workers add column held_bytes bigint;
