import { Type, type Static } from 'typebox';

/**
 * What one request of Boltz-2 says: proteins, a ligand, and how to predict. Ranges and defaults are those of boltz 2.2.0
 * (src/boltz/main.py) and of its input format (docs/prediction.md, src/boltz/data/parse/schema.py).
 */
const ChainId = Type.String({ pattern: '^[A-Za-z0-9]{1,4}$', title: 'Chain', examples: ['A'] });

export const BoltzSequence = Type.String({
  pattern: '^[A-Za-z\\s]+$',
  title: 'Sequence',
  description: 'One-letter codes of the 20 amino acids; X stands for an unknown residue.',
  examples: ['MTEYKLVVVGAGGVGKSALTIQLIQNHFVDEYDPTIEDSYRKQ'],
});

// An array and not a tuple: drafts of JSON Schema write those in two ways, and clients know one of them.
const Contact = Type.Unsafe<[string, number | string]>(
  Type.Array(Type.Union([Type.Integer({ minimum: 1 }), Type.String({ minLength: 1, maxLength: 4 })]), {
    minItems: 2,
    maxItems: 2,
    title: 'Residue',
    description: 'Chain and residue, counted from 1; or, of a ligand, the name of an atom.',
  }),
);

export const BoltzProtein = Type.Object(
  {
    id: Type.Optional(Type.Union([ChainId, Type.Array(ChainId, { minItems: 1, maxItems: 20 })], { description: 'Several: copies.' })),
    sequence: BoltzSequence,
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

export const BoltzPocket = Type.Object(
  {
    contacts: Type.Array(Contact, { minItems: 1, maxItems: 200 }),
    max_distance: Type.Optional(
      Type.Number({ minimum: 4, maximum: 20, default: 6, title: 'Largest distance', description: 'In ångström.' }),
    ),
    force: Type.Optional(Type.Boolean({ default: false })),
  },
  { additionalProperties: false },
);

export const BoltzTemplate = Type.Object(
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
    protein: Type.Optional(Type.Union([BoltzSequence, BoltzProtein], { title: 'Protein' })),
    proteins: Type.Optional(Type.Array(BoltzProtein, { minItems: 1, maxItems: 12 })),
    ligand: Type.Optional(Ligand),
    smiles: Type.Optional(Type.String({ minLength: 1, maxLength: 2_000, title: 'SMILES of the ligand' })),
    pocket: Type.Optional(BoltzPocket),
    templates: Type.Optional(Type.Array(BoltzTemplate, { maxItems: 8 })),
    affinity: Type.Optional(Type.Boolean({ title: 'Predict affinity', description: 'Where there is a ligand: true.' })),
    problem: Type.Optional(
      Type.Object(
        { code: Type.String(), message: Type.String() },
        { description: 'Why it cannot run, where a screen found that out before; it fails with these words.' },
      ),
    ),
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
