import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import type { JsonObject } from '../executor.ts';

/**
 * What one request of Boltz-2 says: proteins, a ligand, and how to predict. Ranges and defaults are those of boltz 2.2.0
 * (src/boltz/main.py) and of its input format (docs/prediction.md, src/boltz/data/parse/schema.py).
 */
const ChainId = Type.String({ pattern: '^[A-Za-z0-9]{1,4}$', title: 'Chain', examples: ['A'] });

const Sequence = Type.String({
  pattern: '^[A-Za-z\\s]+$',
  title: 'Sequence',
  description: 'One-letter codes of the 20 amino acids; X stands for an unknown residue.',
  examples: ['MTEYKLVVVGAGGVGKSALTIQLIQNHFVDEYDPTIEDSYRKQ'],
});

const Contact = Type.Tuple([ChainId, Type.Union([Type.Integer({ minimum: 1 }), Type.String({ minLength: 1, maxLength: 4 })])], {
  title: 'Residue',
  description: 'Chain and residue, counted from 1; or, of a ligand, the name of an atom.',
});

const Protein = Type.Object(
  {
    id: Type.Optional(Type.Union([ChainId, Type.Array(ChainId, { minItems: 1, maxItems: 20 })], { description: 'Several: copies.' })),
    sequence: Sequence,
    msa: Type.Optional(
      Type.String({ minLength: 1, title: 'Alignment', description: 'In A3M. Absent: the server the operator configured, or none.' }),
    ),
    modifications: Type.Optional(
      Type.Array(Type.Object({ position: Type.Integer({ minimum: 1 }), ccd: Type.String({ pattern: '^[A-Z0-9]{1,5}$' }) }), {
        maxItems: 100,
      }),
    ),
    cyclic: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);

const Ligand = Type.Object(
  {
    id: Type.Optional(ChainId),
    smiles: Type.Optional(Type.String({ minLength: 1, maxLength: 2_000, title: 'SMILES', examples: ['CC(=O)Oc1ccccc1C(=O)O'] })),
    ccd: Type.Optional(Type.String({ pattern: '^[A-Z0-9]{1,5}$', title: 'CCD code', examples: ['ATP'] })),
  },
  { additionalProperties: false, description: 'By its SMILES, or by its code in the Chemical Component Dictionary.' },
);

const Pocket = Type.Object(
  {
    contacts: Type.Array(Contact, { minItems: 1, maxItems: 200 }),
    max_distance: Type.Optional(
      Type.Number({ minimum: 4, maximum: 20, default: 6, title: 'Largest distance', description: 'In ångström.' }),
    ),
    force: Type.Optional(Type.Boolean({ default: false })),
  },
  { additionalProperties: false },
);

const Template = Type.Object(
  {
    cif: Type.String({ minLength: 1, description: 'The structure, as mmCIF text.' }),
    chain_id: Type.Optional(ChainId),
    template_id: Type.Optional(ChainId),
    force: Type.Optional(Type.Boolean()),
    threshold: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'In ångström; needed where `force` is true.' })),
  },
  { additionalProperties: false },
);

export const BoltzInputs = Type.Object(
  {
    name: Type.Optional(Type.String({ maxLength: 200, title: 'Name of the ligand' })),
    protein: Type.Optional(Type.Union([Sequence, Protein], { title: 'Protein' })),
    proteins: Type.Optional(Type.Array(Protein, { minItems: 1, maxItems: 12 })),
    ligand: Type.Optional(Ligand),
    smiles: Type.Optional(Type.String({ minLength: 1, maxLength: 2_000, title: 'SMILES of the ligand' })),
    pocket: Type.Optional(Pocket),
    templates: Type.Optional(Type.Array(Template, { maxItems: 8 })),
    affinity: Type.Optional(Type.Boolean({ title: 'Predict affinity', description: 'Where there is a ligand: true.' })),
  },
  { additionalProperties: true, title: 'Protein and ligand' },
);

export const BoltzParameters = Type.Object(
  {
    recycling_steps: Type.Integer({ minimum: 1, maximum: 20, default: 3 }),
    sampling_steps: Type.Integer({ minimum: 1, maximum: 1_000, default: 200 }),
    diffusion_samples: Type.Integer({ minimum: 1, maximum: 25, default: 1 }),
    step_scale: Type.Number({ minimum: 0.5, maximum: 5, default: 1.5 }),
    sampling_steps_affinity: Type.Integer({ minimum: 1, maximum: 1_000, default: 200 }),
    diffusion_samples_affinity: Type.Integer({ minimum: 1, maximum: 25, default: 5 }),
    affinity_mw_correction: Type.Boolean({ default: false }),
    max_msa_seqs: Type.Integer({ minimum: 1, maximum: 65_536, default: 8_192 }),
    use_potentials: Type.Boolean({ default: false }),
    write_full_pae: Type.Boolean({ default: false }),
    seed: Type.Union([Type.Integer({ minimum: 0, maximum: 4_294_967_295 }), Type.Null()], { default: null }),
  },
  { additionalProperties: false, title: 'Parameters' },
);
export type BoltzParameters = Static<typeof BoltzParameters>;

export const defaultParameters: BoltzParameters = {
  recycling_steps: 3,
  sampling_steps: 200,
  diffusion_samples: 1,
  step_scale: 1.5,
  sampling_steps_affinity: 200,
  diffusion_samples_affinity: 5,
  affinity_mw_correction: false,
  max_msa_seqs: 8_192,
  use_potentials: false,
  write_full_pae: false,
  seed: null,
};

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
  templates: Static<typeof Template>[];
  affinity: boolean;
  parameters: BoltzParameters;
}

const inputs = Compile(BoltzInputs);
const parameters = Compile(BoltzParameters);

/** What is wrong with a request, with the place. */
export class BadRequest extends Error {}

const place = (path: string): string => path.replaceAll('/', '.');

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
