/**
 * Chemistry: RDKit (WASM) in a pool of processes, for whoever has molecules and an event loop to keep free.
 *
 *     const chemistry = openChemistry({ log, scratch });           // starts nothing yet
 *     await chemistry.check(smiles)                                 // Checked[], row i for row i
 *     await chemistry.check(smiles, { inchikey: false, names: true, signal })
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
import type { OperationName, Operations } from './operations.ts';
import { recordLength, smilesLimits } from './smiles.ts';
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
   * file.
   */
  check(smiles: readonly string[], asking?: Asking & { inchikey?: boolean; names?: boolean; molblock?: boolean }): Promise<Checked[]>;
  /** The processes at work, for those who watch them. */
  readonly pids: number[];
  /** Bytes of memory that they hold. */
  readonly memory: number;
}

export type ChemistrySettings = Pick<PoolSettings, 'log' | 'scratch'> & Partial<PoolSettings>;

/** A text of megabytes is refused by its length; not all of it need go to a process for that. */
const cut = (text: string, most: number): string => (text.length > 4 * most ? text.slice(0, 4 * most) : text);

export const openChemistry = (settings: ChemistrySettings): Chemistry => {
  const pool = new Pool({
    processes: availableParallelism(),
    timeoutMs: 10_000,
    recycleAfter: 50_000,
    idleMs: 60_000,
    memoryLimitMb: 1_024,
    ...settings,
  });
  const run = async <Name extends OperationName>(
    rows: readonly string[],
    operation: Name,
    options: Operations[Name]['options'],
    rest: Omit<RunOptions, 'operation' | 'options'>,
  ) => (await pool.run(rows, { operation, options, ...rest })) as Operations[Name]['result'][];
  const failed = (message: string): Checked => ({ ok: false, code: 'chemistry_failed', message });
  return {
    check: (smiles, { inchikey = true, names = false, molblock = false, ...asking } = {}) =>
      run(
        smiles.map((text) => cut(text, molblock ? recordLength : smilesLimits.length)),
        'check',
        { inchikey, names, molblock },
        { failed, ...asking },
      ),
    get pids() {
      return pool.pids;
    },
    get memory() {
      return pool.memory;
    },
    [Symbol.asyncDispose]: () => pool.end(),
  };
};
