import { stringify } from 'yaml';
import type { BoltzRequest } from './request.ts';

/** Where a chain's alignment is: a file, `empty` (a single sequence), or null (the server makes one). */
export type MsaOf = (chain: number) => string | null;

/**
 * The input file of `boltz predict`, version 1, exactly (docs/prediction.md of boltz 2.2.0).
 *
 * @param templates paths of the request's templates, in their order
 */
export const inputFile = (request: BoltzRequest, msaOf: MsaOf, templates: readonly string[]): string => {
  const { proteins, ligand, pocket, affinity } = request;
  const sequences: object[] = proteins.map(({ id, sequence, modifications, cyclic }, i) => {
    const msa = msaOf(i);
    return {
      protein: {
        id: id.length === 1 ? id[0] : id,
        sequence,
        ...(msa !== null && { msa }),
        ...(modifications.length > 0 && { modifications }),
        ...(cyclic && { cyclic }),
      },
    };
  });
  if (ligand !== null)
    sequences.push({ ligand: { id: ligand.id, ...(ligand.ccd === null ? { smiles: ligand.smiles } : { ccd: ligand.ccd }) } });
  const document = {
    version: 1,
    sequences,
    ...(pocket !== null && {
      constraints: [{ pocket: { binder: ligand!.id, contacts: pocket.contacts, max_distance: pocket.maxDistance, force: pocket.force } }],
    }),
    ...(templates.length > 0 && {
      templates: request.templates.map(({ cif: _, ...rest }, i) => ({ cif: templates[i], ...rest })),
    }),
    ...(affinity && { properties: [{ affinity: { binder: ligand!.id } }] }),
  };
  return stringify(document, { lineWidth: 0, defaultStringType: 'PLAIN', aliasDuplicateObjects: false });
};
