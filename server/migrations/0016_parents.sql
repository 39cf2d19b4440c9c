-- Several models over one input: a parent with a batch per model. The parent has no chunks; what it is, is asked of its
-- children.

alter table batches add column if not exists kind text not null default 'batch';
alter table batches drop constraint if exists batches_kind_check;
alter table batches add constraint batches_kind_check check (kind in ('batch', 'parent', 'screen'));
alter table batches add column parent_no bigint references batches (no) on delete cascade;
alter table batches add constraint batches_parent_check check (parent_no is null or kind <> 'parent');
create index batches_parent on batches (parent_no) where parent_no is not null;
-- what lists show
create index batches_list_top on batches (tenant_id, no desc) where parent_no is null;
-- One model of several may be cancelled alone: the rows are then cancelled, and the parent completes.
alter table batches drop constraint batches_check7;
alter table batches add constraint batches_completed_check check (status <> 'completed' or kind = 'parent' or (cancelled = 0 and expired = 0));
