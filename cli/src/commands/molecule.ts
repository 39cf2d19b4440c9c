import type { CheckedMolecules, MatchedMolecules } from '@sluice/contract';
import type { Context } from '../context.ts';
import { printJson, printTable } from '../output.ts';

/** Which texts are molecules, and what is wrong with the others. */
export const check = async ({ client, terminal, fields }: Context, smiles: string[]): Promise<void> => {
  const found = await client.post<CheckedMolecules>('/v1/molecules/check', { smiles });
  if (fields) return printJson(terminal, found.data, fields);
  printTable(terminal, found.data, {
    given: ({ index }) => smiles[index]!,
    canonical: (row) => row.smiles ?? '',
    inchikey: (row) => row.inchikey ?? '',
    flags: ({ flags }) => flags.join(' '),
    problem: ({ error }) => error?.message ?? '',
  });
};

/** Which molecules hold a SMARTS, or are like another. */
export const match = async (
  { client, terminal, fields }: Context,
  smiles: string[],
  { smarts, like, threshold, scaffolds }: { smarts?: string; like?: string; threshold?: number; scaffolds?: boolean },
): Promise<void> => {
  const asked = { smiles, smarts, similar_to: like, threshold, scaffolds };
  const found = await client.post<MatchedMolecules>('/v1/molecules/match', asked);
  if (fields) return printJson(terminal, found.data, fields);
  printTable(terminal, found.data, {
    given: ({ index }) => smiles[index]!,
    matches: ({ matches }) => (matches === null ? 'no molecule' : matches ? 'yes' : 'no'),
    similarity: ({ similarity }) => similarity?.toFixed(3) ?? '',
    scaffold: ({ scaffold }) => scaffold ?? '',
  });
};
