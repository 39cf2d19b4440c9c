import { Type, type Static } from 'typebox';
import { Nullable } from './common.ts';

/** Molecules that one call may hand over: a page or a small file; for more there are batches. */
export const moleculesAtOnce = 10_000;

const Smiles = Type.Array(Type.String(), { minItems: 1, maxItems: moleculesAtOnce, description: 'SMILES, one a molecule.' });

const MoleculeProblem = Type.Object({
  code: Type.String({ description: 'See docs/errors.md, “Molecules and sequences”.' }),
  message: Type.String(),
  position: Type.Optional(Type.Integer({ description: 'The character at which it goes wrong, from 1.' })),
});

export const CheckMolecules = Type.Object(
  {
    smiles: Smiles,
    names: Type.Optional(Type.Boolean({ description: 'What stands behind a blank is a name; default false: it is a mistake.' })),
  },
  { additionalProperties: false, $id: 'CheckMolecules' },
);

export const CheckedMolecules = Type.Object(
  {
    object: Type.Literal('list'),
    valid: Type.Integer(),
    data: Type.Array(
      Type.Object({
        index: Type.Integer({ description: 'From 0, as the molecules were given.' }),
        valid: Type.Boolean(),
        smiles: Nullable(Type.String({ description: 'Canonical.' })),
        inchikey: Nullable(Type.String()),
        fragments: Nullable(Type.Integer()),
        flags: Type.Array(Type.String(), {
          description: '`salt`, `solvate`, `mixture`, `charged`, `no_carbon`, `metal`, `isotope`, `open_ends`; see docs/chemistry.md.',
        }),
        name: Nullable(Type.String()),
        error: Nullable(MoleculeProblem),
      }),
      { description: 'One for each, in order.' },
    ),
  },
  { $id: 'CheckedMolecules' },
);
export type CheckedMolecules = Static<typeof CheckedMolecules>;

export const MatchMolecules = Type.Object(
  {
    smiles: Smiles,
    smarts: Type.Optional(Type.String({ description: 'What a molecule has to hold.' })),
    similar_to: Type.Optional(Type.String({ description: 'SMILES of the molecule that others are compared with.' })),
    threshold: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: 'The least similarity; default 0.' })),
    scaffolds: Type.Optional(Type.Boolean({ description: 'Name the scaffold of Bemis and Murcko of each; default false.' })),
  },
  { additionalProperties: false, $id: 'MatchMolecules' },
);

export const MatchedMolecules = Type.Object(
  {
    object: Type.Literal('list'),
    matched: Type.Integer(),
    data: Type.Array(
      Type.Object({
        index: Type.Integer({ description: 'From 0, as the molecules were given.' }),
        matches: Nullable(Type.Boolean({ description: 'It holds the pattern, and is as like as asked. Null: it is no molecule.' })),
        similarity: Nullable(Type.Number({ description: 'Tanimoto of Morgan fingerprints, radius 2, 2048 bits. Null: not asked for.' })),
        scaffold: Nullable(Type.String({ description: 'Empty without rings. Null: not asked for, or no molecule.' })),
      }),
      { description: 'One for each, in order.' },
    ),
  },
  { $id: 'MatchedMolecules' },
);
export type MatchedMolecules = Static<typeof MatchedMolecules>;

export const DepictQuery = Type.Object({
  smiles: Type.String({ description: 'The molecule.' }),
  w: Type.Optional(Type.Integer({ minimum: 40, maximum: 2000, description: 'Width in pixels; default 250.' })),
  h: Type.Optional(Type.Integer({ minimum: 40, maximum: 2000, description: 'Height in pixels; default 200.' })),
  theme: Type.Optional(
    Type.Enum(['light', 'dark'], { description: 'Of the page it stands on; the background is transparent. Default `light`.' }),
  ),
  hl: Type.Optional(Type.String({ description: 'SMARTS; what matches is highlighted.' })),
  errors: Type.Optional(
    Type.Enum(['json', 'svg'], {
      description: 'How it is said that the SMILES is none: with status 400, or as a picture of the reason. Default `json`.',
    }),
  ),
  wait: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 10_000,
      description:
        'Milliseconds after which the answer is 503 with Retry-After, and the drawing there when it is asked for again; default 50.',
    }),
  ),
});
export type DepictQuery = Static<typeof DepictQuery>;
