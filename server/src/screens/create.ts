import type { CreateScreen } from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import type { NewBatch } from '../batches/asked.ts';
import { checkWindow, createBatch } from '../batches/create.ts';
import type { BatchRow } from '../batches/rows.ts';
import type { Chemistry } from '../chemistry/chemistry.ts';
import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { createFile } from '../files/files.ts';
import { markDeleted } from '../files/queries.ts';
import { ApiError } from '../lib/errors.ts';
import { answers, type Models, type ModelSpec } from '../models/models.ts';
import type { Quotas } from '../policy/quotas.ts';
import type { Storage } from '../storage/storage.ts';
import { readLigands, type Ligand } from './ligands.ts';

export interface ScreenDeps {
  db: Db;
  storage: Storage;
  models: Models;
  quotas?: Quotas;
  semantic?: boolean;
  /** What is wrong with a request of the model, in its executor's words; null: nothing, or nobody can say. */
  problemOf: (model: ModelSpec, body: Record<string, unknown>) => string | null;
  /** Whether ligands are molecules is known before any machine is rented for them. */
  chemistry: Pick<Chemistry, 'check'>;
}

type Json = Record<string, unknown>;

/** What a screen is about, as its row keeps it. */
export interface ScreenSpec {
  proteins: { id: string[]; residues: number; msa: boolean }[];
  ligands: number;
  invalid: number;
  affinity: boolean;
  parameters: Json;
}

const oneWeek = '7d';

/** The window that ends at the deadline; in minutes, as windows are said. */
const windowOf = ({ completion_window: window, deadline }: CreateScreen): string => {
  if (window !== undefined && deadline !== undefined)
    throw new ApiError('invalid_value', 'Give either deadline or completion_window, not both.', { param: 'deadline' });
  if (deadline === undefined) return window ?? oneWeek;
  const minutes = Math.floor((deadline * 1_000 - Date.now()) / 60_000);
  if (minutes < 1) throw new ApiError('invalid_value', 'The deadline must be a minute or more from now.', { param: 'deadline' });
  return `${minutes}m`;
};

const proteinsOf = ({ protein, proteins }: CreateScreen): ScreenSpec['proteins'] =>
  (proteins ?? [protein!]).map((one) => {
    const { sequence, id, msa } = typeof one === 'string' ? { sequence: one } : { id: undefined, msa: undefined, ...one };
    return { id: [id ?? []].flat(), residues: sequence.replaceAll(/\s+/g, '').length, msa: msa !== undefined };
  });

/** The body of the request of a ligand. */
const bodyOf = (given: CreateScreen, model: string, ligand: Pick<Ligand, 'name' | 'smiles' | 'ccd'>, found: Json = {}): Json => {
  const { protein, proteins, pocket, templates, affinity, parameters } = given;
  const inputs = {
    ...(ligand.name !== null && { name: ligand.name }),
    ...(protein !== undefined && { protein }),
    ...(proteins !== undefined && { proteins }),
    ligand: { ...(ligand.smiles !== null && { smiles: ligand.smiles }), ...(ligand.ccd !== null && { ccd: ligand.ccd }) },
    ...(pocket && { pocket }),
    ...(templates && { templates }),
    ...(affinity !== undefined && { affinity }),
    ...found,
  };
  return { model, inputs, ...(parameters && { parameters }) };
};

/** Ligands that came as structures, with the SMILES of these. */
const named = async ({ chemistry }: ScreenDeps, ligands: readonly Ligand[]): Promise<Ligand[]> => {
  const drawn = ligands.filter(({ molblock, problem }) => molblock !== null && problem === null);
  const found = await chemistry.check(
    drawn.map(({ molblock }) => molblock!),
    { molblock: true },
  );
  const of = new Map(drawn.map((ligand, i) => [ligand, found[i]!]));
  return ligands.map((ligand) => {
    const made = of.get(ligand);
    if (made === undefined) return ligand;
    return made.ok ? { ...ligand, smiles: made.smiles } : { ...ligand, problem: made.message };
  });
};

interface Written {
  lines: string[];
  problems: { ligand: Ligand; place: number; code: string; message: string }[];
}

