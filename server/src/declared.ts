import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Node, type YAMLMap } from 'yaml';
import type { ApiKey } from './auth/identity.ts';
import type { PoolConfig } from './policy/pools.ts';
import { lanes, type Lane } from './policy/turns.ts';
import { noQuotas, type Quota, type Quotas } from './policy/quotas.ts';
import { didYouMean } from './lib/suggest.ts';
import { messageOf } from './lib/errors.ts';
import { echo, executorEndpoints, modelKey, type ExecutorName, type ModelSpec, type OutputColumns } from './models/models.ts';
import { nameProblem, parseReference } from './models/names.ts';
import { routeNameProblem, type DeclaredRoute, type Recommended } from './models/recommended.ts';
import { isVersion } from './models/versions.ts';
import { options, parse, type Option } from './options.ts';

/** What `sluice.yaml` says, with the place of each thing, so that a mistake can be pointed at. */
export interface Declared {
  /** Its folder: paths in it are relative to this. */
  folder: string;
  values: Map<string, { raw: unknown; where: string }>;
  keys: ApiKey[];
  models: ModelSpec[];
  pools: PoolConfig[];
  quotas: Quotas;
  routes: DeclaredRoute[];
}

type Report = (problem: string) => void;

/** Reads and checks `sluice.yaml`; what is wrong goes to `report`, all of it. */
export const readDeclared = (file: string, report: Report): Declared => {
  const declared: Declared = { folder: dirname(file), values: new Map(), keys: [], models: [], pools: [], quotas: noQuotas, routes: [] };
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    report(`${file}: cannot be read: ${messageOf(error)}.`);
    return declared;
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (node: unknown): string => {
    const range = (node as Node | null | undefined)?.range;
    return range ? `${file}:${lines.linePos(range[0]).line}` : file;
  };
  for (const error of document.errors) report(`${file}:${lines.linePos(error.pos[0]).line}: ${error.message}.`);
  if (document.errors.length > 0 || document.contents === null) return declared;
  if (!isMap(document.contents)) {
    report(`${file}: must be a mapping of options to values.`);
    return declared;
  }

  const sections = new Set(options.filter((o) => o.key.includes('.')).map((o) => o.key.split('.')[0]!));
  const visit = (map: Node, prefix: string): void => {
    if (!isMap(map)) return report(`${at(map)}: ${prefix.slice(0, -1)} must be a mapping.`);
    const known = [...options.map((o) => o.key), ...sections, 'keys', 'models', 'pools', 'quotas', 'routes']
      .filter((key) => key.startsWith(prefix))
      .map((key) => key.slice(prefix.length));
    for (const { key: keyNode, value } of map.items) {
      const name = String(isScalar(keyNode) ? keyNode.value : keyNode);
      const key = prefix + name;
      if (key === 'keys') declared.keys = readKeys(value as Node | null, declared.folder, at, report);
      else if (key === 'models') declared.models = readModels(value as Node | null, declared.folder, at, report);
      else if (key === 'pools') declared.pools = readPools(value as Node | null, at, report);
      else if (key === 'quotas') declared.quotas = readQuotas(value as Node | null, at, report);
      else if (key === 'routes') declared.routes = readRoutes(value as Node | null, at, report);
      else if (prefix === '' && sections.has(name)) {
        if (!isScalar(value) || value.value !== null) visit(value as Node, `${name}.`);
      } else if (options.some((o) => o.key === key)) {
        if (isScalar(value) && value.value !== null) declared.values.set(key, { raw: value.value, where: at(keyNode) });
        else if (value !== null && !isScalar(value)) report(`${at(keyNode)}: ${key} must be a single value.`);
      } else
        report(
          `${at(keyNode)}: unknown option ${key}.${didYouMean(
            name,
            known.filter((k) => !k.includes('.')),
          )}`,
        );
    }
  };
  visit(document.contents, '');
  return declared;
};

