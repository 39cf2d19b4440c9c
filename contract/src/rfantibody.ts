import { Type, type Static } from 'typebox';

/**
 * What one request of RFantibody says: a target, the antibody's framework, where to bind and which loops to design
 * (README of RosettaCommons/RFantibody).
 */
const loop = Type.Optional(Type.String({ pattern: '^[0-9]{1,2}(-[0-9]{1,2})?$' }));

export const RfAntibodyInputs = Type.Object(
  {
    target: Type.String({ minLength: 1, maxLength: 5_000_000, title: 'Target', description: 'The structure, as PDB text.' }),
    framework: Type.String({
      minLength: 1,
      maxLength: 5_000_000,
      title: 'Framework',
      description: 'PDB text in HLT format: chains H and, of an antibody, L; loops marked by `REMARK PDBinfo-LABEL`.',
    }),
    hotspots: Type.Array(Type.String({ pattern: '^[A-Za-z0-9][0-9]{1,4}$' }), {
      minItems: 1,
      maxItems: 50,
      title: 'Hotspots',
      description: 'Residues of the target to bind, chain and number.',
      examples: [['B146', 'B170', 'B177']],
    }),
    loops: Type.Optional(
      Type.Object(
        { H1: loop, H2: loop, H3: loop, L1: loop, L2: loop, L3: loop },
        {
          additionalProperties: false,
          title: 'Loops',
          description: 'Those to design with their lengths, one number or a range; absent: all, as long as they are.',
          examples: [{ H1: '7', H2: '6', H3: '5-13' }],
        },
      ),
    ),
  },
  { additionalProperties: false, title: 'Antibody design' },
);
export type RfAntibodyInputs = Static<typeof RfAntibodyInputs>;

export const RfAntibodyParameters = Type.Object(
  {
    designs: Type.Integer({ minimum: 1, maximum: 1_000, default: 10, description: 'Backbones.' }),
    sequences_per_design: Type.Integer({ minimum: 1, maximum: 100, default: 4 }),
    temperature: Type.Number({ exclusiveMinimum: 0, maximum: 2, default: 0.2, description: 'Of the sequences.' }),
    recycles: Type.Integer({ minimum: 1, maximum: 50, default: 10 }),
    max_pae: Type.Number({ exclusiveMinimum: 0, default: 10, description: 'A design passes with a pAE below it.' }),
    max_rmsd: Type.Number({
      exclusiveMinimum: 0,
      default: 2,
      description: 'And with an RMSD of the prediction to the design below it, in ångström.',
    }),
    seed: Type.Union([Type.Integer({ minimum: 0, maximum: 2_147_483_647 }), Type.Null()], { default: null }),
  },
  { additionalProperties: false, title: 'Parameters' },
);
export type RfAntibodyParameters = Static<typeof RfAntibodyParameters>;

export const rfAntibodyDefaults: RfAntibodyParameters = {
  designs: 10,
  sequences_per_design: 4,
  temperature: 0.2,
  recycles: 10,
  max_pae: 10,
  max_rmsd: 2,
  seed: null,
};
