import type { Mol } from '@rdkit/rdkit';
import type { Rdkit } from './rdkit.ts';
import type { Problem } from './smiles.ts';

/** Longer patterns, or such of more atoms, are not for a person's question; and matching may take time beyond all bounds. */
const limits = { length: 1_000, atoms: 100 };

/** Why a text is no SMARTS; null: it is one. */
export const smartsProblem = (rdkit: Rdkit, smarts: string): Problem | null => {
  const bad = (message: string): Problem => ({ code: 'invalid_smarts', message });
  if (smarts.trim() === '') return bad('The SMARTS is empty.');
  if (smarts.length > limits.length) return bad(`The SMARTS has more than ${limits.length} characters.`);
  if (/[^!-~]/.test(smarts)) return bad('The SMARTS holds white space, or a character that no SMARTS has.');
  const query = rdkit.query(smarts);
  if ('problem' in query) return bad(query.problem.message);
  try {
    const atoms = query.molecule.get_num_atoms();
    return atoms > limits.atoms ? bad(`The SMARTS has ${atoms} atoms; at most ${limits.atoms} are allowed.`) : null;
  } finally {
    query.molecule.delete();
  }
};

const bits = 2048;
const fingerprint = JSON.stringify({ radius: 2, nBits: bits });

/** The Morgan fingerprint of radius 2 and 2048 bits that models are trained on. */
export const fingerprintOf = (molecule: Mol): Uint8Array => molecule.get_morgan_fp_as_uint8array(fingerprint) as Uint8Array;

const ones = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll('0', '').length);

/** Bits that both have of those that either has: 1 for the same fingerprint. */
export const tanimoto = (a: Uint8Array, b: Uint8Array): number => {
  let [both, either] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    both += ones[a[i]! & b[i]!]!;
    either += ones[a[i]! | b[i]!]!;
  }
  return either === 0 ? 0 : both / either;
};
