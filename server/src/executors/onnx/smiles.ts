import { didYouMean } from '../../lib/suggest.ts';
import type { Json } from '../executor.ts';

/**
 * Limits on what reaches RDKit. Its WASM build has a stack of fixed size: a chain of 700 atoms hangs some calls for
 * good, 900 break the instance, and so do 400 nested parentheses; 600 atoms and 300 parentheses were fine everywhere.
 */
export const smilesLimits = { atoms: 500, length: 2000, nesting: 200 };

const atom = /\[[^\]]*\]|Br|Cl|[BCNOPSFIbcnops*]/g;

const nesting = (smiles: string): number => {
  let [depth, most] = [0, 0];
  for (const letter of smiles) {
    if (letter === '(') most = Math.max(most, ++depth);
    else if (letter === ')') depth--;
  }
  return most;
};

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
  if (given.length > smilesLimits.length)
    return { problem: `inputs.smiles has ${given.length} characters; at most ${smilesLimits.length} are allowed.` };
  const smiles = given.trim();
  if (smiles === '') return { problem: 'inputs.smiles is empty.' };
  // RDKit would take what follows as the molecule's name, and a wrong separator would go unseen.
  if (/\s/.test(smiles)) return { problem: 'inputs.smiles holds white space; give the SMILES alone, without a name.' };
  const atoms = smiles.match(atom)?.length ?? 0;
  if (atoms > smilesLimits.atoms) return { problem: `inputs.smiles has ${atoms} atoms; at most ${smilesLimits.atoms} are allowed.` };
  const depth = nesting(smiles);
  if (depth > smilesLimits.nesting)
    return { problem: `inputs.smiles nests ${depth} parentheses; at most ${smilesLimits.nesting} are allowed.` };
  return { smiles };
};
