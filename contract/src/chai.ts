import { Type, type Static } from 'typebox';

/**
 * What one request of Chai-1 says: the entities of one complex, restraints between them, and how to predict. Defaults are
 * those of chai-lab 0.6.1 (chai_lab/chai1.py).
 */
const name = Type.Optional(
  Type.String({ pattern: '^[A-Za-z0-9_.-]{1,60}$', title: 'Name', description: 'Unique in the request; absent: its type and place.' }),
);

const Polymer = (type: 'protein' | 'dna' | 'rna', alphabet: string, title: string) =>
  Type.Object(
    {
      type: Type.Literal(type),
      name,
      sequence: Type.String({ pattern: `^[${alphabet}${alphabet.toLowerCase()}\\s]+$`, title: 'Sequence' }),
    },
    { additionalProperties: false, title },
  );

export const ChaiEntity = Type.Union([
  Polymer('protein', 'ACDEFGHIKLMNPQRSTVWYX', 'Protein'),
  Polymer('dna', 'ACGTN', 'DNA'),
  Polymer('rna', 'ACGUN', 'RNA'),
  Type.Object(
    { type: Type.Literal('ligand'), name, smiles: Type.String({ minLength: 1, maxLength: 2_000, title: 'SMILES' }) },
    { additionalProperties: false, title: 'Ligand' },
  ),
  Type.Object(
    {
      type: Type.Literal('glycan'),
      name,
      glycan: Type.String({ minLength: 1, maxLength: 2_000, title: 'Glycan', examples: ['NAG(4-1 NAG)'] }),
    },
    { additionalProperties: false, title: 'Glycan' },
  ),
]);

export const ChaiRestraint = Type.Object(
  {
    type: Type.Enum(['contact', 'pocket', 'covalent']),
    chain_a: Type.String({ pattern: '^[A-Z]$', description: 'By place: the first entity is A.' }),
    residue_a: Type.Optional(
      Type.String({ pattern: '^[A-Z]?[0-9]+(@[A-Z0-9]+)?$', description: 'Residue and number, `D45`; absent in a pocket.' }),
    ),
    chain_b: Type.String({ pattern: '^[A-Z]$' }),
    residue_b: Type.Optional(Type.String({ pattern: '^[A-Z]?[0-9]*(@[A-Z0-9]+)?$' })),
    confidence: Type.Optional(Type.Number({ minimum: 0, maximum: 1, default: 1 })),
    min_distance: Type.Optional(Type.Number({ minimum: 0, default: 0, description: 'In ångström.' })),
    max_distance: Type.Optional(Type.Number({ exclusiveMinimum: 0, default: 5.5, description: 'In ångström.' })),
  },
  { additionalProperties: false },
);

export const ChaiInputs = Type.Object(
  {
    entities: Type.Array(ChaiEntity, { minItems: 1, maxItems: 26, title: 'Entities', description: 'Of one complex, in order.' }),
    restraints: Type.Optional(Type.Array(ChaiRestraint, { maxItems: 100, title: 'Restraints' })),
  },
  { additionalProperties: false, title: 'Complex' },
);
export type ChaiInputs = Static<typeof ChaiInputs>;

export const ChaiParameters = Type.Object(
  {
    num_trunk_recycles: Type.Integer({ minimum: 1, maximum: 20, default: 3 }),
    num_diffn_timesteps: Type.Integer({ minimum: 1, maximum: 1_000, default: 200 }),
    num_diffn_samples: Type.Integer({ minimum: 1, maximum: 25, default: 5 }),
    use_esm_embeddings: Type.Boolean({ default: true }),
    low_memory: Type.Boolean({ default: true }),
    seed: Type.Union([Type.Integer({ minimum: 0, maximum: 4_294_967_295 }), Type.Null()], { default: null }),
  },
  { additionalProperties: false, title: 'Parameters' },
);
export type ChaiParameters = Static<typeof ChaiParameters>;

export const chaiDefaults: ChaiParameters = {
  num_trunk_recycles: 3,
  num_diffn_timesteps: 200,
  num_diffn_samples: 5,
  use_esm_embeddings: true,
  low_memory: true,
  seed: null,
};
