import type { Residue } from './cif.ts';

/** What a row of a map of aligned errors is about: a residue, or one atom of a ligand. */
export const tokensOf = (residues: readonly Residue[]): Residue[] =>
  residues.flatMap((residue) => Array.from({ length: residue.ligand ? residue.atoms : 1 }, () => residue));

export interface Block {
  aligned: string;
  scored: string;
  mean: number;
}

/** The mean error of the residues of one chain where another one is aligned, for any two chains; `values` has `tokens²` of them. */
export const blocksOf = (values: Float32Array, tokens: readonly Residue[]): Block[] => {
  const chains = [...new Set(tokens.map(({ chain }) => chain))];
  const place = tokens.map(({ chain }) => chains.indexOf(chain));
  const [sums, counts] = [new Float64Array(chains.length ** 2), new Float64Array(chains.length ** 2)];
  for (let i = 0, at = 0; i < tokens.length; i++)
    for (let j = 0; j < tokens.length; j++, at++) {
      const block = place[i]! * chains.length + place[j]!;
      sums[block]! += values[at]!;
      counts[block]! += 1;
    }
  return chains.flatMap((aligned, i) =>
    chains.map((scored, j) => {
      const block = i * chains.length + j;
      return { aligned, scored, mean: sums[block]! / counts[block]! };
    }),
  );
};
