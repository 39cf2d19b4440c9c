/**
 * Chemistry: RDKit (WASM) in a pool of processes, for whoever has molecules and an event loop to keep free.
 *
 *     const chemistry = openChemistry({ log, scratch });           // starts nothing yet
 *     await chemistry.check(smiles)                                 // Checked[], row i for row i
 *     await chemistry.check(smiles, { inchikey: false, names: true, signal })
 *     await chemistry.matchSubstructure(smiles, smarts)             // { ok: true, matches: (boolean | null)[] } or the SMARTS's problem
 *     await chemistry.similarity(smiles, toSmiles)                  // { ok: true, values: (number | null)[] }: Tanimoto, 0 to 1
 *     await chemistry.scaffold(smiles)                              // (string | null)[]: Bemis–Murcko, '' without rings
 *     await chemistry.describe(smiles)                              // molecular weight, logP, … (./describe.ts)
 *     await chemistry.depict(smiles, drawing)                       // an SVG
 *     checkSequence(text, { least, most, alphabet })                // ./sequence.ts: a plain function, no pool
 *     await using …  or  await chemistry[Symbol.asyncDispose]()
 *
 * `check` gives canonical SMILES, InChIKey, number of fragments and flags (./check.ts says what each means), or the code
 * and message of what is wrong (./smiles.ts, `Problem`), for any text at all: it never rejects for what a row holds. A
 * row that hangs RDKit or breaks it fails alone; those beside it run again. Hand over thousands of rows a call (10,000
 * take about 3 s on two cores), they go out in messages of 30 ms; several calls take turns.
 *
 * Processes are started when there is work and end after a minute without any (100 MB each while they live).
 */
import { availableParallelism } from 'node:os';
import type { Checked } from './check.ts';
import type { Drawing } from './depict.ts';
import { slotsIn } from './feature-cache.ts';
import { packedBytes } from './feature-layout.ts';
import type { OperationName, Operations } from './operations.ts';
import { recordLength, smilesLimits, type Problem } from './smiles.ts';
import { Pool, type PoolSettings, type RunOptions } from './pool.ts';

export type { Checked, Flag, Valid } from './check.ts';

export interface Asking {
  /** Somebody waits at a screen: before all calls that are not urgent. */
  urgent?: boolean;
  /** Ends the call, which rejects with its reason. */
  signal?: AbortSignal;
}

export interface Chemistry extends AsyncDisposable {
  /**
   * Whether each text is a molecule, and which. `inchikey: false` leaves the InChIKey out, which takes half the time;
   * `names`: what stands behind white space is a name, otherwise it is a mistake; `molblock`: the texts are records of an SD
   * file; `features`: those of the models are computed along with it, for whoever asks one of this host later.
   */
  check(
    smiles: readonly string[],
    asking?: Asking & { inchikey?: boolean; names?: boolean; molblock?: boolean; features?: boolean },
  ): Promise<Checked[]>;
  /** Molecules whose features it keeps at a time; 0: it keeps none. */
  readonly keeps: number;
  /** Which of the molecules hold what a SMARTS means; null for what is no molecule, or was too much for RDKit. */
  matchSubstructure(
    smiles: readonly string[],
    smarts: string,
    asking?: Asking,
  ): Promise<{ ok: true; matches: (boolean | null)[] } | ({ ok: false } & Problem)>;
  /** How like a molecule each is: Tanimoto of Morgan fingerprints, radius 2, 2048 bits; null for what is no molecule. */
  similarity(
    smiles: readonly string[],
    to: string,
    asking?: Asking,
  ): Promise<{ ok: true; values: (number | null)[] } | ({ ok: false } & Problem)>;
  /** The scaffold of Bemis and Murcko of each, as canonical SMILES; '' without rings, null for what is no molecule. */
  scaffold(smiles: readonly string[], asking?: Asking): Promise<(string | null)[]>;
  /** Simple properties (`described`); without OpenChemLib's in half the time. */
  describe(smiles: readonly string[], asking?: Asking & { openchemlib?: boolean }): Promise<Operations['describe']['result'][]>;
  /** The molecule drawn. A highlight that is no SMARTS is a problem too. */
  depict(smiles: string, drawing: Drawing, asking?: Asking): Promise<Operations['depict']['result']>;
  /** The processes at work, for those who watch them. */
  readonly pids: number[];
  /** Bytes of memory that they hold. */
  readonly memory: number;
}

