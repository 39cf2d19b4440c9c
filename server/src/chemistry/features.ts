import { FeatureCache } from './feature-cache.ts';
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

/** A molecule's features as they are kept: the fingerprint's bits, then the descriptors as float32. */
const packedBytes = bits / 8 + 4 * descriptors.length;

export class Featuriser {
  readonly #rdkit: Rdkit;
  readonly #packed = new Uint8Array(packedBytes);
  readonly #values = new Float32Array(this.#packed.buffer, bits / 8, descriptors.length);
  readonly cache: FeatureCache | null;

  constructor(rdkit: Rdkit, file: number | null) {
    this.#rdkit = rdkit;
    this.cache = file === null ? null : new FeatureCache(file, `morgan2048-desc16 ${rdkit.version}`, packedBytes);
  }

  /** `file`: the descriptor of the host's features (`openFeatureFile`); null: each molecule is computed. */
  static async create(file: number | null = null): Promise<Featuriser> {
    return new Featuriser(await Rdkit.load(), file);
  }

  /**
   * Writes the features of a molecule to `target` from `at` on; returns null, or why the SMILES is no molecule.
   * Throws what WASM throws; after that the instance may be lost.
   */
  fill(smiles: string, target: Float32Array, at: number): string | null {
    const found = this.cache?.get(smiles);
    if (found) this.#packed.set(found);
    else {
      const problem = this.#compute(smiles);
      if (problem !== null) return problem;
      this.cache?.put(smiles, this.#packed);
    }
    for (let bit = 0; bit < bits; bit++) target[at + bit] = (this.#packed[bit >> 3]! >> (bit & 7)) & 1;
    target.set(this.#values, at + bits);
    return null;
  }

  #compute(smiles: string): string | null {
    return this.#rdkit.use<string | null>(
      smiles,
      (molecule) => {
        this.#packed.set(molecule.get_morgan_fp_as_uint8array(fingerprint));
        const values = JSON.parse(molecule.get_descriptors()) as Record<string, number>;
        for (let i = 0; i < descriptors.length; i++) this.#values[i] = values[descriptors[i]!]!;
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
