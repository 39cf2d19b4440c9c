import type { JsonObject } from '../executor.ts';
import type { Affinity, Confidence } from './output.ts';
import type { BoltzRequest } from './request.ts';

/** Where the alignments came from: without any, predictions of most proteins are much worse, and the result says so. */
export type MsaSource = 'user' | 'server' | 'single_sequence';

/** What the numbers are, for whoever reads a result without the documentation at hand. */
export const units: Record<string, string> = {
  affinity_pred_value: 'log10(IC50 in µM); lower binds more strongly; for comparing binders',
  pic50: '-log10(IC50 in M), 6 - affinity_pred_value',
  ic50_um: 'µM, 10^affinity_pred_value',
  affinity_probability_binary: '0 to 1, that it binds at all; for telling binders from others',
  confidence_score: '0 to 1, (4 complex_plddt + iptm) / 5',
  complex_pde: 'Å, lower is better',
  complex_ipde: 'Å, lower is better',
};

const round = (value: number): number => Number(value.toPrecision(6));

/**
 * The columns of a result. pIC50 = 6 - y and IC50 = 10^y µM, with y = affinity_pred_value = log10(IC50 in µM): the
 * model's own definition (docs/prediction.md of boltz 2.2.0); the field of that name in other servers is another number.
 */
export const outputsOf = (
  request: BoltzRequest,
  confidence: Confidence,
  affinity: Affinity | null,
  run: { msa: MsaSource; tool: { name: string; version: string | null } },
): JsonObject => ({
  ...(request.ligand && { ligand: request.ligand.smiles ?? request.ligand.ccd }),
  ...(affinity && {
    affinity_pred_value: affinity.affinity_pred_value,
    pic50: round(6 - affinity.affinity_pred_value),
    ic50_um: round(10 ** affinity.affinity_pred_value),
    affinity_probability_binary: affinity.affinity_probability_binary,
    affinity_members: [
      { affinity_pred_value: affinity.affinity_pred_value1, affinity_probability_binary: affinity.affinity_probability_binary1 },
      { affinity_pred_value: affinity.affinity_pred_value2, affinity_probability_binary: affinity.affinity_probability_binary2 },
    ],
  }),
  ...confidence,
  msa: run.msa,
  units: Object.fromEntries(Object.entries(units).filter(([name]) => affinity !== null || name.startsWith('co'))),
  parameters: { ...request.parameters },
  tool: run.tool,
});