type At = (node: unknown) => string;

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Each entry of a list as a plain object whose keys are known. */
const entries = (
  node: Node | null,
  name: string,
  known: readonly string[],
  at: At,
  report: Report,
): { entry: Record<string, unknown>; where: string; node: YAMLMap }[] => {
  if (node === null || (isScalar(node) && node.value === null)) return [];
  if (!isSeq(node)) {
    report(`${at(node)}: ${name} must be a list.`);
    return [];
  }
  return node.items.flatMap((item) => {
    if (!isMap(item)) {
      report(`${at(item)}: each of ${name} must be a mapping with ${known.join(', ')}.`);
      return [];
    }
    for (const { key } of item.items) {
      const found = String(isScalar(key) ? key.value : key);
      if (!known.includes(found)) report(`${at(key)}: unknown option ${found} in ${name}.${didYouMean(found, known)}`);
    }
    return [{ entry: item.toJSON() as Record<string, unknown>, where: at(item), node: item }];
  });
};

const plainName = /^[A-Za-z0-9._-]{1,64}$/;
/** What fits into an `Authorization` header: visible ASCII. */
export const keyText = /^[\x21-\x7e]{1,512}$/;

const roles = ['user', 'admin'] as const;

const readKeys = (node: Node | null, folder: string, at: At, report: Report): ApiKey[] =>
  entries(node, 'keys', ['key', 'key_file', 'tenant', 'user', 'role'], at, report).flatMap(({ entry, where }) => {
    const before = { wrong: false };
    const wrong = (problem: string) => {
      before.wrong = true;
      report(`${where}: ${problem}`);
    };
    let key = entry['key'];
    if ((key === undefined) === (entry['key_file'] === undefined)) wrong('an entry of keys needs either key or key_file.');
    else if (entry['key_file'] !== undefined) {
      try {
        key = readFileSync(resolve(folder, text(entry['key_file'])), 'utf8').trim();
      } catch (error) {
        wrong(`key_file cannot be read: ${messageOf(error)}.`);
      }
    }
    if (!before.wrong && (typeof key !== 'string' || !keyText.test(key)))
      wrong('key must be text of visible ASCII characters, without spaces.');
    for (const field of ['tenant', 'user'] as const)
      if (typeof entry[field] !== 'string' || !plainName.test(entry[field]))
        wrong(`${field} must be a name of 1 to 64 letters, digits, '.', '_' or '-'.`);
    const role = roles.find((known) => known === entry['role']);
    if (entry['role'] !== undefined && role === undefined) wrong(`role must be ${roles.join(' or ')}.`);
    return before.wrong ? [] : [{ key: String(key), tenant: String(entry['tenant']), user: String(entry['user']), ...(role && { role }) }];
  });

const fleets = ['none', 'local', 'kubernetes'] as const;

const readPools = (node: Node | null, at: At, report: Report): PoolConfig[] =>
  entries(
    node,
    'pools',
    [
      'name',
      'preemptible',
      'price',
      'minimum',
      'maximum',
      'backlog_ratio',
      'startup_seconds',
      'memory_gb',
      'gpu_memory_gb',
      'fleet',
      'lanes',
    ],
    at,
    report,
  ).flatMap(({ entry, where }) => {
    const problems: string[] = [];
    const number = (field: string, fallback: number, least: number, whole = false): number => {
      const value = entry[field] ?? fallback;
      if (typeof value === 'number' && Number.isFinite(value) && value >= least && (!whole || Number.isInteger(value))) return value;
      problems.push(`${field} must be a ${whole ? 'whole ' : ''}number of at least ${least}.`);
      return fallback;
    };
    const { name, preemptible = false, fleet = 'none' } = entry;
    if (!fleets.some((known) => known === fleet)) problems.push(`fleet must be one of ${fleets.join(', ')}.`);
    if (typeof name !== 'string' || !plainName.test(name)) problems.push(`name must be 1 to 64 letters, digits, '.', '_' or '-'.`);
    if (typeof preemptible !== 'boolean') problems.push('preemptible must be true or false.');
    const pool: PoolConfig = {
      name: String(name),
      preemptible: preemptible === true,
      price: number('price', preemptible === true ? 0.3 : 1, 0),
      minimum: number('minimum', 0, 0, true),
      maximum: number('maximum', 16, 0, true),
      // One worker for each 5 queued requests where they are cheap, for each 10 where they are not.
      backlogRatio: number('backlog_ratio', preemptible === true ? 5 : 10, 1),
      startupSeconds: number('startup_seconds', 60, 0),
      ...(entry['memory_gb'] !== undefined && { memoryGb: number('memory_gb', 0, 0) }),
      ...(entry['gpu_memory_gb'] !== undefined && { gpuMemoryGb: number('gpu_memory_gb', 0, 0) }),
      fleet: fleets.find((known) => known === fleet) ?? 'none',
      ...(entry['lanes'] !== undefined && entry['lanes'] !== null && { lanes: readLanes(entry['lanes'], problems) }),
    };
    if (pool.maximum < pool.minimum) problems.push('maximum must not be below minimum.');
    for (const problem of problems) report(`${where}: pool ${typeof name === 'string' ? `${name}: ` : ''}${problem}`);
    return problems.length > 0 ? [] : [pool];
  });

