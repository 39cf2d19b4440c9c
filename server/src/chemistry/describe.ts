import type { Mol } from '@rdkit/rdkit';

/** A value that is computed of a molecule: under this name, by whom, in what unit. */
export interface Described {
  name: string;
  source: 'RDKit' | 'OpenChemLib' | 'rule';
  unit: string;
  about: string;
}

type Of = Record<string, number>;

const rdkit: (Described & { of: (all: Of) => number })[] = [
  { name: 'rdkit_mol_weight', source: 'RDKit', unit: 'g/mol', about: 'average molecular weight (amw)', of: (all) => all['amw']! },
  { name: 'rdkit_exact_mass', source: 'RDKit', unit: 'Da', about: 'monoisotopic mass (exactmw)', of: (all) => all['exactmw']! },
  {
    name: 'rdkit_logp',
    source: 'RDKit',
    unit: 'log10',
    about: 'octanol-water partition after Wildman and Crippen (CrippenClogP)',
    of: (all) => all['CrippenClogP']!,
  },
  {
    name: 'rdkit_molar_refractivity',
    source: 'RDKit',
    unit: 'cm³/mol',
    about: 'after Wildman and Crippen (CrippenMR)',
    of: (all) => all['CrippenMR']!,
  },
  {
    name: 'rdkit_tpsa',
    source: 'RDKit',
    unit: 'Å²',
    about: 'topological polar surface after Ertl, of N and O (tpsa)',
    of: (all) => all['tpsa']!,
  },
  {
    name: 'rdkit_h_acceptors',
    source: 'RDKit',
    unit: 'count',
    about: 'nitrogens and oxygens, as Lipinski counts (lipinskiHBA)',
    of: (all) => all['lipinskiHBA']!,
  },
  { name: 'rdkit_h_donors', source: 'RDKit', unit: 'count', about: 'groups with N–H or O–H (NumHBD)', of: (all) => all['NumHBD']! },
  {
    name: 'rdkit_rotatable_bonds',
    source: 'RDKit',
    unit: 'count',
    about: 'strict definition, without amides (NumRotatableBonds)',
    of: (all) => all['NumRotatableBonds']!,
  },
  { name: 'rdkit_rings', source: 'RDKit', unit: 'count', about: 'of the smallest set (NumRings)', of: (all) => all['NumRings']! },
  {
    name: 'rdkit_aromatic_rings',
    source: 'RDKit',
    unit: 'count',
    about: 'of these, aromatic ones (NumAromaticRings)',
    of: (all) => all['NumAromaticRings']!,
  },
  {
    name: 'rdkit_heavy_atoms',
    source: 'RDKit',
    unit: 'count',
    about: 'atoms that are not hydrogen (NumHeavyAtoms)',
    of: (all) => all['NumHeavyAtoms']!,
  },
  {
    name: 'rdkit_heteroatoms',
    source: 'RDKit',
    unit: 'count',
    about: 'atoms that are neither carbon nor hydrogen (NumHeteroatoms)',
    of: (all) => all['NumHeteroatoms']!,
  },
  {
    name: 'rdkit_fraction_sp3',
    source: 'RDKit',
    unit: 'fraction',
    about: 'of the carbons, those that are sp3 (FractionCSP3)',
    of: (all) => all['FractionCSP3']!,
  },
];

const ocl: Described[] = [
  { name: 'ocl_logp', source: 'OpenChemLib', unit: 'log10', about: 'octanol-water partition, by its own increments (logP)' },
  { name: 'ocl_logs', source: 'OpenChemLib', unit: 'log10(mol/L)', about: 'solubility in water, by its own increments (logS)' },
  { name: 'ocl_tpsa', source: 'OpenChemLib', unit: 'Å²', about: 'topological polar surface (polarSurfaceArea)' },
  { name: 'ocl_h_acceptors', source: 'OpenChemLib', unit: 'count', about: 'nitrogens and oxygens (acceptorCount)' },
  { name: 'ocl_h_donors', source: 'OpenChemLib', unit: 'count', about: 'N–H and O–H (donorCount)' },
  { name: 'ocl_rotatable_bonds', source: 'OpenChemLib', unit: 'count', about: 'rotatable bonds (rotatableBondCount)' },
];

type Values = Record<string, number>;

