-- Screens: a protein against ligands. A screen is a batch whose request lines the server wrote; what it is about stands
-- here, and whether its results have been gathered into files.

alter table batches add column if not exists kind text not null default 'batch';
alter table batches drop constraint if exists batches_kind_check;
alter table batches add constraint batches_kind_check check (kind in ('batch', 'parent', 'screen'));

create table screens (
  batch_no      bigint primary key references batches (no) on delete cascade,
  -- {proteins: [{id, residues, msa}], ligands, invalid, affinity, parameters}
  spec          jsonb not null,
  -- lease of whoever gathers its results
  token         bigint,
  leased_until  timestamptz,
  tries         smallint not null default 0,
  error         text,
  gathered_at   timestamptz,
  -- null: its batch was refused, there is nothing to sum up
  summary       jsonb,
  check ((token is null) = (leased_until is null)),
  check (gathered_at is null or token is null)
);
create index screens_open on screens (batch_no) where gathered_at is null;

-- What is kept of batches beyond their own time: copies of their files under `archive/`. No row of a batch hangs on it.
create table archives (
  batch_id      text primary key,
  tenant_id     text not null,
  created_by    text not null,
  kind          text not null,
  name          text,
  -- [{path, content_type, bytes, sha256}], by path
  files         jsonb not null,
  bytes         bigint not null,
  archived_at   timestamptz not null default now()
);
create index archives_list on archives (tenant_id, archived_at desc, batch_id);
