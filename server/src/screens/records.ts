import type { LigandRecord } from '@sluice/contract';
import type { BatchRow } from '../batches/rows.ts';
import type { Db } from '../db/db.ts';
import { linesOf } from '../formats/lines.ts';
import { readLines } from '../formats/read-lines.ts';
import { requestId } from '../lib/ids.ts';
import type { Models } from '../models/models.ts';
import { describeRequests, type Viewed } from '../requests/view.ts';
import { NotFound, type Storage } from '../storage/storage.ts';

export interface RecordDeps {
  db: Db;
  storage: Storage;
  /** The executor of a model, `name@version`. */
  executorOf: (model: string, tenant: string) => string | null;
}

export const executorOf =
  (models: Models): RecordDeps['executorOf'] =>
  (model, tenant) =>
    models.find(model, tenant)?.executor ?? null;

type Json = Record<string, unknown>;

const isDict = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const textIn = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const numberIn = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null);

/** What the request line of a ligand says. */
interface Asked {
  id: string;
  name: string | null;
  smiles: string | null;
  ccd: string | null;
  canonical: string | null;
  inchikey: string | null;
  /** Known not to run when the screen was created. */
  problem: { code: string; message: string } | null;
  body: Json;
}

const askedBy = (line: Json): Asked => {
  const body = isDict(line['body']) ? line['body'] : {};
  const inputs = isDict(body['inputs']) ? body['inputs'] : {};
  const ligand = isDict(inputs['ligand']) ? inputs['ligand'] : inputs;
  const problem = isDict(inputs['problem']) ? inputs['problem'] : null;
  return {
    id: textIn(line['custom_id']) ?? '',
    name: textIn(inputs['name']),
    smiles: textIn(ligand['smiles']),
    ccd: textIn(ligand['ccd']),
    canonical: textIn(inputs['smiles_canonical']),
    inchikey: textIn(inputs['inchikey']),
    problem: problem && { code: textIn(problem['code']) ?? 'invalid_request', message: textIn(problem['message']) ?? '' },
    body,
  };
};

const nobody = (line: number): Asked => askedBy({ custom_id: `line-${line}` });

const askedOf = async (storage: Storage, batch: BatchRow, numbers: readonly number[]): Promise<Map<number, Asked>> => {
  const asked = new Map<number, Asked>();
  if (batch.input_key === null || batch.index_key === null) return asked;
  try {
    for await (const group of readLines(storage, { inputKey: batch.input_key, indexKey: batch.index_key }, linesOf(numbers)))
      for (const { line, bytes } of group) asked.set(line, askedBy(JSON.parse(bytes.toString('utf8')) as Json));
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
  }
  return asked;
};

/** The outputs of a request that succeeded. */
const outputsOf = async (storage: Storage, { result, state }: Viewed): Promise<Json> => {
  if (state !== 'completed' || result === null) return {};
  const line = JSON.parse((await storage.read(result.key, result)).toString('utf8')) as { response?: { body?: { outputs?: unknown } } };
  const outputs = line.response?.body?.outputs;
  return isDict(outputs) ? outputs : {};
};

const refused: ReadonlySet<string> = new Set(['invalid_request', 'invalid_input', 'invalid_smiles']);

const statusOf = ({ state, error }: Pick<Viewed, 'state' | 'error'>, { problem }: Asked): LigandRecord['status'] => {
  switch (state) {
    case 'completed':
      return 'ok';
    case 'cancelled':
    case 'expired':
      return problem === null ? 'skipped' : 'invalid';
    case 'failed':
    case 'dead_lettered':
      if (problem !== null || refused.has(error?.code ?? '')) return 'invalid';
      return error?.code === 'out_of_memory' ? 'oom' : 'failed';
    default:
      return state === 'running' ? 'running' : 'queued';
  }
};

const membersOf = (value: unknown): LigandRecord['affinity_members'] =>
  Array.isArray(value)
    ? value.filter(isDict).map((each) => ({
        affinity_pred_value: numberIn(each['affinity_pred_value']) ?? 0,
        affinity_probability_binary: numberIn(each['affinity_probability_binary']) ?? 0,
      }))
    : null;

const ended: Record<string, { code: string; message: string }> = {
  cancelled: { code: 'batch_cancelled', message: 'The screen was cancelled before it was done.' },
  expired: { code: 'batch_expired', message: 'It could not be done before the deadline.' },
};

const recordOf = (batch: BatchRow, viewed: Viewed, asked: Asked, outputs: Json, executor: string | null): LigandRecord => {
  const figure = (name: string): number | null => numberIn(outputs[name]);
  const value = figure('affinity_pred_value');
  return {
    object: 'screen.ligand',
    line: viewed.line,
    request: requestId(batch.id, viewed.line),
    id: asked.id,
    name: asked.name,
    smiles_submitted: asked.smiles,
    ccd: asked.ccd,
    smiles_canonical: asked.canonical,
    inchikey: asked.inchikey,
    state: viewed.state,
    status: statusOf(viewed, asked),
    error: asked.problem ?? viewed.error ?? ended[viewed.state] ?? null,
    affinity_pred_value: value,
    // The model's own definition, whoever answered: what other servers call pIC50 is another number.
    pic50: value === null ? null : Number((6 - value).toPrecision(6)),
    ic50_um: value === null ? null : Number((10 ** value).toPrecision(6)),
    affinity_probability_binary: figure('affinity_probability_binary'),
    affinity_members: membersOf(outputs['affinity_members']),
    confidence_score: figure('confidence_score'),
    ptm: figure('ptm'),
    iptm: figure('iptm'),
    ligand_iptm: figure('ligand_iptm'),
    complex_plddt: figure('complex_plddt'),
    complex_pde: figure('complex_pde'),
    structure_path: null,
    plddt_path: null,
    params: isDict(outputs['parameters']) ? outputs['parameters'] : null,
    msa: textIn(outputs['msa']),
    executor: executor ?? 'unknown',
    tool: isDict(outputs['tool']) ? outputs['tool'] : null,
    model_version: viewed.model,
    attempts: viewed.attempts,
    seconds: viewed.duration_ms === null ? null : viewed.duration_ms / 1_000,
    worker: viewed.worker,
    pool: viewed.pool,
  };
};

/** A ligand's record, and the request it is of. */
export interface Found {
  record: LigandRecord;
  /** The request's body. */
  asked: Json;
  outputs: Json;
}

/** Of the given lines of a screen, in ascending order. */
export const ligandsOf = async (deps: RecordDeps, batch: BatchRow, numbers: readonly number[]): Promise<Found[]> => {
  const { storage } = deps;
  const [viewed, asked] = await Promise.all([describeRequests(deps, batch, numbers), askedOf(storage, batch, numbers)]);
  return Promise.all(
    viewed.map(async (each) => {
      const own = asked.get(each.line) ?? nobody(each.line);
      const outputs = await outputsOf(storage, each);
      const executor = each.model === null ? null : deps.executorOf(each.model, batch.tenant_id);
      return { record: recordOf(batch, each, own, outputs, executor), asked: own.body, outputs };
    }),
  );
};
