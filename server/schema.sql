-- Derived from the migrated database by `npm run derive`; for reading. The migrations are what is run.

create sequence lease_token;

create table accounts (
  tenant_id text not null,
  counter double precision not null default 0,
  weight double precision not null default 1,
  active boolean not null default false,
  constraint accounts_pkey PRIMARY KEY (tenant_id),
  constraint accounts_weight_check CHECK (weight > 0::double precision)
);

create table archives (
  batch_id text not null,
  tenant_id text not null,
  created_by text not null,
  kind text not null,
  name text,
  files jsonb not null,
  bytes bigint not null,
  archived_at timestamp with time zone not null default now(),
  constraint archives_pkey PRIMARY KEY (batch_id)
);
CREATE INDEX archives_list ON public.archives USING btree (tenant_id, archived_at DESC, batch_id);

create table artifacts (
  batch_no bigint,
  line integer,
  job_id text,
  attempt smallint not null,
  name text not null,
  storage_key text not null,
  content_type text not null,
  bytes bigint not null,
  sha256 text not null,
  created_at timestamp with time zone not null default now(),
  constraint artifacts_batch_no_fkey FOREIGN KEY (batch_no) REFERENCES batches(no) ON DELETE CASCADE,
  constraint artifacts_job_id_fkey FOREIGN KEY (job_id) REFERENCES jobs(id) ON DELETE CASCADE,
  constraint artifacts_attempt_check CHECK (attempt >= 0),
  constraint artifacts_bytes_check CHECK (bytes >= 0),
  constraint artifacts_check CHECK ((batch_no IS NULL) = (line IS NULL)),
  constraint artifacts_check1 CHECK ((batch_no IS NULL) <> (job_id IS NULL)),
  constraint artifacts_line_check CHECK (line >= 0)
);
CREATE UNIQUE INDEX artifacts_job ON public.artifacts USING btree (job_id, attempt, name) WHERE (job_id IS NOT NULL);
CREATE UNIQUE INDEX artifacts_request ON public.artifacts USING btree (batch_no, line, attempt, name) WHERE (batch_no IS NOT NULL);

create table attempts (
  batch_no bigint not null,
  line integer not null,
  number smallint not null,
  kind text not null,
  code text not null,
  message text not null,
  status_code smallint,
  worker_id text,
  started_at timestamp with time zone not null,
  duration_ms integer not null,
  constraint attempts_pkey PRIMARY KEY (batch_no, line, number),
  constraint attempts_batch_no_fkey FOREIGN KEY (batch_no) REFERENCES batches(no) ON DELETE CASCADE,
  constraint attempts_kind_check CHECK (kind = ANY (ARRAY['retryable'::text, 'permanent'::text, 'worker_lost'::text]))
);

create table batch_count_changes (
  id bigint not null generated always as identity,
  tenant_id text not null,
  status text not null,
  models text not null,
  owner text not null,
  pool text not null,
  priority smallint not null,
  sla text not null,
  count smallint not null,
  at timestamp with time zone not null default now(),
  constraint batch_count_changes_pkey PRIMARY KEY (id),
  constraint batch_count_changes_count_check CHECK (count = ANY (ARRAY[1, '-1'::integer]))
);
CREATE INDEX batch_count_changes_tenant ON public.batch_count_changes USING btree (tenant_id);

create table batch_counts (
  tenant_id text not null,
  status text not null,
  models text not null,
  owner text not null,
  pool text not null,
  priority smallint not null,
  sla text not null,
  count bigint not null,
  constraint batch_counts_pkey PRIMARY KEY (tenant_id, status, models, owner, pool, priority, sla),
  constraint batch_counts_sla_check CHECK (sla = ANY (ARRAY['met'::text, 'breached'::text, ''::text]))
) with (fillfactor=70);

create table batch_ends (
  tenant_id text not null,
  hour timestamp with time zone not null,
  met bigint not null,
  breached bigint not null,
  other bigint not null,
  constraint batch_ends_pkey PRIMARY KEY (tenant_id, hour)
) with (fillfactor=70);

create table batch_models (
  batch_no bigint not null,
  model text not null,
  total bigint not null default 0,
  completed bigint not null default 0,
  failed bigint not null default 0,
  input_tokens bigint not null default 0,
  output_tokens bigint not null default 0,
  constraint batch_models_pkey PRIMARY KEY (batch_no, model),
  constraint batch_models_batch_no_fkey FOREIGN KEY (batch_no) REFERENCES batches(no) ON DELETE CASCADE
);
CREATE INDEX batch_models_model ON public.batch_models USING btree (model, batch_no);

