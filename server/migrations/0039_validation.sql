-- How far the check of a batch's input is: rows or lines, out of how many where that is known. Of no meaning once it has ended.
alter table batches add column checked bigint, add column to_check bigint,
  add check (to_check is null or checked <= to_check);
