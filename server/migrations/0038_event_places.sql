-- Streams of a tenant's events go by transaction and, within one, by id: what comes before the oldest transaction that is
-- still open is complete in that order, and in no other.
create index events_place on events (tenant_id, xid, id);
drop index events_tenant;