create table batches (
  no bigint not null generated always as identity,
  id text not null,
  tenant_id text not null,
  created_by text not null,
  name text,
  endpoint text not null,
  input_file_id text not null,
  input_key text,
  input_bytes bigint not null default 0,
  completion_window text not null,
  deadline timestamp with time zone not null,
  priority smallint not null default 1,
  metadata jsonb,
  options jsonb not null default '{}'::jsonb,
  output_seconds bigint,
  status text not null default 'validating'::text,
  cancel_mode text,
  sealed boolean not null default false,
  expiring boolean not null default false,
  token bigint,
  leased_until timestamp with time zone,
  tries smallint not null default 0,
  index_key text,
  model text,
  total bigint not null default 0,
  completed bigint not null default 0,
  failed bigint not null default 0,
  cancelled bigint not null default 0,
  expired bigint not null default 0,
  usage jsonb,
  errors jsonb,
  errors_file_id text,
  output_file_id text,
  error_file_id text,
  continues_no bigint,
  origin_lines int4multirange,
  idempotency_key text,
  idempotency_hash text,
  created_at timestamp with time zone not null default now(),
  in_progress_at timestamp with time zone,
  finalizing_at timestamp with time zone,
  completed_at timestamp with time zone,
  failed_at timestamp with time zone,
  expired_at timestamp with time zone,
  cancelling_at timestamp with time zone,
  cancelled_at timestamp with time zone,
  lane text not null default 'bulk'::text,
  admitted boolean not null default true,
  at_risk boolean not null default false,
  escalated_at timestamp with time zone,
  forecast_p50 timestamp with time zone,
  forecast_p90 timestamp with time zone,
  width integer,
  adaptive jsonb,
  milestone smallint not null default 0,
  cap integer,
  hits jsonb,
  pool_history jsonb not null default '[]'::jsonb,
  source jsonb,
  rows_key text,
  refused bigint not null default 0,
  kind text not null default 'batch'::text,
  parent_no bigint,
  words tsvector not null generated always as (search_vector(tenant_id, batch_text(name, metadata))) stored,
  outgrown jsonb not null default '[]'::jsonb,
  checked bigint,
  to_check bigint,
  constraint batches_pkey PRIMARY KEY (no),
  constraint batches_id_key UNIQUE (id),
  constraint batches_continues_no_fkey FOREIGN KEY (continues_no) REFERENCES batches(no) ON DELETE SET NULL,
  constraint batches_parent_no_fkey FOREIGN KEY (parent_no) REFERENCES batches(no) ON DELETE CASCADE,
  constraint batches_cancel_mode_check CHECK (cancel_mode = ANY (ARRAY['stop'::text, 'abort'::text])),
  constraint batches_cap_check CHECK (cap > 0),
  constraint batches_check CHECK ((status = 'completed'::text) = (completed_at IS NOT NULL)),
  constraint batches_check1 CHECK ((status = 'failed'::text) = (failed_at IS NOT NULL)),
  constraint batches_check2 CHECK ((status = 'expired'::text) = (expired_at IS NOT NULL)),
  constraint batches_check3 CHECK ((status = 'cancelled'::text) = (cancelled_at IS NOT NULL)),
  constraint batches_check4 CHECK ((status <> ALL (ARRAY['cancelling'::text, 'cancelled'::text])) OR cancelling_at IS NOT NULL),
  constraint batches_check5 CHECK ((status <> ALL (ARRAY['in_progress'::text, 'finalizing'::text, 'completed'::text, 'expired'::text])) OR sealed),
  constraint batches_check6 CHECK ((status <> ALL (ARRAY['completed'::text, 'expired'::text, 'cancelled'::text])) OR total = (completed + failed + cancelled + expired)),
  constraint batches_check7 CHECK (to_check IS NULL OR checked <= to_check),
  constraint batches_check8 CHECK (output_file_id IS NULL AND error_file_id IS NULL OR (status = ANY (ARRAY['completed'::text, 'expired'::text, 'cancelled'::text]))),
  constraint batches_completed_check CHECK (status <> 'completed'::text OR kind = 'parent'::text OR cancelled = 0 AND expired = 0),
  constraint batches_kind_check CHECK (kind = ANY (ARRAY['batch'::text, 'parent'::text, 'screen'::text])),
  constraint batches_lane_check CHECK (lane = ANY (ARRAY['interactive'::text, 'jobs'::text, 'bulk'::text])),
  constraint batches_milestone_check CHECK (milestone = ANY (ARRAY[0, 10, 25, 50, 75, 90, 100])),
  constraint batches_parent_check CHECK (parent_no IS NULL OR kind <> 'parent'::text),
  constraint batches_status_check CHECK (status = ANY (ARRAY['validating'::text, 'failed'::text, 'in_progress'::text, 'finalizing'::text, 'completed'::text, 'expired'::text, 'cancelling'::text, 'cancelled'::text])),
  constraint batches_width_check CHECK (width >= 0)
) with (fillfactor=70);
CREATE INDEX batches_breached ON public.batches USING btree (tenant_id, created_at, no) WHERE ((status = 'expired'::text) OR (completed_at > deadline));
CREATE INDEX batches_continues ON public.batches USING btree (continues_no) WHERE (continues_no IS NOT NULL);
CREATE INDEX batches_created ON public.batches USING btree (tenant_id, created_at, no);
CREATE INDEX batches_deadline ON public.batches USING btree (tenant_id, deadline, no);
CREATE INDEX batches_duration ON public.batches USING btree (tenant_id, batch_seconds(created_at, COALESCE(completed_at, failed_at, expired_at, cancelled_at)), no);
CREATE INDEX batches_failed ON public.batches USING btree (tenant_id, (((failed)::double precision / (GREATEST(total, (1)::bigint))::double precision)), no);
CREATE UNIQUE INDEX batches_idempotency ON public.batches USING btree (tenant_id, idempotency_key) WHERE (idempotency_key IS NOT NULL);
CREATE INDEX batches_input ON public.batches USING btree (input_file_id);
CREATE INDEX batches_list ON public.batches USING btree (tenant_id, no DESC);
CREATE INDEX batches_list_top ON public.batches USING btree (tenant_id, no DESC) WHERE (parent_no IS NULL);
CREATE INDEX batches_metadata ON public.batches USING gin (metadata jsonb_path_ops) WHERE (metadata IS NOT NULL);
CREATE INDEX batches_name ON public.batches USING btree (tenant_id, lower(COALESCE(name, ''::text)) COLLATE "C", no);
CREATE INDEX batches_open ON public.batches USING btree (no) WHERE (status = ANY (ARRAY['validating'::text, 'in_progress'::text, 'finalizing'::text, 'cancelling'::text]));
CREATE INDEX batches_open_tenant ON public.batches USING btree (tenant_id, created_by) WHERE (status = ANY (ARRAY['validating'::text, 'in_progress'::text, 'finalizing'::text, 'cancelling'::text]));
CREATE INDEX batches_owner ON public.batches USING btree (tenant_id, created_by, created_at, no);
CREATE INDEX batches_parent ON public.batches USING btree (parent_no) WHERE (parent_no IS NOT NULL);
CREATE INDEX batches_pool ON public.batches USING btree (tenant_id, batch_pool(options, pool_history), created_at, no);
CREATE INDEX batches_priority ON public.batches USING btree (tenant_id, priority, created_at, no);
CREATE INDEX batches_search ON public.batches USING gin (words);
CREATE INDEX batches_status ON public.batches USING btree (tenant_id, status, created_at, no);
CREATE INDEX batches_total ON public.batches USING btree (tenant_id, total, no);

