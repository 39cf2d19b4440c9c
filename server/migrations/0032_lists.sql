-- Batches as pages list them: sorted six ways, filtered, searched; each with an index, so that a page of a million takes as
-- long as one of a thousand. None of these holds what changes while a batch runs: its updates stay in their page.

create function search_words(what text) returns text[] immutable parallel safe language sql
  return array(
    select distinct left(w, 100) from unnest(string_to_array(regexp_replace(lower(what), '[\x01-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+', ' ', 'g'), ' ')) w
    where w <> '');

-- Words of letters and digits, as they are: names are no prose, and no language's endings fit them. The tenant is one of
-- them, so that the index of all finds only what is its own.
create function search_vector(tenant text, what text) returns tsvector immutable parallel safe language sql
  return array_to_tsvector(array['tenant ' || tenant] || search_words(what));

-- All of the words, each the beginning of one.
create function search_query(tenant text, what text) returns tsquery immutable parallel safe language sql
  return (quote_literal('tenant ' || tenant)
    || coalesce((select ' & ' || string_agg(quote_literal(w) || ':*', ' & ') from unnest(search_words(what)) w), ''))::tsquery;

create function batch_text(name text, metadata jsonb) returns text immutable parallel safe language sql
  return coalesce(name, '') || coalesce((select ' ' || string_agg(key || ' ' || value, ' ') from jsonb_each_text(metadata)), '');

create function batch_seconds(created_at timestamptz, ended_at timestamptz) returns double precision immutable parallel safe language sql
  return coalesce(extract(epoch from ended_at - created_at)::float8, 'Infinity');

create index batches_created on batches (tenant_id, created_at, no);
create index batches_name on batches (tenant_id, (lower(coalesce(name, '')) collate "C"), no);
create index batches_total on batches (tenant_id, total, no);
create index batches_failed on batches (tenant_id, (failed::float8 / greatest(total, 1)), no);
create index batches_deadline on batches (tenant_id, deadline, no);
create index batches_duration on batches (tenant_id, batch_seconds(created_at, coalesce(completed_at, failed_at, expired_at, cancelled_at)), no);

create index batches_status on batches (tenant_id, status, created_at, no);
create index batches_owner on batches (tenant_id, created_by, created_at, no);
create index batches_pool on batches (tenant_id, batch_pool(options, pool_history), created_at, no);
create index batches_priority on batches (tenant_id, priority, created_at, no);
create index batches_breached on batches (tenant_id, created_at, no) where status = 'expired' or completed_at > deadline;
create index batch_models_model on batch_models (model, batch_no);
create index batches_search on batches using gin (search_vector(tenant_id, batch_text(name, metadata)));
create index batches_metadata on batches using gin (metadata jsonb_path_ops) where metadata is not null;

create index failure_causes_search on failure_causes using gin (search_vector(tenant_id, code || ' ' || cause));
create index files_search on files using gin (search_vector(tenant_id, filename)) where deleted_at is null;
