import { described } from '../chemistry/describe.ts';
import type { ExecutorName, ModelSpec, OutputColumn, OutputColumns } from '../models/models.ts';
import type { Schema } from './task-schemas.ts';

const confidence: OutputColumns = {
  confidence_score: { title: 'Confidence', unit: '0 to 1' },
  ptm: { title: 'pTM', unit: '0 to 1' },
  iptm: { title: 'ipTM', unit: '0 to 1' },
  ligand_iptm: { title: 'ipTM of the ligand', unit: '0 to 1' },
  protein_iptm: { title: 'ipTM of the proteins', unit: '0 to 1' },
  complex_plddt: { title: 'pLDDT', unit: '0 to 1' },
  complex_iplddt: { title: 'pLDDT of the interface', unit: '0 to 1' },
  complex_pde: { title: 'Predicted distance error', unit: 'Å' },
  complex_ipde: { title: 'Predicted distance error of the interface', unit: 'Å' },
};

/** As docs/prediction.md of boltz 2.2.0 has them; pIC50 and IC50 are computed from the first. */
const boltz: OutputColumns = {
  affinity_pred_value: { title: 'Affinity', unit: 'log10(IC50 in µM)' },
  pic50: { title: 'pIC50', unit: '-log10(IC50 in M)' },
  ic50_um: { title: 'IC50', unit: 'µM' },
  affinity_probability_binary: { title: 'Probability of binding', unit: '0 to 1' },
  ...confidence,
};

const byExecutor: Partial<Record<ExecutorName, OutputColumns>> = {
  boltz,
  // The same model behind HTTP.
  http: boltz,
  chai: {
    aggregate_score: { title: 'Score', unit: '0.2 ptm + 0.8 iptm, less 100 where chains clash' },
    ptm: confidence['ptm']!,
    iptm: confidence['iptm']!,
  },
  rfantibody: {
    designs: { title: 'Designs, their PAE and RMSD in Å' },
    counts: { title: 'Backbones, sequences, predictions and designs that passed' },
  },
  descriptors: Object.fromEntries(
    described.map(({ name, source, unit, about }): [string, OutputColumn] => [name, { title: `${about} (${source})`, unit }]),
  ),
};

/** What is known of a model's outputs: as it declares them, else as its executor has them. */
export const outputColumnsOf = ({ executor, outputColumns }: Pick<ModelSpec, 'executor' | 'outputColumns'>): OutputColumns => ({
  ...byExecutor[executor],
  ...outputColumns,
});

/** The schema of a model's inputs, and with it, as `$defs.outputs`, one of its outputs: titles, and units as `x-unit`. */
export const withOutputs = (schema: Schema, columns: OutputColumns): Schema =>
  Object.keys(columns).length === 0
    ? schema
    : {
        ...schema,
        $defs: {
          ...(schema['$defs'] as Schema | undefined),
          outputs: {
            type: 'object',
            properties: Object.fromEntries(
              Object.entries(columns).map(([name, { title, unit }]) => [
                name,
                { ...(title !== undefined && { title }), ...(unit !== undefined && { 'x-unit': unit }) },
              ]),
            ),
          },
        },
      };