create table bulk_items (
  no bigint not null generated always as identity,
  operation_no bigint not null,
  item text not null,
  outcome text not null,
  reason text not null,
  message text,
  constraint bulk_items_pkey PRIMARY KEY (no),
  constraint bulk_items_operation_no_item_key UNIQUE (operation_no, item),
  constraint bulk_items_operation_no_fkey FOREIGN KEY (operation_no) REFERENCES bulk_operations(no) ON DELETE CASCADE,
  constraint bulk_items_outcome_check CHECK (outcome = ANY (ARRAY['skipped'::text, 'failed'::text]))
);
CREATE INDEX bulk_items_list ON public.bulk_items USING btree (operation_no, no);

create table bulk_operations (
  no bigint not null generated always as identity,
  id text not null,
  tenant_id text not null,
  created_by text not null,
  acts_on text not null,
  action text not null,
  filter jsonb,
  ids text[],
  exclude text[] not null default '{}'::text[],
  as_of timestamp with time zone not null,
  options jsonb not null default '{}'::jsonb,
  reason text,
  status text not null default 'queued'::text,
  matched bigint not null,
  eligible bigint not null,
  done bigint not null default 0,
  skipped bigint not null default 0,
  failed bigint not null default 0,
  cursor_no bigint not null default 0,
  cursor_line integer not null default 0,
  next_at timestamp with time zone not null default now(),
  token bigint,
  leased_until timestamp with time zone,
  tries smallint not null default 0,
  error text,
  idempotency_key text,
  idempotency_hash text,
  created_at timestamp with time zone not null default now(),
  started_at timestamp with time zone,
  ended_at timestamp with time zone,
  constraint bulk_operations_pkey PRIMARY KEY (no),
  constraint bulk_operations_id_key UNIQUE (id),
  constraint bulk_operations_action_check CHECK (action = ANY (ARRAY['cancel'::text, 'retry'::text, 'redrive'::text, 'priority'::text, 'deadline'::text])),
  constraint bulk_operations_acts_on_check CHECK (acts_on = ANY (ARRAY['batches'::text, 'requests'::text])),
  constraint bulk_operations_check CHECK ((filter IS NULL) <> (ids IS NULL)),
  constraint bulk_operations_check1 CHECK ((token IS NULL) = (leased_until IS NULL)),
  constraint bulk_operations_check2 CHECK ((status = ANY (ARRAY['stopped'::text, 'completed'::text, 'failed'::text])) = (ended_at IS NOT NULL)),
  constraint bulk_operations_check3 CHECK (ended_at IS NULL OR token IS NULL),
  constraint bulk_operations_check4 CHECK ((status = 'failed'::text) = (error IS NOT NULL)),
  constraint bulk_operations_status_check CHECK (status = ANY (ARRAY['queued'::text, 'running'::text, 'stopping'::text, 'stopped'::text, 'completed'::text, 'failed'::text]))
) with (fillfactor=70);
CREATE UNIQUE INDEX bulk_operations_idempotency ON public.bulk_operations USING btree (tenant_id, idempotency_key) WHERE (idempotency_key IS NOT NULL);
CREATE INDEX bulk_operations_list ON public.bulk_operations USING btree (tenant_id, no DESC);
CREATE INDEX bulk_operations_open ON public.bulk_operations USING btree (next_at, no) WHERE (status = ANY (ARRAY['queued'::text, 'running'::text, 'stopping'::text]));

create table chunks (
  id bigint not null generated always as identity,
  batch_no bigint not null,
  model text not null,
  lines int4multirange not null,
  state text not null default 'queued'::text,
  retry boolean not null default false,
  losses smallint not null default 0,
  priority smallint not null,
  deadline timestamp with time zone not null,
  token bigint,
  worker_id text,
  leased_at timestamp with time zone,
  leased_until timestamp with time zone,
  parts integer not null default 0,
  completed bigint not null default 0,
  failed bigint not null default 0,
  input_tokens bigint not null default 0,
  cached_tokens bigint not null default 0,
  output_tokens bigint not null default 0,
  reasoning_tokens bigint not null default 0,
  kind text,
  requests integer not null generated always as (line_count(lines)) stored,
  hits_batch bigint not null default 0,
  hits_cache bigint not null default 0,
  hits_semantic bigint not null default 0,
  pool text,
  pool_since timestamp with time zone,
  constraint chunks_pkey PRIMARY KEY (id),
  constraint chunks_batch_no_fkey FOREIGN KEY (batch_no) REFERENCES batches(no) ON DELETE CASCADE,
  constraint chunks_check CHECK ((state = 'leased'::text) = (token IS NOT NULL AND worker_id IS NOT NULL AND leased_until IS NOT NULL)),
  constraint chunks_check1 CHECK ((state = 'done'::text) = isempty(lines)),
  constraint chunks_check2 CHECK ((pool IS NULL) = (pool_since IS NULL)),
  constraint chunks_kind_check CHECK (kind = ANY (ARRAY['spot'::text, 'dedicated'::text])),
  constraint chunks_state_check CHECK (state = ANY (ARRAY['queued'::text, 'leased'::text, 'done'::text, 'cancelled'::text, 'expired'::text]))
) with (fillfactor=50, autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=500);
CREATE INDEX chunks_batch ON public.chunks USING btree (batch_no);
CREATE INDEX chunks_claim ON public.chunks USING btree (model, priority DESC, deadline, id) WHERE (state = 'queued'::text);
CREATE INDEX chunks_leased ON public.chunks USING btree (worker_id) WHERE (state = 'leased'::text);
CREATE INDEX chunks_open ON public.chunks USING btree (batch_no) WHERE (state = ANY (ARRAY['queued'::text, 'leased'::text]));
CREATE INDEX chunks_pool ON public.chunks USING btree (batch_no, id) WHERE ((pool IS NOT NULL) AND (state = ANY (ARRAY['queued'::text, 'leased'::text])));
CREATE INDEX chunks_turn ON public.chunks USING btree (batch_no, model, id) WHERE (state = 'queued'::text);

