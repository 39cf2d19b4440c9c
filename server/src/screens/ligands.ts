import type { CreateScreen } from '@sluice/contract';
import { mostLigands } from '@sluice/contract';
import { parse } from 'csv-parse/sync';
import { ApiError } from '../lib/errors.ts';
import { delimiterOf } from '../tables/csv.ts';
import { formatOf } from '../tables/recognise.ts';
import { sdfRows } from '../tables/sdf.ts';

/** A ligand as it was given. */
export interface Ligand {
  id: string;
  name: string | null;
  smiles: string | null;
  ccd: string | null;
  /** Its structure, where it came in an SD file: the SMILES is made of it. */
  molblock: string | null;
  /** Why it is none, as far as that is known from the file; null: it is one. */
  problem: string | null;
}

type Given = Partial<Omit<Ligand, 'id'> & { id: string | null }>;

const columnsOf: Record<string, 'id' | 'name' | 'smiles' | 'ccd'> = {
  smiles: 'smiles',
  canonical_smiles: 'smiles',
  smi: 'smiles',
  id: 'id',
  ligand_id: 'id',
  compound_id: 'id',
  name: 'name',
  compound_name: 'name',
  ligand: 'name',
  ccd: 'ccd',
};

const bad = (message: string, param = 'ligands'): ApiError => new ApiError('invalid_value', message, { param });

/** A column of SMILES named in the first line makes it a table; else each line is SMILES, and behind it a name. */
const isTable = (head: string): boolean =>
  head
    .split(/[,\t;|]/)
    .map((name) => name.trim().replaceAll('"', '').toLowerCase())
    .some((name) => columnsOf[name] === 'smiles' || columnsOf[name] === 'ccd') && /[,\t;|]|^\W*(canonical_)?smiles\W*$/i.test(head);

const fromTable = (text: string, head: string): Given[] => {
  let rows: string[][];
  try {
    rows = parse(text, { delimiter: delimiterOf(head), bom: true, skip_empty_lines: true, relax_column_count: true, trim: true });
  } catch (error) {
    throw bad(`The table of ligands cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  const names = rows[0]!.map((name) => columnsOf[name.toLowerCase()] ?? null);
  return rows.slice(1).map((row) => Object.fromEntries(names.flatMap((name, i) => (name === null ? [] : [[name, row[i] ?? '']]))) as Given);
};

const fromLines = (text: string): Given[] =>
  text.split(/\r\n|\r|\n/).flatMap((line) => {
    const found = /^(\S+)(?:\s+(.*))?$/.exec(line.trim());
    return found === null ? [] : [{ smiles: found[1]!, name: found[2] ?? null }];
  });

/** The record is the molecule, and its first line the name; of its data fields only one counts that is called as ids are. */
const fromRecords = async (text: string): Promise<Given[]> => {
  async function* lines() {
    yield* text.split(/\r\n|\r|\n/);
  }
  const given: Given[] = [];
  for await (const row of sdfRows(lines())) {
    const field = (name: string) => (typeof row.values[name] === 'string' ? row.values[name] : null);
    const id = Object.keys(row.values).find((name) => columnsOf[name.toLowerCase()] === 'id');
    given.push({
      id: id === undefined ? null : field(id),
      name: field('name'),
      molblock: field('molblock'),
      problem: 'problem' in row ? row.problem : null,
    });
  }
  return given;
};

/** Characters by which a text is known for what it is. */
const headLength = 10_000;

const givenOf = async (ligands: CreateScreen['ligands']): Promise<Given[]> => {
  if (typeof ligands !== 'string') return ligands.map((each) => (typeof each === 'string' ? { smiles: each } : each));
  const text = ligands.replace(/^\uFEFF/, '');
  const first = text.slice(0, headLength);
  if (first.startsWith('PAR1') || first.includes('\0'))
    throw bad('The ligands are no text: give SMILES, CSV or an SD file, and unpack what is packed.');
  if (formatOf(Buffer.from(first)) === 'sdf') return fromRecords(text);
  const head = first.split(/\r\n|\r|\n/, 1)[0]!;
  return isTable(head) ? fromTable(text, head) : fromLines(text);
};

const textOr = (value: string | null | undefined): string | null => {
  const trimmed = value?.trim() ?? '';
  return trimmed === '' ? null : trimmed;
};

/**
 * The ligands of a screen, one for each that was given, in order: one that is none is still one of them. Ids are unique;
 * one that is missing is made of the place.
 */
export const readLigands = async (ligands: CreateScreen['ligands']): Promise<Ligand[]> => {
  const given = await givenOf(ligands);
  if (given.length === 0) throw bad('There is no ligand in the text.');
  if (given.length > mostLigands)
    throw bad(`There are ${given.length.toLocaleString('en')} ligands; a screen has up to ${mostLigands.toLocaleString('en')}.`);
  const taken = new Set(given.flatMap(({ id }) => textOr(id) ?? []));
  const seen = new Set<string>();
  return given.map(({ id, name, smiles, ccd, molblock = null, problem = null }, i) => {
    let own = textOr(id);
    if (own !== null && seen.has(own)) throw bad(`The id '${own.slice(0, 100)}' is there twice.`, `ligands.${i}.id`);
    for (let n = 0; own === null; n++) {
      const made = n === 0 ? `ligand-${i + 1}` : `ligand-${i + 1}.${n}`;
      if (!taken.has(made) && !seen.has(made)) own = made;
    }
    seen.add(own);
    return { id: own, name: textOr(name), smiles: textOr(smiles), ccd: textOr(ccd), molblock, problem };
  });
};