/** Each on RDKit's values alone. `lipinski` allows one violation, as Lipinski wrote. */
const rules: (Described & { of: (values: Values) => number | boolean })[] = [
  {
    name: 'lipinski_violations',
    source: 'rule',
    unit: 'count',
    about: 'of weight ≤ 500, logP ≤ 5, donors ≤ 5, acceptors ≤ 10 (Lipinski, Adv. Drug Deliv. Rev. 23:3, 1997)',
    of: (v) =>
      [v['rdkit_mol_weight']! > 500, v['rdkit_logp']! > 5, v['rdkit_h_donors']! > 5, v['rdkit_h_acceptors']! > 10].filter(Boolean).length,
  },
  { name: 'lipinski', source: 'rule', unit: 'flag', about: 'at most one of these violations', of: (v) => v['lipinski_violations']! <= 1 },
  {
    name: 'veber',
    source: 'rule',
    unit: 'flag',
    about: 'rotatable bonds ≤ 10 and polar surface ≤ 140 (Veber, J. Med. Chem. 45:2615, 2002)',
    of: (v) => v['rdkit_rotatable_bonds']! <= 10 && v['rdkit_tpsa']! <= 140,
  },
  {
    name: 'ghose',
    source: 'rule',
    unit: 'flag',
    about: 'weight 160–480, logP −0.4–5.6, refractivity 40–130, atoms with hydrogens 20–70 (Ghose, J. Comb. Chem. 1:55, 1999)',
    of: (v) =>
      within(v['rdkit_mol_weight']!, 160, 480) &&
      within(v['rdkit_logp']!, -0.4, 5.6) &&
      within(v['rdkit_molar_refractivity']!, 40, 130) &&
      within(v['atoms']!, 20, 70),
  },
  {
    name: 'egan',
    source: 'rule',
    unit: 'flag',
    about: 'polar surface ≤ 131.6 and logP ≤ 5.88 (Egan, J. Med. Chem. 43:3867, 2000)',
    of: (v) => v['rdkit_tpsa']! <= 131.6 && v['rdkit_logp']! <= 5.88,
  },
  {
    name: 'rule_of_three',
    source: 'rule',
    unit: 'flag',
    about:
      'fragments: weight < 300, logP, donors, acceptors and rotatable bonds ≤ 3, polar surface ≤ 60 (Congreve, Drug Discov. Today 8:876, 2003)',
    of: (v) =>
      v['rdkit_mol_weight']! < 300 &&
      v['rdkit_tpsa']! <= 60 &&
      ['rdkit_logp', 'rdkit_h_donors', 'rdkit_h_acceptors', 'rdkit_rotatable_bonds'].every((name) => v[name]! <= 3),
  },
];

const within = (value: number, least: number, most: number): boolean => value >= least && value <= most;

/** All values in the order in which they are given; without `ocl_…` where OpenChemLib is not asked. */
export const described: readonly Described[] = [...rdkit, ...ocl, ...rules].map(({ name, source, unit, about }) => ({
  name,
  source,
  unit,
  about,
}));

export type Descriptors = Record<string, number | boolean | null>;

/** OpenChemLib takes as long as RDKit: where it is not asked, it is not loaded. */
export const loadOpenChemLib = async (): Promise<(smiles: string) => (number | null)[]> => {
  const { Molecule, MoleculeProperties } = await import('openchemlib');
  return (smiles) => {
    try {
      const of = new MoleculeProperties(Molecule.fromSmiles(smiles));
      const values = [of.logP, of.logS, of.polarSurfaceArea, of.acceptorCount, of.donorCount, of.rotatableBondCount];
      // Float32 inside: more digits than six are not its own.
      return values.map((value) => (Number.isFinite(value) && value > -999 ? Number(value.toPrecision(6)) : null));
    } catch {
      // It reads less than RDKit does; its messages hold its whole source.
      return ocl.map(() => null);
    }
  };
};

export const descriptorsOf = (molecule: Mol, smiles: string, second: ((smiles: string) => (number | null)[]) | null): Descriptors => {
  const all = JSON.parse(molecule.get_descriptors()) as Of;
  const values: Values = { atoms: all['NumAtoms']! };
  const given: Descriptors = {};
  for (const { name, of } of rdkit) given[name] = values[name] = Number(of(all).toPrecision(12));
  second?.(smiles).forEach((value, i) => (given[ocl[i]!.name] = value));
  for (const { name, of } of rules) {
    const value = of(values);
    values[name] = Number(value);
    given[name] = value;
  }
  return given;
};