create table events (
  id bigint not null generated always as identity,
  xid xid8 not null default pg_current_xact_id(),
  tenant_id text not null,
  batch_no bigint,
  number integer not null,
  type text not null,
  data jsonb not null default '{}'::jsonb,
  created_at timestamp with time zone not null default now(),
  constraint events_pkey PRIMARY KEY (id),
  constraint events_batch_no_number_key UNIQUE (batch_no, number),
  constraint events_batch_no_fkey FOREIGN KEY (batch_no) REFERENCES batches(no) ON DELETE CASCADE
);
CREATE INDEX events_place ON public.events USING btree (tenant_id, xid, id);

create table failure_causes (
  id bigint not null generated always as identity,
  tenant_id text not null,
  batch_no bigint not null,
  model text not null,
  code text not null,
  cause text not null,
  count integer not null,
  dead integer not null,
  first_seen timestamp with time zone not null,
  last_seen timestamp with time zone not null,
  line integer not null,
  constraint failure_causes_pkey PRIMARY KEY (id),
  constraint failure_causes_batch_no_fkey FOREIGN KEY (batch_no) REFERENCES batches(no) ON DELETE CASCADE,
  constraint failure_causes_count_check CHECK (count > 0)
);
CREATE INDEX failure_causes_batch ON public.failure_causes USING btree (batch_no);
CREATE INDEX failure_causes_recent ON public.failure_causes USING btree (tenant_id, last_seen);
CREATE INDEX failure_causes_search ON public.failure_causes USING gin (search_vector(tenant_id, ((code || ' '::text) || cause)));

create table figures (
  tenant_id text not null,
  minutes smallint not null,
  at timestamp with time zone not null,
  model text not null,
  completed bigint not null,
  failed bigint not null,
  retried bigint not null,
  copied bigint not null,
  input_tokens bigint not null,
  output_tokens bigint not null,
  busy_ms double precision not null,
  spread integer[] not null,
  constraint figures_pkey PRIMARY KEY (tenant_id, minutes, at, model),
  constraint figures_minutes_check CHECK (minutes = ANY (ARRAY[1, 5, 60]))
) with (fillfactor=70, autovacuum_vacuum_scale_factor=0.05);

create table files (
  id text not null,
  tenant_id text not null,
  created_by text not null,
  purpose text not null,
  filename text not null,
  bytes bigint not null,
  sha256 text not null,
  storage_key text not null,
  created_at timestamp with time zone not null default now(),
  expires_at timestamp with time zone,
  deleted_at timestamp with time zone,
  purged_at timestamp with time zone,
  constraint files_pkey PRIMARY KEY (id),
  constraint files_bytes_check CHECK (bytes >= 0),
  constraint files_check CHECK (purged_at IS NULL OR deleted_at IS NOT NULL)
);
CREATE INDEX files_expiring ON public.files USING btree (expires_at) WHERE ((deleted_at IS NULL) AND (expires_at IS NOT NULL));
CREATE INDEX files_list ON public.files USING btree (tenant_id, created_at DESC, id DESC) WHERE (deleted_at IS NULL);
CREATE INDEX files_search ON public.files USING gin (search_vector(tenant_id, filename)) WHERE (deleted_at IS NULL);
CREATE INDEX files_to_purge ON public.files USING btree (deleted_at) WHERE ((deleted_at IS NOT NULL) AND (purged_at IS NULL));

create table interruptions (
  id bigint not null generated always as identity,
  batch_no bigint not null,
  lines int4multirange not null,
  kind text not null,
  worker_id text,
  pool text,
  at timestamp with time zone not null default now(),
  given_to text,
  reason text,
  constraint interruptions_pkey PRIMARY KEY (id),
  constraint interruptions_batch_no_fkey FOREIGN KEY (batch_no) REFERENCES batches(no) ON DELETE CASCADE,
  constraint interruptions_check CHECK ((kind = 'larger'::text) = (given_to IS NOT NULL AND reason IS NOT NULL)),
  constraint interruptions_kind_check CHECK (kind = ANY (ARRAY['lost'::text, 'drained'::text, 'larger'::text]))
);
CREATE INDEX interruptions_batch ON public.interruptions USING btree (batch_no);

