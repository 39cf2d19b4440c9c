import { Rdkit } from './rdkit.ts';

/** In this order behind the fingerprint; chosen because they are equal in RDKit 2022.09 and 2026.09. */
const descriptors = [
  'CrippenClogP',
  'CrippenMR',
  'tpsa',
  'labuteASA',
  'NumHeavyAtoms',
  'NumHeteroatoms',
  'NumRotatableBonds',
  'NumHBD',
  'lipinskiHBA',
  'FractionCSP3',
  'NumAromaticRings',
  'NumAromaticHeterocycles',
  'NumAmideBonds',
  'chi0v',
  'chi1v',
  'chi3v',
];
const bits = 2048;
const fingerprint = JSON.stringify({ radius: 2, nBits: bits });

/** Columns of `smiles-morgan2048-desc16`: a Morgan fingerprint of radius 2, then 16 descriptors, unscaled. */
export const featureCount = bits + descriptors.length;

export class Featuriser {
  readonly #rdkit: Rdkit;

  constructor(rdkit: Rdkit) {
    this.#rdkit = rdkit;
  }

  static async create(): Promise<Featuriser> {
    return new Featuriser(await Rdkit.load());
  }

  /**
   * Writes the features of a molecule to `target` from `at` on; returns null, or why the SMILES is no molecule.
   * Throws what WASM throws; after that the instance may be lost.
   */
  fill(smiles: string, target: Float32Array, at: number): string | null {
    return this.#rdkit.use<string | null>(
      smiles,
      (molecule) => {
        const bytes = molecule.get_morgan_fp_as_uint8array(fingerprint);
        for (let bit = 0; bit < bits; bit++) target[at + bit] = (bytes[bit >> 3]! >> (bit & 7)) & 1;
        const values = JSON.parse(molecule.get_descriptors()) as Record<string, number>;
        for (let i = 0; i < descriptors.length; i++) target[at + bits + i] = values[descriptors[i]!]!;
        return null;
      },
      ({ message }) => message,
    );
  }

  /** The log also holds warnings about good molecules: it is emptied now and then, and read for one SMILES alone. */
  forgetLog(): void {
    this.#rdkit.forgetLog();
  }
}
