import { checker, type Checked, type CheckOptions } from './check.ts';
import type { Rdkit } from './rdkit.ts';

/** What the pool does row by row: the options that hold for all rows, and what comes of one. */
export interface Operations {
  check: { options: CheckOptions; result: Checked };
}

export type OperationName = keyof Operations;

type Running = { [Name in OperationName]: (options: Operations[Name]['options']) => (row: string) => Operations[Name]['result'] };

/** All of them, on this RDKit. They throw only what RDKit throws when it breaks. */
export const operations = (rdkit: Rdkit): Running => {
  const check = checker(rdkit);
  return {
    check: (options) => (smiles) => check(smiles, options),
  };
};