create table jobs (
  id text not null,
  tenant_id text not null,
  created_by text not null,
  model text not null,
  endpoint text not null,
  body text,
  body_key text,
  state text not null default 'queued'::text,
  priority smallint not null default 1,
  turn_at timestamp with time zone not null,
  deadline timestamp with time zone,
  timeout_ms integer,
  soft_timeout_ms integer,
  max_attempts smallint,
  attempts smallint not null default 0,
  losses smallint not null default 0,
  token bigint,
  worker_id text,
  leased_until timestamp with time zone,
  cancel_requested_at timestamp with time zone,
  slow boolean not null default false,
  status_code smallint,
  result text,
  result_key text,
  error jsonb,
  history jsonb not null default '[]'::jsonb,
  usage jsonb,
  inference_ms double precision,
  metadata jsonb,
  retry_of text,
  request_id text,
  idempotency_key text,
  idempotency_hash text,
  created_at timestamp with time zone not null default now(),
  started_at timestamp with time zone,
  ended_at timestamp with time zone,
  constraint jobs_pkey PRIMARY KEY (id),
  constraint jobs_check CHECK ((body IS NULL) <> (body_key IS NULL)),
  constraint jobs_check1 CHECK ((state = 'running'::text) = (token IS NOT NULL)),
  constraint jobs_check2 CHECK ((token IS NULL) = (leased_until IS NULL)),
  constraint jobs_check3 CHECK (state <> 'running'::text OR worker_id IS NOT NULL AND started_at IS NOT NULL),
  constraint jobs_check4 CHECK ((state = ANY (ARRAY['completed'::text, 'failed'::text, 'dead_lettered'::text, 'cancelled'::text, 'expired'::text])) = (ended_at IS NOT NULL)),
  constraint jobs_check5 CHECK ((state = ANY (ARRAY['failed'::text, 'dead_lettered'::text, 'cancelled'::text, 'expired'::text])) = (error IS NOT NULL)),
  constraint jobs_check6 CHECK (result IS NULL OR result_key IS NULL),
  constraint jobs_check7 CHECK (state <> 'completed'::text OR result IS NOT NULL OR result_key IS NOT NULL),
  constraint jobs_check8 CHECK (result IS NULL AND result_key IS NULL OR (state = ANY (ARRAY['completed'::text, 'failed'::text, 'dead_lettered'::text]))),
  constraint jobs_max_attempts_check CHECK (max_attempts > 0),
  constraint jobs_soft_timeout_ms_check CHECK (soft_timeout_ms > 0),
  constraint jobs_state_check CHECK (state = ANY (ARRAY['queued'::text, 'running'::text, 'waiting'::text, 'completed'::text, 'failed'::text, 'dead_lettered'::text, 'cancelled'::text, 'expired'::text])),
  constraint jobs_timeout_ms_check CHECK (timeout_ms > 0)
) with (autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=1000);
CREATE INDEX jobs_claim ON public.jobs USING btree (model, tenant_id, turn_at, id) WHERE (state = ANY (ARRAY['queued'::text, 'waiting'::text]));
CREATE UNIQUE INDEX jobs_idempotency ON public.jobs USING btree (tenant_id, idempotency_key) WHERE (idempotency_key IS NOT NULL);
CREATE INDEX jobs_late ON public.jobs USING btree (deadline) WHERE ((state = ANY (ARRAY['queued'::text, 'waiting'::text])) AND (deadline IS NOT NULL));
CREATE INDEX jobs_list ON public.jobs USING btree (tenant_id, id);
CREATE INDEX jobs_running ON public.jobs USING btree (worker_id) WHERE (state = 'running'::text);
CREATE INDEX jobs_suspect ON public.jobs USING btree (turn_at) WHERE ((state = ANY (ARRAY['queued'::text, 'waiting'::text])) AND (losses >= 2));

create table key_uses (
  key_id text not null,
  last_used_at timestamp with time zone not null default now(),
  constraint key_uses_pkey PRIMARY KEY (key_id)
);

create table migrations (
  name text not null,
  digest text not null,
  run_at timestamp with time zone not null default now(),
  constraint migrations_pkey PRIMARY KEY (name)
);

create table model_alias_moves (
  no bigint not null generated always as identity,
  model_no bigint not null,
  alias text not null,
  from_version text,
  to_version text,
  moved_by text not null,
  moved_at timestamp with time zone not null default now(),
  undoes bigint,
  constraint model_alias_moves_pkey PRIMARY KEY (no),
  constraint model_alias_moves_model_no_fkey FOREIGN KEY (model_no) REFERENCES models(no) ON DELETE CASCADE,
  constraint model_alias_moves_undoes_fkey FOREIGN KEY (undoes) REFERENCES model_alias_moves(no) ON DELETE CASCADE
);
CREATE INDEX model_alias_moves_alias ON public.model_alias_moves USING btree (model_no, alias, no DESC);

create table model_aliases (
  model_no bigint not null,
  alias text not null,
  version_no bigint not null,
  constraint model_aliases_pkey PRIMARY KEY (model_no, alias),
  constraint model_aliases_model_no_fkey FOREIGN KEY (model_no) REFERENCES models(no) ON DELETE CASCADE,
  constraint model_aliases_version_no_fkey FOREIGN KEY (version_no) REFERENCES model_versions(no)
);
CREATE INDEX model_aliases_version ON public.model_aliases USING btree (version_no);

create table model_files (
  sha256 text not null,
  bytes bigint not null,
  storage_key text not null,
  created_at timestamp with time zone not null default now(),
  constraint model_files_pkey PRIMARY KEY (sha256),
  constraint model_files_storage_key_key UNIQUE (storage_key),
  constraint model_files_bytes_check CHECK (bytes >= 0)
);

create table model_rates (
  model text not null,
  rate double precision not null,
  settled bigint not null,
  updated_at timestamp with time zone not null default now(),
  variance double precision not null default 0,
  constraint model_rates_pkey PRIMARY KEY (model),
  constraint model_rates_rate_check CHECK (rate > 0::double precision),
  constraint model_rates_variance_check CHECK (variance >= 0::double precision)
);

create table model_revision (
  one boolean not null default true,
  revision bigint not null default 0,
  constraint model_revision_pkey PRIMARY KEY (one),
  constraint model_revision_one_check CHECK (one)
);