/** `{ bulk: 0.3, jobs: 0.2 }`: what is not named is reserved nothing. */
const readLanes = (given: unknown, problems: string[]): Record<Lane, number> => {
  const shares = { interactive: 0, jobs: 0, bulk: 0 };
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    problems.push(`lanes must be a mapping of ${lanes.join(', ')} to shares, such as { bulk: 0.3 }.`);
    return shares;
  }
  for (const [name, share] of Object.entries(given)) {
    const lane = lanes.find((known) => known === name);
    if (lane === undefined) problems.push(`lanes: unknown lane ${name}; there are ${lanes.join(', ')}.`);
    else if (typeof share !== 'number' || !(share >= 0 && share <= 1)) problems.push(`lanes.${name} must be a number from 0 to 1.`);
    else shares[lane] = share;
  }
  if (shares.interactive + shares.jobs + shares.bulk > 1 + 1e-9) problems.push('lanes: the shares must not add up to more than 1.');
  return shares;
};

const quotaKeys: Record<string, { field: keyof Quota; kind: Option['kind'] }> = {
  max_batches: { field: 'maxBatches', kind: 'integer' },
  max_queued_requests: { field: 'maxQueuedRequests', kind: 'integer' },
  max_in_flight: { field: 'maxInFlight', kind: 'integer' },
  max_queued_bytes: { field: 'maxQueuedBytes', kind: 'bytes' },
};

const readQuotas = (node: Node | null, at: At, report: Report): Quotas => {
  /** The entries of a mapping; those that are not among `known` are reported. */
  const fields = (of: unknown, name: string, known: readonly string[] | null): { key: string; value: unknown; where: string }[] => {
    if (of === null || (isScalar(of) && of.value === null)) return [];
    if (!isMap(of)) {
      report(`${at(of)}: ${name} must be a mapping.`);
      return [];
    }
    return of.items.flatMap(({ key: keyNode, value }) => {
      const key = String(isScalar(keyNode) ? keyNode.value : keyNode);
      if (known === null || known.includes(key)) return [{ key, value, where: at(keyNode) }];
      report(`${at(keyNode)}: unknown option ${name}.${key}.${didYouMean(key, known)}`);
      return [];
    });
  };
  const quota = (of: unknown, name: string): Partial<Quota> =>
    Object.fromEntries(
      fields(of, name, Object.keys(quotaKeys)).flatMap(({ key, value, where }): [string, number | null][] => {
        const { field, kind } = quotaKeys[key]!;
        const raw = isScalar(value) ? value.value : value;
        // Null is any number: one tenant may have more than the others.
        if (raw === null) return [[field, null]];
        const parsed = parse({ key, kind, default: null, about: '', min: 1 }, raw);
        if (!('problem' in parsed)) return [[field, Number(parsed.value)]];
        report(`${where}: ${name}.${key} ${parsed.problem}, not ${JSON.stringify(raw)}.`);
        return [];
      }),
    );
  const quotas = { ...noQuotas, tenants: {} as Record<string, Partial<Quota>> };
  for (const { key, value } of fields(node, 'quotas', ['global', 'tenant', 'user', 'tenants']))
    if (key !== 'tenants') quotas[key as 'global' | 'tenant' | 'user'] = { ...noQuotas.global, ...quota(value, `quotas.${key}`) };
    else
      for (const { key: tenant, value: own, where } of fields(value, 'quotas.tenants', null))
        if (plainName.test(tenant)) quotas.tenants[tenant] = quota(own, `quotas.tenants.${tenant}`);
        else report(`${where}: quotas.tenants: a tenant is named by 1 to 64 letters, digits, '.', '_' or '-'.`);
  return quotas;
};

