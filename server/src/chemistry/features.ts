import type { Mol } from '@rdkit/rdkit';
import { FeatureCache } from './feature-cache.ts';
import { bits, descriptors, packedBytes } from './feature-layout.ts';
import { Rdkit } from './rdkit.ts';

const fingerprint = JSON.stringify({ radius: 2, nBits: bits });

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
      const problem = this.#rdkit.use<string | null>(
        smiles,
        (molecule) => {
          this.#compute(smiles, molecule);
          return null;
        },
        ({ message }) => message,
      );
      if (problem !== null) return problem;
    }
    for (let bit = 0; bit < bits; bit++) target[at + bit] = (this.#packed[bit >> 3]! >> (bit & 7)) & 1;
    target.set(this.#values, at + bits);
    return null;
  }

  /** Computes and keeps the features of a molecule that was read from `smiles`, unless they are kept already. */
  keep(smiles: string, molecule: Mol): void {
    if (this.cache !== null && !this.cache.broken && this.cache.get(smiles) === null) this.#compute(smiles, molecule);
  }

  #compute(smiles: string, molecule: Mol): void {
    this.#packed.set(molecule.get_morgan_fp_as_uint8array(fingerprint));
    const values = JSON.parse(molecule.get_descriptors()) as Record<string, number>;
    for (let i = 0; i < descriptors.length; i++) this.#values[i] = values[descriptors[i]!]!;
    this.cache?.put(smiles, this.#packed);
  }

  /** The log also holds warnings about good molecules: it is emptied now and then, and read for one SMILES alone. */
  forgetLog(): void {
    this.#rdkit.forgetLog();
  }
}
