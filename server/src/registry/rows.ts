import { endpoints, type Model, type ModelDetails, type ModelPort, type ModelReport, type ModelStatus } from '@sluice/contract';
import { sql } from '../db/sql.ts';
import { executorEndpoints, type ModelSpec, type OutputColumns } from '../models/models.ts';
import { newestOf } from '../models/versions.ts';

/** A registered version as lists need it; times are seconds since the epoch. */
export interface VersionRow {
  no: number;
  model_no: number;
  name: string;
  version: string;
  executor: string;
  status: ModelStatus;
  reason: string | null;
  status_at: number;
  ready_at: number | null;
  created_at: number;
  created_by: string;
  tags: string[];
  file_name: string | null;
  file_sha256: string | null;
  file_bytes: number | null;
  aliases: string[];
}

/** The rest of it, which may be long. */
export interface DetailRow {
  options: Record<string, unknown>;
  schema: Record<string, unknown> | null;
  output_columns: OutputColumns | null;
  card: string | null;
  inputs: ModelPort[] | null;
  outputs: ModelPort[] | null;
  metadata: Record<string, unknown> | null;
  report: ModelReport | null;
}

/** Of `model_versions v`, `models m` and, where there is one, `model_files f`. */
export const versionColumns = sql`
  v.no, v.model_no, m.name, v.version, v.executor, v.status, v.reason, extract(epoch from v.status_at)::float8 as status_at,
  extract(epoch from v.ready_at)::float8 as ready_at, floor(extract(epoch from v.created_at))::bigint as created_at, v.created_by,
  v.tags, v.file_name, v.file_sha256, f.bytes as file_bytes,
  array(select alias from model_aliases a where a.version_no = v.no order by alias) as aliases`;

export const versionTables = sql`model_versions v join models m on m.no = v.model_no left join model_files f on f.sha256 = v.file_sha256`;

export const detailColumns = sql`v.options, v.schema, v.output_columns, v.card, v.inputs, v.outputs, v.metadata, v.report`;

const endpointsOf = (executor: string): string[] => {
  const found = Object.entries(executorEndpoints).find(([name]) => name === executor)?.[1];
  return [...(found === undefined ? [] : (found ?? endpoints))];
};

export const latestOf = (siblings: readonly VersionRow[]): VersionRow | null =>
  newestOf(siblings.filter(({ status }) => status === 'ready'));

/** @param id `name` where the model is meant, `name@version` where the version is */
export const toModel = (row: VersionRow, siblings: readonly VersionRow[], id: string): Model => ({
  id,
  object: 'model',
  created: row.created_at,
  owned_by: row.created_by,
  name: row.name,
  version: row.version,
  executor: row.executor,
  endpoints: endpointsOf(row.executor),
  status: row.status,
  reason: row.reason,
  status_at: row.status_at,
  declared: false,
  latest: latestOf(siblings)?.version ?? null,
  versions: siblings.length,
  aliases: row.aliases,
  tags: row.tags,
  file:
    row.file_sha256 === null || row.file_bytes === null
      ? null
      : { filename: row.file_name, bytes: row.file_bytes, sha256: row.file_sha256 },
});

const secret = /(^|_)(key|token|secret|password)$/;

/** Options as they may be shown: what opens a door elsewhere is not. */
const shownOptions = (options: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(options).map(([name, value]) => [name, secret.test(name) || name === 'headers' ? '[redacted]' : value]),
  );

export const toDetails = (model: Model, row: DetailRow & { ready_at: number | null }): ModelDetails => ({
  ...model,
  options: shownOptions(row.options),
  schema: row.schema,
  output_columns: row.output_columns,
  card: row.card,
  inputs: row.inputs,
  outputs: row.outputs,
  metadata: row.metadata,
  report: row.report,
  ready_at: row.ready_at,
});

/** A version that the configuration declares: always ready, and nobody's. */
export const toDeclared = (spec: ModelSpec, siblings: readonly ModelSpec[], id: string): Model => ({
  id,
  object: 'model',
  created: 0,
  owned_by: 'sluice',
  name: spec.name,
  version: spec.version,
  executor: spec.executor,
  endpoints: endpointsOf(spec.executor),
  status: 'ready',
  reason: null,
  status_at: null,
  declared: true,
  latest: newestOf(siblings)?.version ?? null,
  versions: siblings.length,
  aliases: [],
  tags: [],
  file: null,
});

/** Paths of the server are nobody's business. */
export const declaredDetails = (model: Model, { options, schema, outputColumns }: ModelSpec): ModelDetails => ({
  ...model,
  options: Object.fromEntries(Object.entries(shownOptions(options)).filter(([name]) => !/(^|_)(path|file|url|command)$/.test(name))),
  schema: schema ?? null,
  output_columns: outputColumns ?? null,
  card: null,
  inputs: null,
  outputs: null,
  metadata: null,
  report: null,
  ready_at: null,
});