/** The request lines, one a ligand; what is known about each beside it, also that it cannot run. */
const writeLines = async (deps: ScreenDeps, given: CreateScreen, model: ModelSpec, ligands: readonly Ligand[]): Promise<Written> => {
  const reference = `${model.name}@${model.version}`;
  const withSmiles = ligands.filter(({ smiles }) => smiles !== null);
  const found = await deps.chemistry.check(withSmiles.map(({ smiles }) => smiles!));
  const checked = new Map(withSmiles.map((ligand, i) => [ligand, found[i]]));
  const problems: Written['problems'] = [];
  const lines = ligands.map((ligand, place) => {
    const smiles = checked.get(ligand);
    const known = smiles?.ok === true ? { smiles_canonical: smiles.smiles, ...(smiles.inchikey && { inchikey: smiles.inchikey }) } : {};
    let body = bodyOf(given, reference, ligand, known);
    let problem: { code: string; message: string } | null = smiles?.ok === false ? { code: smiles.code, message: smiles.message } : null;
    if (ligand.problem !== null) problem = { code: 'invalid_input', message: ligand.problem };
    else if (ligand.smiles === null && ligand.ccd === null)
      problem = { code: 'invalid_input', message: 'It has neither SMILES nor a CCD code.' };
    const said = problem === null ? deps.problemOf(model, body) : null;
    if (said !== null) problem = { code: 'invalid_request', message: said };
    if (problem !== null) {
      problems.push({ ligand, place, ...problem });
      body = bodyOf(given, reference, ligand, { problem });
    }
    return `${JSON.stringify({ custom_id: ligand.id, method: 'POST', url: '/v1/predict', body })}\n`;
  });
  return { lines, problems };
};

const refusal = (problems: Written['problems'], ligands: number): ApiError => {
  const first = problems
    .slice(0, 5)
    .map(({ ligand: { id, name }, place, message }) => `Ligand ${place + 1} ('${id}'${name === null ? '' : `, ${name}`}): ${message}`);
  const more = problems.length > 5 ? ` And ${problems.length - 5} more.` : '';
  return new ApiError('invalid_value', `${problems.length} of ${ligands} ligands cannot be run. ${first.join(' ')}${more}`, {
    param: `ligands.${problems[0]!.place}`,
  });
};

/**
 * Creates a screen: checks all that can be known, writes the request lines into a file of the tenant's, and makes an
 * ordinary batch of it. What concerns all ligands (the protein, the parameters) is refused at once; what concerns one
 * follows `invalid`.
 */
export const createScreen = async (
  deps: ScreenDeps,
  identity: Identity,
  given: CreateScreen,
  idempotencyKey?: string,
): Promise<{ batch: BatchRow; created: boolean; headers: Record<string, string> }> => {
  const { db, storage, models } = deps;
  const { model: reference = 'boltz-2', invalid = 'skip' } = given;
  const model = await models.resolve(reference, identity.tenant);
  if (!answers(model, '/v1/predict') || model.executor === 'onnx')
    throw new ApiError('invalid_value', `The model '${reference}' predicts no proteins with ligands.`, { param: 'model' });
  if ((given.protein === undefined) === (given.proteins === undefined))
    throw new ApiError('invalid_value', 'Give either `protein` or `proteins`.', { param: 'protein' });
  const window = windowOf(given);
  checkWindow(window);
  // Whatever is wrong with the smallest of ligands is wrong with all of them.
  const common = deps.problemOf(model, bodyOf(given, reference, { name: null, smiles: 'C', ccd: null }));
  if (common !== null) throw new ApiError('invalid_value', common, { param: paramOf(common) });
  const ligands = await named(deps, await readLigands(given.ligands));
  const { lines, problems } = await writeLines(deps, given, model, ligands);
  if (problems.length > 0 && (invalid === 'refuse' || problems.length === ligands.length)) throw refusal(problems, ligands.length);

  const input = await createFile({ db, storage }, identity, {
    filename: `${given.name ?? 'screen'}.jsonl`,
    purpose: 'batch',
    bytes: lines.map((line) => Buffer.from(line)),
  });
  const { metadata, name, priority, strategy, max_concurrent, pool, dedup, output_expires_after } = given;
  const body: NewBatch = {
    input_file_id: input.id,
    endpoint: '/v1/predict',
    completion_window: window,
    ...definedOf({ metadata, name, priority, strategy, max_concurrent, pool, dedup, output_expires_after }),
  };
  const spec: ScreenSpec = {
    proteins: proteinsOf(given),
    ligands: ligands.length,
    invalid: problems.length,
    affinity: given.affinity ?? true,
    parameters: { ...given.parameters },
  };
  let kept = false;
  try {
    const made = await createBatch(db, identity, body, {
      ...(idempotencyKey !== undefined && { idempotencyKey, asked: given }),
      ...(deps.quotas && { quotas: deps.quotas }),
      semantic: deps.semantic ?? false,
      kind: 'screen',
      also: (tx, batch) => tx.run(sql`insert into screens (batch_no, spec) values (${batch.no}, ${JSON.stringify(spec)}::jsonb)`),
    });
    kept = made.created;
    return made;
  } finally {
    if (!kept) await markDeleted(db, identity, input.id).catch(() => {});
  }
};

const definedOf = <T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as { [K in keyof T]: Exclude<T[K], undefined> };

/** `inputs.protein has …` → `protein`: the field as the screen names it. */
const paramOf = (message: string): string => /^(?:inputs\.)?([a-z_]+(?:\.[\w]+)*)/.exec(message)?.[1] ?? 'protein';
