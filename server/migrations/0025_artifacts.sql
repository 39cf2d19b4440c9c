-- Files that requests and jobs leave: structures, tables, logs. The bytes are in storage; a file is there once its row
-- is, which is written in the statement that settles the attempt it belongs to.

create table artifacts (
  batch_no      bigint references batches (no) on delete cascade,
  -- 0: a file of the batch itself
  line          integer check (line >= 0),
  job_id        text references jobs (id) on delete cascade,
  -- files of a request are those of its newest attempt; 0: made when the batch had ended, without one
  attempt       smallint not null check (attempt >= 0),
  name          text not null,
  storage_key   text not null,
  content_type  text not null,
  bytes         bigint not null check (bytes >= 0),
  sha256        text not null,
  created_at    timestamptz not null default now(),
  check ((batch_no is null) = (line is null)),
  check ((batch_no is null) <> (job_id is null))
);
create unique index artifacts_request on artifacts (batch_no, line, attempt, name) where batch_no is not null;
create unique index artifacts_job on artifacts (job_id, attempt, name) where job_id is not null;
