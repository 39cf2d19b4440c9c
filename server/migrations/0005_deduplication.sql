-- Deduplication: answers that were copied, and where answers are that may be.

-- Requests that were not run, by how they came by their answer.
alter table chunks add column hits_batch bigint not null default 0;
alter table chunks add column hits_cache bigint not null default 0;
alter table chunks add column hits_semantic bigint not null default 0;
-- {"batch", "cache", "semantic"}, written when the batch ends
alter table batches add column hits jsonb;

-- Answers of batches that still exist, by what was asked of which version of a model. The bytes stay in their segment.
create table results (
  -- whose they are: a user's, a tenant's, or everybody's
  scope       text not null,
  -- SHA-256 of the model version's digest and the typed input
  key         bytea not null,
  tenant_id   text not null,
  batch_no    bigint not null references batches (no) on delete cascade,
  line        integer not null,
  storage_key text not null,
  -- of the reply's body within the segment
  body_offset bigint not null,
  body_bytes  integer not null,
  status_code smallint not null,
  created_at  timestamptz not null default now(),
  expires_at  timestamptz not null,
  primary key (scope, key)
) with (autovacuum_vacuum_scale_factor = 0.05);
create index results_batch on results (batch_no);
create index results_expiring on results (expires_at);
create index results_oldest on results (scope, created_at);

-- What similar requests are found by: a vector of length 1 for each answer that may be given to them.
create table result_vectors (
  no     bigint generated always as identity primary key,
  scope  text not null,
  key    bytea not null,
  -- SHA-256 of the digests of the model that answers and of the one that embeds
  space  bytea not null,
  -- SHA-256 of all that must be the same: the endpoint, and everything in the request but its words
  rest   bytea not null,
  -- float32, little-endian
  vector bytea not null,
  unique (scope, key),
  foreign key (scope, key) references results (scope, key) on delete cascade
);
create index result_vectors_space on result_vectors (scope, space, no);
