import { BoltzInputs, BoltzParameters, defaultParameters, type BoltzTemplate } from '@sluice/contract';
import type { Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { BadRequest, place } from '../bad-request.ts';
import type { JsonObject } from '../executor.ts';

export interface Chain {
  id: string[];
  sequence: string;
  msa: string | null;
  modifications: { position: number; ccd: string }[];
  cyclic: boolean;
}

/** A request as it will be run: everything said, nothing left to a default. */
export interface BoltzRequest {
  proteins: Chain[];
  ligand: { id: string; smiles: string | null; ccd: string | null } | null;
  pocket: { contacts: [string, number | string][]; maxDistance: number; force: boolean } | null;
  templates: Static<typeof BoltzTemplate>[];
  affinity: boolean;
  parameters: BoltzParameters;
}

const inputs = Compile(BoltzInputs);
const parameters = Compile(BoltzParameters);

/** Amino acids of the format, and X; anything else boltz itself would take for X without a word. */
const residues = /^[ACDEFGHIKLMNPQRSTVWYX]+$/;

/** Residues all chains may have together, copies counted. */
const mostResidues = 4_096;

const letters = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ');

/**
 * Reads a line's body: `inputs` as above, `parameters` beside them. Throws a `BadRequest` that names the field.
 */
export const readRequest = (body: JsonObject): BoltzRequest => {
  const given = body['inputs'];
  if (!inputs.Check(given)) {
    const [error] = inputs.Errors(given);
    throw new BadRequest(`inputs${place(error?.instancePath ?? '')} ${error?.message ?? 'is not what Boltz-2 takes'}.`);
  }
  // Found when the screen it belongs to was created: it keeps its line, and its reason.
  if (given.problem) throw new BadRequest(given.problem.message);
  const asked = { ...defaultParameters, ...(body['parameters'] as object | undefined) };
  if (!parameters.Check(asked)) {
    const [error] = parameters.Errors(asked);
    const extra = Object.keys(asked).find((name) => !Object.hasOwn(defaultParameters, name));
    if (extra !== undefined)
      throw new BadRequest(`parameters.${extra} is not known; known are ${Object.keys(defaultParameters).join(', ')}.`);
    throw new BadRequest(`parameters${place(error?.instancePath ?? '')} ${error?.message ?? 'is not allowed'}.`);
  }
  const taken = new Set<string>();
  const proteins = readProteins(given, taken);
  const ligand = readLigand(given, taken);
  const affinity = given.affinity ?? ligand !== null;
  if (affinity && ligand === null) throw new BadRequest('inputs.ligand is missing: affinity is predicted of a ligand.');
  for (const [i, { force, threshold }] of (given.templates ?? []).entries())
    if (force === true && threshold === undefined) throw new BadRequest(`inputs.templates.${i}.threshold is missing: \`force\` needs it.`);
  const { pocket } = given;
  if (pocket && ligand === null) throw new BadRequest('inputs.pocket needs a ligand.');
  for (const [chain] of pocket?.contacts ?? [])
    if (!taken.has(chain)) throw new BadRequest(`inputs.pocket.contacts names chain '${chain}', which is not there.`);
  return {
    proteins,
    ligand,
    pocket: pocket ? { contacts: pocket.contacts, maxDistance: pocket.max_distance ?? 6, force: pocket.force ?? false } : null,
    templates: given.templates ?? [],
    affinity,
    parameters: asked,
  };
};

const readProteins = (given: Static<typeof BoltzInputs>, taken: Set<string>): Chain[] => {
  if ((given.protein === undefined) === (given.proteins === undefined))
    throw new BadRequest('inputs must have either `protein` or `proteins`.');
  const asked = given.proteins ?? [given.protein!];
  const free = () => letters.find((letter) => !taken.has(letter))!;
  const claim = (id: string, where: string): string => {
    if (taken.has(id)) throw new BadRequest(`${where}.id '${id}' is there twice.`);
    taken.add(id);
    return id;
  };
  // Those that are named first: nobody is given a name that another has.
  for (const protein of asked) if (typeof protein === 'object') for (const id of [protein.id ?? []].flat()) claim(id, 'inputs.proteins');
  let total = 0;
  const chains = asked.map((one, i): Chain => {
    const where = given.proteins ? `inputs.proteins.${i}` : 'inputs.protein';
    const protein = typeof one === 'string' ? { sequence: one } : one;
    const sequence = protein.sequence.replaceAll(/\s+/g, '').toUpperCase();
    const wrong = residues.test(sequence) ? -1 : Array.from(sequence).findIndex((letter) => !residues.test(letter));
    if (wrong >= 0) throw new BadRequest(`${where} has '${sequence[wrong]}' at residue ${wrong + 1}, which is no amino acid.`);
    const id = protein.id === undefined ? [claim(free(), where)] : [protein.id].flat();
    total += sequence.length * id.length;
    return { id, sequence, msa: protein.msa ?? null, modifications: protein.modifications ?? [], cyclic: protein.cyclic ?? false };
  });
  if (total > mostResidues) throw new BadRequest(`inputs have ${total} residues; ${mostResidues} are allowed.`);
  const withMsa = chains.filter(({ msa }) => msa !== null).length;
  if (withMsa > 0 && withMsa < chains.length)
    throw new BadRequest('inputs.proteins must all have an `msa`, or none: Boltz-2 does not mix its own with yours.');
  return chains;
};

const readLigand = (given: Static<typeof BoltzInputs>, taken: Set<string>): BoltzRequest['ligand'] => {
  const { ligand, smiles } = given;
  if (ligand !== undefined && smiles !== undefined) throw new BadRequest('inputs must have either `ligand` or `smiles`.');
  const asked = ligand ?? (smiles === undefined ? null : { smiles });
  if (asked === null) return null;
  const { id, ccd = null, smiles: text = null } = { ccd: undefined, id: undefined, ...asked };
  if ((text === null) === (ccd === null)) throw new BadRequest('inputs.ligand must have either `smiles` or `ccd`.');
  const name = id ?? letters.find((letter) => !taken.has(letter))!;
  if (taken.has(name)) throw new BadRequest(`inputs.ligand.id '${name}' is there twice.`);
  taken.add(name);
  return { id: name, smiles: text?.trim() ?? null, ccd };
};
