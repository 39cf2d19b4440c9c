import load, { type Log, type MainModule, type Mol } from '@rdkit/rdkit';
import { problemIn, type Problem } from './smiles.ts';

type Load = () => Promise<MainModule>;

/** The package says one thing of its default to Node's resolution and another to bundlers', which check what tests import. */
const startOf = (given: unknown): Load => (given as { default?: Load }).default ?? (given as Load);
const start = startOf(load);

/**
 * RDKit in this process, for code that runs in the pool's processes: a hostile molecule hangs it for good, or breaks it
 * so that every later call throws. Molecules are deleted as they are done with: each keeps 19 kB of WASM memory
 * otherwise, which ends at 226,475 of them.
 */
export class Rdkit {
  readonly module: MainModule;
  readonly #log: Log;

  private constructor(module: MainModule, log: Log) {
    this.module = module;
    this.#log = log;
  }

  static async load(): Promise<Rdkit> {
    const module = await start();
    const log = module.set_log_capture('rdApp.*');
    if (!log) throw new Error('RDKit gives no log');
    return new Rdkit(module, log);
  }

  get version(): string {
    return this.module.version();
  }

  /**
   * What `use` makes of the molecule of a SMILES that has passed `lexicalProblem`, or `otherwise` of why it is none. `details`
   * are RDKit's: of a record of an SD file it keeps every hydrogen that is drawn, unless it is told not to.
   */
  use<T>(smiles: string, use: (molecule: Mol) => T, otherwise: (problem: Problem) => T, details?: string): T {
    const molecule = details === undefined ? this.module.get_mol(smiles) : this.module.get_mol(smiles, details);
    if (!molecule) return otherwise(this.#reason(smiles));
    try {
      return use(molecule);
    } finally {
      molecule.delete();
    }
  }

  canonical(smiles: string): string | null {
    return this.use<string | null>(
      smiles,
      (molecule) => molecule.get_smiles(),
      () => null,
    );
  }

  /** A pattern, which is the caller's to delete. */
  query(smarts: string): { molecule: Mol } | { problem: Problem } {
    this.#log.clear_buffer();
    const molecule = this.module.get_qmol(smarts);
    if (molecule) return { molecule };
    const problem = problemIn(this.#log.get_buffer());
    this.#log.clear_buffer();
    return { problem };
  }

  /** '' where there is none. */
  inchikey(molecule: Mol): string {
    const inchi = molecule.get_inchi();
    return inchi === '' ? '' : this.module.get_inchikey_for_inchi(inchi);
  }

  /** The log also holds warnings about good molecules: it is to be emptied now and then. */
  forgetLog(): void {
    this.#log.clear_buffer();
  }

  #reason(smiles: string): Problem {
    // Parsed again, so that the log is about this SMILES alone.
    this.#log.clear_buffer();
    this.module.get_mol(smiles)?.delete();
    const problem = problemIn(this.#log.get_buffer());
    this.#log.clear_buffer();
    return problem;
  }
}