create table model_versions (
  no bigint not null generated always as identity,
  model_no bigint not null,
  version text not null,
  executor text not null,
  options jsonb not null default '{}'::jsonb,
  schema jsonb,
  tags text[] not null default '{}'::text[],
  card text,
  status text not null default 'pending'::text,
  reason text,
  status_at timestamp with time zone not null default now(),
  ready_at timestamp with time zone,
  file_sha256 text,
  file_name text,
  created_by text not null,
  created_at timestamp with time zone not null default now(),
  token bigint,
  leased_until timestamp with time zone,
  vetted_by text,
  losses smallint not null default 0,
  report jsonb,
  inputs jsonb,
  outputs jsonb,
  metadata jsonb,
  output_columns jsonb,
  constraint model_versions_pkey PRIMARY KEY (no),
  constraint model_versions_model_no_version_key UNIQUE (model_no, version),
  constraint model_versions_file_sha256_fkey FOREIGN KEY (file_sha256) REFERENCES model_files(sha256),
  constraint model_versions_model_no_fkey FOREIGN KEY (model_no) REFERENCES models(no) ON DELETE CASCADE,
  constraint model_versions_check CHECK ((status = 'validating'::text) = (token IS NOT NULL)),
  constraint model_versions_check1 CHECK ((token IS NULL) = (leased_until IS NULL)),
  constraint model_versions_check2 CHECK ((status <> ALL (ARRAY['uploaded'::text, 'validating'::text])) OR file_sha256 IS NOT NULL),
  constraint model_versions_check3 CHECK (status <> 'ready'::text OR ready_at IS NOT NULL),
  constraint model_versions_check4 CHECK (status <> 'failed'::text OR reason IS NOT NULL),
  constraint model_versions_status_check CHECK (status = ANY (ARRAY['pending'::text, 'uploaded'::text, 'validating'::text, 'ready'::text, 'failed'::text, 'archived'::text]))
);
CREATE INDEX model_versions_file ON public.model_versions USING btree (file_sha256) WHERE (file_sha256 IS NOT NULL);
CREATE INDEX model_versions_served ON public.model_versions USING btree (no) WHERE (status = ANY (ARRAY['ready'::text, 'archived'::text]));
CREATE INDEX model_versions_to_vet ON public.model_versions USING btree (status_at, no) WHERE (status = ANY (ARRAY['uploaded'::text, 'validating'::text]));

create table models (
  no bigint not null generated always as identity,
  tenant_id text not null,
  name text not null,
  created_by text not null,
  created_at timestamp with time zone not null default now(),
  constraint models_pkey PRIMARY KEY (no),
  constraint models_tenant_id_name_key UNIQUE (tenant_id, name)
);

create table plan (
  one boolean not null default true,
  current bigint not null default 0,
  planned_at timestamp with time zone not null default '-infinity'::timestamp with time zone,
  constraint plan_pkey PRIMARY KEY (one),
  constraint plan_one_check CHECK (one)
);

create table pool_rates (
  model text not null,
  kind text not null,
  rate double precision not null,
  variance double precision not null default 0,
  settled bigint not null,
  updated_at timestamp with time zone not null default now(),
  constraint pool_rates_pkey PRIMARY KEY (model, kind),
  constraint pool_rates_kind_check CHECK (kind = ANY (ARRAY['spot'::text, 'dedicated'::text])),
  constraint pool_rates_rate_check CHECK (rate > 0::double precision),
  constraint pool_rates_variance_check CHECK (variance >= 0::double precision)
);

create table pools (
  name text not null,
  preemptible boolean not null,
  price double precision not null,
  minimum integer not null,
  maximum integer not null,
  backlog_ratio double precision not null,
  startup_seconds double precision not null,
  desired integer not null default 0,
  reason text not null default ''::text,
  decided_at timestamp with time zone,
  memory_gb double precision,
  gpu_memory_gb double precision,
  constraint pools_pkey PRIMARY KEY (name),
  constraint pools_backlog_ratio_check CHECK (backlog_ratio > 0::double precision),
  constraint pools_check CHECK (maximum >= minimum),
  constraint pools_minimum_check CHECK (minimum >= 0),
  constraint pools_price_check CHECK (price >= 0::double precision),
  constraint pools_startup_seconds_check CHECK (startup_seconds >= 0::double precision)
);

create table predictions (
  no bigint not null generated always as identity,
  id text not null,
  tenant_id text not null,
  created_by text not null,
  model text not null,
  status_code smallint not null,
  code text,
  message text,
  input_hash bytea,
  input_bytes integer,
  input text,
  output text,
  cache text,
  queue_ms real,
  batch_ms real,
  compute_ms real,
  total_ms real not null,
  request_id text not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  constraint predictions_pkey PRIMARY KEY (tenant_id, no),
  constraint predictions_cache_check CHECK (cache = ANY (ARRAY['hit'::text, 'miss'::text, 'bypass'::text])),
  constraint predictions_input_hash_check CHECK (length(input_hash) = 32)
) with (autovacuum_vacuum_insert_threshold=100000);
CREATE INDEX predictions_expiring ON public.predictions USING brin (expires_at);
CREATE INDEX predictions_id ON public.predictions USING btree (id);

create table remote_calls (
  key text not null,
  model text not null,
  call_id text,
  token text,
  told_at timestamp with time zone,
  told_by text,
  created_at timestamp with time zone not null default now(),
  constraint remote_calls_pkey PRIMARY KEY (key),
  constraint remote_calls_token_key UNIQUE (token),
  constraint remote_calls_check CHECK ((told_at IS NULL) = (told_by IS NULL)),
  constraint remote_calls_check1 CHECK (told_at IS NULL OR token IS NOT NULL)
);
CREATE INDEX remote_calls_old ON public.remote_calls USING btree (created_at);

create table requests (
  batch_no bigint not null,
  line integer not null,
  state text not null,
  model text not null,
  code text not null,
  message text not null,
  status_code smallint,
  attempts smallint not null,
  worker_id text,
  segment_id bigint,
  settled_at timestamp with time zone not null default now(),
  discarded_at timestamp with time zone,
  discarded_by text,
  discard_reason text,
  constraint requests_pkey PRIMARY KEY (batch_no, line),
  constraint requests_batch_no_fkey FOREIGN KEY (batch_no) REFERENCES batches(no) ON DELETE CASCADE,
  constraint requests_check CHECK (discarded_at IS NULL OR state = 'dead_lettered'::text),
  constraint requests_check1 CHECK ((discarded_at IS NULL) = (discarded_by IS NULL) AND (discarded_at IS NULL) = (discard_reason IS NULL)),
  constraint requests_state_check CHECK (state = ANY (ARRAY['failed'::text, 'dead_lettered'::text, 'cancelled'::text, 'expired'::text]))
);
CREATE INDEX requests_dead ON public.requests USING btree (batch_no DESC, line) WHERE (state = 'dead_lettered'::text);
CREATE INDEX requests_state ON public.requests USING btree (batch_no, state, line);

