-- Runs of an experiment tracker that screens became.

alter table screens
  add column run_id      text,
  add column tracked_at  timestamptz,
  add column track_tries smallint not null default 0,
  add column track_error text,
  add column track_after timestamptz not null default now();
create index screens_to_track on screens (track_after) where gathered_at is not null and tracked_at is null;
