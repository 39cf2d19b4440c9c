import rdkit, { type Log, type MainModule } from '@rdkit/rdkit';

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

/** `[12:34:56] SMILES Parse Error: …`, several lines and repeated, down to its first sentence. */
const reasonOf = (log: string): string =>
  log
    .split('\n')
    .map((line) => line.replace(/^\[\d\d:\d\d:\d\d\]\s*/, '').trim())
    .find((line) => line !== '') ?? 'RDKit cannot read it';

export class Featuriser {
  readonly #rdkit: MainModule;
  readonly #log: Log;

  private constructor(rdkit: MainModule) {
    this.#rdkit = rdkit;
    const log = rdkit.set_log_capture('rdApp.*');
    if (!log) throw new Error('RDKit gives no log');
    this.#log = log;
  }

  static async create(): Promise<Featuriser> {
    return new Featuriser(await rdkit.default());
  }

  /**
   * Writes the features of a molecule to `target` from `at` on; returns null, or why the SMILES is no molecule.
   * Throws what WASM throws; after that the instance may be lost.
   */
  fill(smiles: string, target: Float32Array, at: number): string | null {
    const molecule = this.#rdkit.get_mol(smiles);
    if (!molecule) return this.#reason(smiles);
    // Without delete() each molecule keeps 19 kB of WASM memory, which ends at 226,475 of them.
    try {
      const bytes = molecule.get_morgan_fp_as_uint8array(fingerprint);
      for (let bit = 0; bit < bits; bit++) target[at + bit] = (bytes[bit >> 3]! >> (bit & 7)) & 1;
      const values = JSON.parse(molecule.get_descriptors()) as Record<string, number>;
      for (let i = 0; i < descriptors.length; i++) target[at + bits + i] = values[descriptors[i]!]!;
      return null;
    } finally {
      molecule.delete();
    }
  }

  /** The log also holds warnings about good molecules: it is emptied now and then, and read for this SMILES alone. */
  forgetLog(): void {
    this.#log.clear_buffer();
  }

  #reason(smiles: string): string {
    this.#log.clear_buffer();
    this.#rdkit.get_mol(smiles)?.delete();
    const reason = reasonOf(this.#log.get_buffer());
    this.#log.clear_buffer();
    return reason;
  }
}
