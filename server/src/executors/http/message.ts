import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { BadRequest } from '../bad-request.ts';
import type { BoltzRequest } from '../boltz/request.ts';
import type { Affinity, Confidence } from '../boltz/output.ts';
import type { JsonObject } from '../executor.ts';

/**
 * The request of the NIM of Boltz-2 (NVIDIA's api.md and client). What it does not take is refused: left out in silence,
 * the answer would be that of another question.
 */
export const requestOf = ({ proteins, ligand, pocket, templates, affinity, parameters: p }: BoltzRequest): JsonObject => {
  if (templates.length > 0) throw new BadRequest('inputs.templates are not taken by this server.');
  if (p.seed !== null) throw new BadRequest('parameters.seed is not taken by this server.');
  if (p.max_msa_seqs !== 8_192) throw new BadRequest('parameters.max_msa_seqs is not taken by this server.');
  const within = (
    name: 'recycling_steps' | 'sampling_steps' | 'sampling_steps_affinity' | 'diffusion_samples_affinity',
    least: number,
    most: number,
  ): void => {
    if (p[name] < least || p[name] > most) throw new BadRequest(`parameters.${name} must be from ${least} to ${most} for this server.`);
  };
  within('recycling_steps', 1, 10);
  within('sampling_steps', 10, 1_000);
  within('sampling_steps_affinity', 10, 1_000);
  within('diffusion_samples_affinity', 1, 10);
  const polymers = proteins.flatMap(({ id, sequence, msa, modifications, cyclic }) =>
    id.map((each) => ({
      id: each,
      molecule_type: 'protein',
      sequence,
      ...(cyclic && { cyclic }),
      ...(modifications.length > 0 && { modifications }),
      ...(msa !== null && { msa: { msa_search: { a3m: { alignment: msa, format: 'a3m', rank: 0 } } } }),
    })),
  );
  const contacts = pocket?.contacts.map(([id, residue]) => {
    if (typeof residue !== 'number') throw new BadRequest('inputs.pocket.contacts must be residues by number for this server.');
    return { id, residue_index: residue };
  });
  return {
    polymers,
    ...(ligand && {
      ligands: [
        {
          id: ligand.id,
          ...(ligand.smiles === null ? { ccd: ligand.ccd } : { smiles: ligand.smiles }),
          ...(affinity && { predict_affinity: true }),
        },
      ],
    }),
    ...(contacts && { constraints: [{ constraint_type: 'pocket', binder: ligand!.id, contacts }] }),
    recycling_steps: p.recycling_steps,
    sampling_steps: p.sampling_steps,
    diffusion_samples: p.diffusion_samples,
    step_scale: p.step_scale,
    without_potentials: !p.use_potentials,
    sampling_steps_affinity: p.sampling_steps_affinity,
    diffusion_samples_affinity: p.diffusion_samples_affinity,
    affinity_mw_correction: p.affinity_mw_correction,
    write_full_pae: p.write_full_pae,
    output_format: 'mmcif',
  };
};

const scores = Type.Array(Type.Number());

const Reply = Type.Object({
  structures: Type.Array(Type.Object({ format: Type.String(), structure: Type.String({ pattern: '^data_' }) }), { minItems: 1 }),
  confidence_scores: scores,
  ptm_scores: scores,
  iptm_scores: scores,
  ligand_iptm_scores: scores,
  protein_iptm_scores: scores,
  complex_plddt_scores: scores,
  complex_iplddt_scores: scores,
  complex_pde_scores: scores,
  complex_ipde_scores: scores,
  chains_ptm_scores: scores,
  pair_chains_iptm_scores: Type.Optional(Type.Array(Type.Record(Type.String(), Type.Record(Type.String(), Type.Number())))),
  affinities: Type.Optional(
    Type.Record(
      Type.String(),
      Type.Object({
        affinity_pred_value: scores,
        affinity_probability_binary: scores,
        model_1_affinity_pred_value: scores,
        model_1_affinity_probability_binary: scores,
        model_2_affinity_pred_value: scores,
        model_2_affinity_probability_binary: scores,
      }),
    ),
  ),
});
const reply = Compile(Reply);

export interface Answer {
  structures: string[];
  confidence: Confidence;
  affinity: Affinity | null;
}

/**
 * What the reply says of the best structure, under the names of the program; null where it is not such a reply. The
 * field `affinity_pic50` is not read: it is (6 - y) · 1.364, an energy, and no pIC50.
 */
export const answerOf = (value: unknown, ligand: string | null): Answer | null => {
  if (!reply.Check(value)) return null;
  const first = (name: keyof Omit<typeof value, 'structures' | 'affinities' | 'pair_chains_iptm_scores'>): number => value[name][0] ?? 0;
  const found = ligand === null ? undefined : value.affinities?.[ligand];
  const one = (values: readonly number[]): number => values[0] ?? Number.NaN;
  return {
    structures: value.structures.map(({ structure }) => structure),
    confidence: {
      confidence_score: first('confidence_scores'),
      ptm: first('ptm_scores'),
      iptm: first('iptm_scores'),
      ligand_iptm: first('ligand_iptm_scores'),
      protein_iptm: first('protein_iptm_scores'),
      complex_plddt: first('complex_plddt_scores'),
      complex_iplddt: first('complex_iplddt_scores'),
      complex_pde: first('complex_pde_scores'),
      complex_ipde: first('complex_ipde_scores'),
      chains_ptm: Object.fromEntries(value.chains_ptm_scores.map((score, i) => [String(i), score])),
      pair_chains_iptm: value.pair_chains_iptm_scores?.[0] ?? {},
    },
    affinity: found
      ? {
          affinity_pred_value: one(found.affinity_pred_value),
          affinity_probability_binary: one(found.affinity_probability_binary),
          affinity_pred_value1: one(found.model_1_affinity_pred_value),
          affinity_probability_binary1: one(found.model_1_affinity_probability_binary),
          affinity_pred_value2: one(found.model_2_affinity_pred_value),
          affinity_probability_binary2: one(found.model_2_affinity_probability_binary),
        }
      : null,
  };
};
