import { lexicalProblem, smilesLimits } from '../../chemistry/smiles.ts';
import { didYouMean } from '../../lib/suggest.ts';
import type { Json } from '../executor.ts';

/** The SMILES of a prediction's inputs, or why there is none, naming the field. */
export const smilesOf = (inputs: Json | undefined): { smiles: string } | { problem: string } => {
  if (inputs === undefined) return { problem: 'inputs is missing; this model takes {"smiles": "…"}.' };
  if (typeof inputs !== 'object' || inputs === null || Array.isArray(inputs))
    return { problem: 'inputs must be an object such as {"smiles": "CCO"}.' };
  for (const name of Object.keys(inputs))
    if (name !== 'smiles') return { problem: `inputs.${name} is not known; this model takes smiles.${didYouMean(name, ['smiles'])}` };
  const given = inputs['smiles'];
  if (given === undefined) return { problem: 'inputs.smiles is missing.' };
  if (typeof given !== 'string') return { problem: 'inputs.smiles must be a string.' };
  // Before it is trimmed, which would walk over all of it.
  const smiles = given.length > smilesLimits.length ? given : given.trim();
  const problem = lexicalProblem(smiles);
  return problem ? { problem: `inputs.smiles ${problem.says}` } : { smiles };
};
