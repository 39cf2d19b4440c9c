-- Milestones, and what quotas allow.

-- The last milestone that was told of, in per cent.
alter table batches add column milestone smallint not null default 0 check (milestone in (0, 10, 25, 50, 75, 90, 100));
-- Requests it may have in flight by the quotas of its user, its tenant and all; null: any number. Workers take nothing
-- of a batch that has one without a plan: nobody would count.
alter table batches add column cap integer check (cap > 0);
-- What the open batches of a tenant and a user come to is counted at every create.
create index batches_open_tenant on batches (tenant_id, created_by) where status in ('validating', 'in_progress', 'finalizing', 'cancelling');