/** Options of executors that name files or folders: a relative one is meant from the folder of `sluice.yaml`. */
export const paths: ReadonlySet<string> = new Set(['path', 'api_key_file', 'callback_secret_file', 'cache']);

/** A program without a slash is looked for where programs are; with one it is a path like the others. */
const isPath = (option: string, value: string): boolean => paths.has(option) || (option === 'program' && value.includes('/'));

/** What is wrong with a JSON Schema, with the place in `sluice.yaml` of the part that is. */
const schemaProblems = (schema: unknown, node: YAMLMap, at: At): { where: string; problem: string }[] => {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema))
    return [{ where: at(node.get('schema', true)), problem: 'schema must be a mapping: a JSON Schema of the inputs.' }];
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  if (ajv.validateSchema(schema) !== true)
    return (ajv.errors ?? []).slice(0, 5).map(({ instancePath, message = 'is not valid' }) => {
      const path = instancePath
        .split('/')
        .slice(1)
        .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
      return { where: at(node.getIn(['schema', ...path], true)), problem: `${['schema', ...path].join('.')} ${message}.` };
    });
  try {
    ajv.compile(schema);
    return [];
  } catch (error) {
    return [{ where: at(node.get('schema', true)), problem: `schema ${messageOf(error)}.` }];
  }
};

/** What is wrong with the columns of outputs, with the place of the one that is. */
const columnProblems = (columns: unknown, node: YAMLMap, at: At): { where: string; problem: string }[] => {
  const isMapping = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isMapping(columns))
    return [{ where: at(node.get('output_columns', true)), problem: 'output_columns must be a mapping of names to title and unit.' }];
  return Object.entries(columns).flatMap(([name, column]) => {
    const right =
      isMapping(column) &&
      Object.entries(column).every(([key, value]) => (key === 'title' || key === 'unit') && typeof value === 'string' && value !== '');
    const where = at(node.getIn(['output_columns', name], true));
    return right ? [] : [{ where, problem: `output_columns.${name} must have a title, a unit or both, as text, and nothing else.` }];
  });
};

const readModels = (node: Node | null, folder: string, at: At, report: Report): ModelSpec[] => {
  const seen = new Set([modelKey(echo)]);
  return entries(node, 'models', ['name', 'version', 'executor', 'options', 'schema', 'output_columns'], at, report).flatMap(
    ({ entry, where, node: map }) => {
      const { name, version, executor, options: own = {}, schema, output_columns: columns } = entry;
      const problems: string[] = [];
      const wrongName = nameProblem(text(name));
      if (wrongName !== null) problems.push(`name ${wrongName}`);
      if (typeof version !== 'string' || !isVersion(version))
        problems.push(
          `version must be semantic and in quotes, such as "1.0.0"${version === undefined ? '' : `, not ${JSON.stringify(version)}`}.`,
        );
      if (typeof executor !== 'string' || !Object.hasOwn(executorEndpoints, executor))
        problems.push(
          `executor must be one of ${Object.keys(executorEndpoints).join(', ')}.${didYouMean(text(executor), Object.keys(executorEndpoints))}`,
        );
      if (typeof own !== 'object' || own === null || Array.isArray(own)) problems.push('options must be a mapping.');
      if (problems.length === 0) {
        const key = modelKey({ name: name as string, version: version as string });
        if (seen.has(key))
          problems.push(key === modelKey(echo) ? `${key} is always there and cannot be declared.` : `${key} is declared twice.`);
        seen.add(key);
      }
      const found = problems.map((problem) => ({ where, problem }));
      if (columns !== undefined && columns !== null) found.push(...columnProblems(columns, map, at));
      if (schema !== undefined && schema !== null) found.push(...schemaProblems(schema, map, at));
      for (const each of found) report(`${each.where}: model ${typeof name === 'string' ? `${name}: ` : ''}${each.problem}`);
      if (found.length > 0) return [];
      const resolved = Object.fromEntries(
        Object.entries(own as Record<string, unknown>).map(([key, value]) => [
          key,
          typeof value === 'string' && isPath(key, value) ? resolve(folder, value) : value,
        ]),
      );
      return [
        {
          name: name as string,
          version: version as string,
          executor: executor as ExecutorName,
          options: resolved,
          ...(schema !== undefined && schema !== null && { schema: schema as Record<string, unknown> }),
          ...(columns !== undefined && columns !== null && { outputColumns: columns as OutputColumns }),
        },
      ];
    },
  );
};

