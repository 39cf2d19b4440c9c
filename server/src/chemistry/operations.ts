import type { Mol } from '@rdkit/rdkit';
import { checker, type Checked, type CheckOptions } from './check.ts';
import { depict, type Drawing } from './depict.ts';
import { descriptorsOf, loadOpenChemLib, type Descriptors } from './describe.ts';
import type { Featuriser } from './features.ts';
import { fingerprintOf, smartsProblem, tanimoto } from './match.ts';
import type { Rdkit } from './rdkit.ts';
import { scaffoldOf } from './scaffold.ts';
import { lexicalProblem, type Problem } from './smiles.ts';

type Or<T> = ({ ok: true } & T) | ({ ok: false } & Problem);

/** What the pool does row by row: the options that hold for all rows, and what comes of one. */
export interface Operations {
  check: { options: CheckOptions; result: Checked };
  /** Of SMARTS: what is wrong with one, or null. */
  smarts: { options: object; result: Problem | null };
  /** Null where the row is no molecule. */
  match: { options: { smarts: string }; result: boolean | null };
  similarity: { options: { to: string }; result: number | null };
  scaffold: { options: object; result: string | null };
  describe: { options: { openchemlib: boolean }; result: Or<{ values: Descriptors }> };
  depict: { options: Drawing; result: Or<{ svg: string }> };
}

export type OperationName = keyof Operations;

type Running = {
  [Name in OperationName]: (
    options: Operations[Name]['options'],
  ) => Ready<(row: string) => Operations[Name]['result']> | Promise<Ready<(row: string) => Operations[Name]['result']>>;
};

/** `end` gives back what was made for the options. */
interface Ready<One> {
  one: One;
  end?: () => void;
}

/** All of them, on this RDKit; without a featuriser, no features are kept. They throw only what RDKit throws when it breaks. */
export const operations = (rdkit: Rdkit, featuriser: Featuriser | null): Running => {
  const check = checker(rdkit, featuriser);

  /** What `use` makes of a row's molecule, or `otherwise` of why it is none. */
  const of = <T>(given: string, use: (molecule: Mol, smiles: string) => T, otherwise: (problem: Problem) => T): T => {
    const smiles = given.trim();
    const problem = lexicalProblem(smiles);
    if (problem) return otherwise({ code: problem.code, message: `The SMILES ${problem.says}` });
    return rdkit.use(smiles, (molecule) => use(molecule, smiles), otherwise);
  };
  const nothing = () => null;
  const refused = (problem: Problem) => ({ ok: false, ...problem }) as const;

  return {
    check: (options) => ({ one: (smiles) => check(smiles, options) }),
    smarts: () => ({ one: (smarts) => smartsProblem(rdkit, smarts) }),
    match: ({ smarts }) => {
      const query = rdkit.query(smarts);
      if ('problem' in query) return { one: nothing };
      const { molecule: pattern } = query;
      return {
        one: (smiles) => of<boolean | null>(smiles, (molecule) => molecule.get_substruct_match(pattern).length > 2, nothing),
        end: () => pattern.delete(),
      };
    },
    similarity: ({ to }) => {
      const wanted = of(to, fingerprintOf, nothing);
      if (!wanted) return { one: nothing };
      const kept = Uint8Array.from(wanted);
      return { one: (smiles) => of<number | null>(smiles, (molecule) => tanimoto(kept, fingerprintOf(molecule)), nothing) };
    },
    scaffold: () => ({ one: (smiles) => of<string | null>(smiles, (molecule) => scaffoldOf(rdkit, molecule), nothing) }),
    describe: async ({ openchemlib }) => {
      const second = openchemlib ? await loadOpenChemLib() : null;
      return {
        one: (given) =>
          of<Operations['describe']['result']>(
            given,
            (molecule, smiles) => ({ ok: true, values: descriptorsOf(molecule, smiles, second) }),
            refused,
          ),
      };
    },
    depict: (drawing) => ({
      one: (smiles) =>
        of<Operations['depict']['result']>(smiles, (molecule) => ({ ok: true, svg: depict(rdkit, molecule, drawing) }), refused),
    }),
  };
};
