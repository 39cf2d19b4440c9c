/** What `smiles-morgan2048-desc16` is made of, for those who do not load RDKit themselves. */

/** In this order behind the fingerprint; chosen because they are equal in RDKit 2022.09 and 2026.09. */
export const descriptors = [
  'CrippenClogP',
  'CrippenMR',
  'tpsa',
  'labuteASA',
  'NumHeavyAtoms',
  'NumHeteroatoms',
  'NumRotatableBonds',
  'NumHBD',
  'lipinskiHBA',
  'FractionCSP3',
  'NumAromaticRings',
  'NumAromaticHeterocycles',
  'NumAmideBonds',
  'chi0v',
  'chi1v',
  'chi3v',
];
export const bits = 2048;
/** Columns of `smiles-morgan2048-desc16`: a Morgan fingerprint of radius 2, then 16 descriptors, unscaled. */
export const featureCount = bits + descriptors.length;

/** A molecule's features as they are kept: the fingerprint's bits, then the descriptors as float32. */
export const packedBytes = bits / 8 + 4 * descriptors.length;