create table result_tables (
  batch_no bigint not null,
  state text not null default 'queued'::text,
  token bigint,
  leased_until timestamp with time zone,
  tries integer not null default 0,
  not_before timestamp with time zone not null default now(),
  reason text,
  storage_key text,
  bytes bigint,
  rows bigint,
  sha256 text,
  columns jsonb,
  created_at timestamp with time zone not null default now(),
  built_at timestamp with time zone,
  constraint result_tables_pkey PRIMARY KEY (batch_no),
  constraint result_tables_batch_no_fkey FOREIGN KEY (batch_no) REFERENCES batches(no) ON DELETE CASCADE,
  constraint result_tables_check CHECK ((state = 'building'::text) = (token IS NOT NULL)),
  constraint result_tables_check1 CHECK ((state = 'ready'::text) = (storage_key IS NOT NULL)),
  constraint result_tables_check2 CHECK (state <> 'ready'::text OR bytes IS NOT NULL AND rows IS NOT NULL AND sha256 IS NOT NULL AND columns IS NOT NULL),
  constraint result_tables_check3 CHECK ((state <> ALL (ARRAY['failed'::text, 'expired'::text])) OR reason IS NOT NULL),
  constraint result_tables_state_check CHECK (state = ANY (ARRAY['queued'::text, 'building'::text, 'ready'::text, 'failed'::text, 'expired'::text]))
);
CREATE INDEX result_tables_due ON public.result_tables USING btree (not_before) WHERE (state = ANY (ARRAY['queued'::text, 'building'::text]));
CREATE INDEX result_tables_ready ON public.result_tables USING btree (batch_no) WHERE (state = 'ready'::text);

create table result_vectors (
  no bigint not null generated always as identity,
  scope text not null,
  key bytea not null,
  space bytea not null,
  rest bytea not null,
  vector bytea not null,
  constraint result_vectors_pkey PRIMARY KEY (no),
  constraint result_vectors_scope_key_key UNIQUE (scope, key),
  constraint result_vectors_scope_key_fkey FOREIGN KEY (scope, key) REFERENCES results(scope, key) ON DELETE CASCADE
);
CREATE INDEX result_vectors_space ON public.result_vectors USING btree (scope, space, no);

create table results (
  scope text not null,
  key bytea not null,
  tenant_id text not null,
  batch_no bigint not null,
  line integer not null,
  storage_key text not null,
  body_offset bigint not null,
  body_bytes integer not null,
  status_code smallint not null,
  created_at timestamp with time zone not null default now(),
  expires_at timestamp with time zone not null,
  constraint results_pkey PRIMARY KEY (scope, key),
  constraint results_batch_no_fkey FOREIGN KEY (batch_no) REFERENCES batches(no) ON DELETE CASCADE
) with (autovacuum_vacuum_scale_factor=0.05);
CREATE INDEX results_batch ON public.results USING btree (batch_no);
CREATE INDEX results_expiring ON public.results USING btree (expires_at);
CREATE INDEX results_oldest ON public.results USING btree (scope, created_at);

create table route_changes (
  no bigint not null generated always as identity,
  tenant_id text not null,
  target text not null,
  series text not null default ''::text,
  from_models jsonb,
  to_models jsonb,
  note text,
  changed_by text not null,
  changed_at timestamp with time zone not null default now(),
  constraint route_changes_pkey PRIMARY KEY (no),
  constraint route_changes_check CHECK (from_models IS NOT NULL OR to_models IS NOT NULL)
);
CREATE INDEX route_changes_route ON public.route_changes USING btree (tenant_id, target, series, no DESC);

create table routes (
  no bigint not null generated always as identity,
  tenant_id text not null,
  target text not null,
  series text not null default ''::text,
  models jsonb not null,
  note text,
  created_by text not null,
  created_at timestamp with time zone not null default now(),
  updated_by text not null,
  updated_at timestamp with time zone not null default now(),
  constraint routes_pkey PRIMARY KEY (no),
  constraint routes_tenant_id_target_series_key UNIQUE (tenant_id, target, series),
  constraint routes_models_check CHECK (jsonb_typeof(models) = 'array'::text AND models <> '[]'::jsonb)
);

create table screens (
  batch_no bigint not null,
  spec jsonb not null,
  token bigint,
  leased_until timestamp with time zone,
  tries smallint not null default 0,
  error text,
  gathered_at timestamp with time zone,
  summary jsonb,
  run_id text,
  tracked_at timestamp with time zone,
  track_tries smallint not null default 0,
  track_error text,
  track_after timestamp with time zone not null default now(),
  constraint screens_pkey PRIMARY KEY (batch_no),
  constraint screens_batch_no_fkey FOREIGN KEY (batch_no) REFERENCES batches(no) ON DELETE CASCADE,
  constraint screens_check CHECK ((token IS NULL) = (leased_until IS NULL)),
  constraint screens_check1 CHECK (gathered_at IS NULL OR token IS NULL)
);
CREATE INDEX screens_open ON public.screens USING btree (batch_no) WHERE (gathered_at IS NULL);
CREATE INDEX screens_to_track ON public.screens USING btree (track_after) WHERE ((gathered_at IS NOT NULL) AND (tracked_at IS NULL));

create table segments (
  id bigint not null generated always as identity,
  batch_no bigint not null,
  chunk_id bigint not null,
  token bigint not null,
  part integer not null,
  worker_id text not null,
  model text not null,
  storage_key text not null,
  data_bytes bigint not null,
  manifest_bytes bigint not null,
  lines int4multirange not null,
  first_line integer not null generated always as (lower(lines)) stored,
  last_line integer not null generated always as ((upper(lines) - 1)) stored,
  completed integer not null,
  failed integer not null,
  settled_at timestamp with time zone not null default now(),
  pool text not null default 'dedicated'::text,
  constraint segments_pkey PRIMARY KEY (id),
  constraint segments_chunk_id_token_part_key UNIQUE (chunk_id, token, part),
  constraint segments_batch_no_fkey FOREIGN KEY (batch_no) REFERENCES batches(no) ON DELETE CASCADE,
  constraint segments_lines_check CHECK (NOT isempty(lines))
);
CREATE INDEX segments_batch ON public.segments USING btree (batch_no, first_line);

