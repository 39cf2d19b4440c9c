-- Tables as the input of batches.

-- which table the requests were made of, and what was found in it; null where the input holds requests
alter table batches add column source jsonb;
-- the rows of that table, as Parquet: row i is line i of the input
alter table batches add column rows_key text;
-- rows that are not run because they have a problem: they are among `requests` from the beginning
alter table batches add column refused bigint not null default 0;
