import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Ended } from '../command/program.ts';

/** What `boltz predict` leaves of one record (src/boltz/data/write/writer.py of boltz 2.2.0). */
const Scores = Type.Record(Type.String(), Type.Number());

const Confidence = Type.Object({
  confidence_score: Type.Number(),
  ptm: Type.Number(),
  iptm: Type.Number(),
  ligand_iptm: Type.Number(),
  protein_iptm: Type.Number(),
  complex_plddt: Type.Number(),
  complex_iplddt: Type.Number(),
  complex_pde: Type.Number(),
  complex_ipde: Type.Number(),
  chains_ptm: Scores,
  pair_chains_iptm: Type.Record(Type.String(), Scores),
});
export type Confidence = Static<typeof Confidence>;

const Affinity = Type.Object({
  affinity_pred_value: Type.Number(),
  affinity_probability_binary: Type.Number(),
  affinity_pred_value1: Type.Number(),
  affinity_probability_binary1: Type.Number(),
  affinity_pred_value2: Type.Number(),
  affinity_probability_binary2: Type.Number(),
});
export type Affinity = Static<typeof Affinity>;

const confidence = Compile(Confidence);
const affinity = Compile(Affinity);

export interface Predicted {
  /** Best first, as the tool ranks them. */
  structures: { path: string; confidence: Confidence }[];
  affinity: Affinity | null;
  /** Every file of the record's folder. */
  files: string[];
}

const readChecked = async <T>(file: string, check: (value: unknown) => value is T): Promise<T | null> => {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    return check(value) ? value : null;
  } catch {
    return null;
  }
};

/** A structure that begins as mmCIF does and has an atom; a file that was cut off has none, or is empty. */
const isStructure = async (file: string): Promise<boolean> => {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.startsWith('data_') && /^(ATOM|HETATM) /m.test(text);
};

export const recordFolder = (out: string, id: string): string => join(out, 'boltz_results_inputs', 'predictions', id);

/**
 * What there is of a record, judged by files that exist and parse; null where there is no structure. The exit code says
 * nothing: it is 0 when every input was bad.
 */
export const readRecord = async (out: string, id: string): Promise<Predicted | null> => {
  const folder = recordFolder(out, id);
  const files = await readdir(folder).catch((): string[] => []);
  const structures: Predicted['structures'] = [];
  for (let rank = 0; files.includes(`${id}_model_${rank}.cif`); rank++) {
    const path = join(folder, `${id}_model_${rank}.cif`);
    const scores = await readChecked(join(folder, `confidence_${id}_model_${rank}.json`), (value) => confidence.Check(value));
    if (scores === null || !(await isStructure(path))) break;
    structures.push({ path, confidence: scores });
  }
  if (structures.length === 0) return null;
  return {
    structures,
    affinity: await readChecked(join(folder, `affinity_${id}.json`), (value) => affinity.Check(value)),
    files: files.filter((file) => !file.startsWith('pre_affinity_')).map((file) => join(folder, file)),
  };
};

/** Whether a run left the record's folder without a structure in it: the next run would take it for done. */
export const isHollow = async (out: string, id: string): Promise<boolean> =>
  (await stat(recordFolder(out, id)).catch(() => null)) !== null && (await readRecord(out, id)) === null;

/**
 * Why a record is missing or not whole, from what the tool said; it names ids only of inputs it could not read.
 * `unfinished`: it has a structure, and the stage of affinities ended before its turn came.
 */
export type Cause = { kind: 'bad_input' | 'out_of_memory' | 'msa' | 'unfinished' | 'unknown'; message: string };

export const causeOf = ({ code, log }: Pick<Ended, 'code' | 'log'>, id: string, hasStructure: boolean): Cause => {
  const failed = new RegExp(`^Failed to process \\S*\\b${id}\\.yaml\\. Skipping\\. Error: (.*)$`, 'm').exec(log);
  if (failed) {
    const message = failed[1]!.trim();
    return { kind: /MSA/i.test(message) ? 'msa' : 'bad_input', message };
  }
  const skipped = new RegExp(`^(Tokenizer|Cropper|Featurizer|Molecule loading) failed on ${id}\\b.*$`, 'm').exec(log);
  if (skipped) return { kind: 'bad_input', message: skipped[0] };
  const message = log.trimEnd().split('\n').at(-1)?.trim() ?? '';
  if (hasStructure && code !== 0) return { kind: 'unfinished', message };
  if (/ran out of memory/.test(log)) return { kind: 'out_of_memory', message: 'The GPU ran out of memory.' };
  return { kind: 'unknown', message };
};