create table sessions (
  id bytea not null,
  tenant_id text not null,
  user_id text not null,
  key_mark bytea not null,
  agent text not null default ''::text,
  created_at timestamp with time zone not null default now(),
  seen_at timestamp with time zone not null default now(),
  ends_at timestamp with time zone not null,
  constraint sessions_pkey PRIMARY KEY (id),
  constraint sessions_id_check CHECK (length(id) = 32),
  constraint sessions_key_mark_check CHECK (length(key_mark) = 32)
);

create table settings (
  tenant_id text not null,
  user_id text not null,
  settings jsonb not null,
  updated_at timestamp with time zone not null default now(),
  constraint settings_pkey PRIMARY KEY (tenant_id, user_id)
);

create table spreads (
  what text not null,
  model text not null default ''::text,
  counts double precision[] not null,
  updated_at timestamp with time zone not null default now(),
  constraint spreads_pkey PRIMARY KEY (what, model),
  constraint spreads_what_check CHECK (what = ANY (ARRAY['request'::text, 'finalize'::text, 'estimate'::text]))
);

create table targets (
  model text not null,
  decided jsonb not null,
  decided_at timestamp with time zone not null default now(),
  constraint targets_pkey PRIMARY KEY (model)
);

create table turns (
  no bigint not null generated always as identity,
  plan bigint not null,
  kind text not null,
  model text not null,
  batch_no bigint not null,
  tenant_id text not null,
  work double precision not null,
  why text not null,
  pool text,
  chunk_id bigint,
  constraint turns_pkey PRIMARY KEY (no),
  constraint turns_batch_no_fkey FOREIGN KEY (batch_no) REFERENCES batches(no) ON DELETE CASCADE,
  constraint turns_kind_check CHECK (kind = ANY (ARRAY['spot'::text, 'dedicated'::text]))
) with (autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=1000);
CREATE INDEX turns_next ON public.turns USING btree (kind, model, plan, no);

create table upload_parts (
  id text not null,
  upload_id text not null,
  bytes bigint not null,
  storage_key text not null,
  created_at timestamp with time zone not null default now(),
  constraint upload_parts_pkey PRIMARY KEY (id),
  constraint upload_parts_upload_id_fkey FOREIGN KEY (upload_id) REFERENCES uploads(id) ON DELETE CASCADE
);
CREATE INDEX upload_parts_upload ON public.upload_parts USING btree (upload_id);

create table uploads (
  id text not null,
  tenant_id text not null,
  created_by text not null,
  filename text not null,
  purpose text not null,
  bytes bigint not null,
  mime_type text not null,
  status text not null default 'pending'::text,
  file_id text,
  file_seconds bigint,
  created_at timestamp with time zone not null default now(),
  expires_at timestamp with time zone not null,
  constraint uploads_pkey PRIMARY KEY (id),
  constraint uploads_file_id_fkey FOREIGN KEY (file_id) REFERENCES files(id),
  constraint uploads_bytes_check CHECK (bytes >= 0),
  constraint uploads_check CHECK ((status = 'completed'::text) = (file_id IS NOT NULL)),
  constraint uploads_status_check CHECK (status = ANY (ARRAY['pending'::text, 'completed'::text, 'cancelled'::text, 'expired'::text]))
);
CREATE INDEX uploads_pending ON public.uploads USING btree (expires_at) WHERE (status = 'pending'::text);

create table views (
  id text not null,
  tenant_id text not null,
  user_id text not null,
  screen text not null,
  name text not null,
  slug text not null,
  query jsonb not null,
  shared boolean not null default false,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  constraint views_pkey PRIMARY KEY (id),
  constraint views_tenant_id_user_id_screen_slug_key UNIQUE (tenant_id, user_id, screen, slug)
);
CREATE INDEX views_shared ON public.views USING btree (tenant_id, screen) WHERE shared;

create table waiting (
  batch_no bigint not null,
  line integer not null,
  model text not null,
  not_before timestamp with time zone not null,
  needs text,
  ran_in text,
  pool text,
  constraint waiting_pkey PRIMARY KEY (batch_no, line),
  constraint waiting_batch_no_fkey FOREIGN KEY (batch_no) REFERENCES batches(no) ON DELETE CASCADE,
  constraint waiting_check CHECK ((needs IS NULL) = (ran_in IS NULL)),
  constraint waiting_needs_check CHECK (needs = ANY (ARRAY['memory'::text, 'gpu_memory'::text]))
);
CREATE INDEX waiting_due ON public.waiting USING btree (not_before);

create table workers (
  id text not null,
  pool text not null,
  host text not null,
  pid integer not null,
  models text[] not null,
  state text not null default 'ready'::text,
  started_at timestamp with time zone not null default now(),
  seen_at timestamp with time zone not null default now(),
  kind text not null default 'dedicated'::text,
  drain_requested_at timestamp with time zone,
  room_bytes bigint not null default 0,
  room_gpus double precision not null default 0,
  interrupted_by text,
  interruption_counted boolean not null default false,
  loaded jsonb not null default '[]'::jsonb,
  held_bytes bigint,
  constraint workers_pkey PRIMARY KEY (id),
  constraint workers_kind_check CHECK (kind = ANY (ARRAY['spot'::text, 'dedicated'::text])),
  constraint workers_room_bytes_check CHECK (room_bytes >= 0),
  constraint workers_room_gpus_check CHECK (room_gpus >= 0::double precision),
  constraint workers_state_check CHECK (state = ANY (ARRAY['ready'::text, 'draining'::text, 'stopped'::text]))
);