export type ChemistrySettings = Pick<PoolSettings, 'log' | 'scratch'> & Partial<PoolSettings>;

/** A text of megabytes is refused by its length; not all of it need go to a process for that. */
const cut = (text: string, most = smilesLimits.length): string => (text.length > 4 * most ? text.slice(0, 4 * most) : text);

export const openChemistry = (settings: ChemistrySettings): Chemistry => {
  const pool = new Pool({
    processes: availableParallelism(),
    timeoutMs: 10_000,
    recycleAfter: 50_000,
    idleMs: 60_000,
    memoryLimitMb: 1_024,
    features: null,
    ...settings,
  });
  const run = async <Name extends OperationName>(
    rows: readonly string[],
    operation: Name,
    options: Operations[Name]['options'],
    rest: Omit<RunOptions, 'operation' | 'options'>,
  ) => (await pool.run(rows, { operation, options, ...rest })) as Operations[Name]['result'][];
  const failed = (message: string) => ({ ok: false, code: 'chemistry_failed', message }) as const;
  const smartsOf = async (smarts: string, asking: Asking): Promise<Problem | null> => {
    if (smarts.length > smilesLimits.length)
      return { code: 'invalid_smarts', message: `The SMARTS has more than ${smilesLimits.length} characters.` };
    const [problem] = await run([smarts], 'smarts', {}, { failed: (message): Problem => ({ code: 'invalid_smarts', message }), ...asking });
    return problem ?? null;
  };
  return {
    check: (smiles, { inchikey = true, names = false, molblock = false, features = false, ...asking } = {}) =>
      run(
        smiles.map((text) => cut(text, molblock ? recordLength : smilesLimits.length)),
        'check',
        { inchikey, names, molblock, features },
        { failed, ...asking },
      ),
    async matchSubstructure(smiles, smarts, asking = {}) {
      const problem = await smartsOf(smarts, asking);
      if (problem) return { ok: false, ...problem };
      return {
        ok: true,
        matches: await run(
          smiles.map((text) => cut(text)),
          'match',
          { smarts },
          { failed: () => null, ...asking },
        ),
      };
    },
    async similarity(smiles, to, asking = {}) {
      const [checked] = await run([cut(to)], 'check', { inchikey: false }, { failed, ...asking });
      if (!checked!.ok) return checked!;
      return {
        ok: true,
        values: await run(
          smiles.map((text) => cut(text)),
          'similarity',
          { to: to.trim() },
          { failed: () => null, ...asking },
        ),
      };
    },
    scaffold: (smiles, asking = {}) =>
      run(
        smiles.map((text) => cut(text)),
        'scaffold',
        {},
        { failed: () => null, ...asking },
      ),
    describe: (smiles, { openchemlib = true, ...asking } = {}) =>
      run(
        smiles.map((text) => cut(text)),
        'describe',
        { openchemlib },
        { failed, ...asking },
      ),
    async depict(smiles, drawing, asking = {}) {
      const problem = drawing.highlight === undefined ? null : await smartsOf(drawing.highlight, asking);
      if (problem) return { ok: false, ...problem };
      const [drawn] = await run([cut(smiles)], 'depict', drawing, { failed, ...asking });
      return drawn!;
    },
    keeps: settings.features === undefined || settings.features === null ? 0 : slotsIn(settings.features, packedBytes),
    get pids() {
      return pool.pids;
    },
    get memory() {
      return pool.memory;
    },
    [Symbol.asyncDispose]: () => pool.end(),
  };
};