const readRoutes = (node: Node | null, at: At, report: Report): DeclaredRoute[] => {
  const seen = new Set<string>();
  return entries(node, 'routes', ['target', 'series', 'models', 'note'], at, report).flatMap(({ entry, where }) => {
    const { target, series = null, note = null } = entry;
    const problems: string[] = [];
    const wrongTarget = routeNameProblem(text(target));
    if (wrongTarget !== null) problems.push(`target ${wrongTarget}`);
    const wrongSeries = series === null ? null : routeNameProblem(text(series));
    if (wrongSeries !== null) problems.push(`series ${wrongSeries}`);
    if (note !== null && typeof note !== 'string') problems.push('note must be text.');
    const models = readRecommended(entry['models'], problems);
    const key = `${text(target)}/${text(series)}`;
    if (problems.length === 0 && seen.has(key)) problems.push('is declared twice.');
    seen.add(key);
    for (const problem of problems) report(`${where}: route ${key.replace(/\/$/, '')}: ${problem}`);
    return problems.length > 0
      ? []
      : [{ target: text(target), series: series === null ? null : text(series), models, note: note as string | null }];
  });
};

/** `[aqsol-logs, {model: huuskonen-logs, weight: 2, from: 2026-12-01}]`. */
const readRecommended = (given: unknown, problems: string[]): Recommended[] => {
  if (!Array.isArray(given) || given.length === 0) {
    problems.push('models must be a list with at least one model.');
    return [];
  }
  return given.map((each: unknown): Recommended => {
    const entry: Record<string, unknown> = typeof each === 'object' && each !== null ? (each as Record<string, unknown>) : { model: each };
    const { model, weight = 1, from = null, until = null } = entry;
    const unknown = Object.keys(entry).find((key) => !['model', 'weight', 'from', 'until'].includes(key));
    if (unknown !== undefined)
      problems.push(`unknown option ${unknown} of a model.${didYouMean(unknown, ['model', 'weight', 'from', 'until'])}`);
    if (parseReference(text(model)) === null) problems.push(`'${String(model)}' is no model: name, name@version or name@alias.`);
    if (typeof weight !== 'number' || !(weight >= 0)) problems.push(`weight of ${text(model)} must be a number of at least 0.`);
    const second = (what: string, value: unknown): number | null => {
      if (value === null) return null;
      const at = typeof value === 'string' ? Date.parse(value) : Number.NaN;
      if (Number.isNaN(at)) problems.push(`${what} of ${text(model)} must be a date such as 2026-12-01 or 2026-12-01T06:00Z.`);
      return Math.floor(at / 1_000);
    };
    const [start, end] = [second('from', from), second('until', until)];
    if (start !== null && end !== null && end <= start) problems.push(`${text(model)} would never hold: until is not after from.`);
    return { model: text(model), weight: Number(weight), valid_from: start, valid_until: end };
  });
};
