import type { Featuriser } from './features.ts';
import type { Rdkit } from './rdkit.ts';
import { lexicalProblem, recordProblem, type Problem } from './smiles.ts';

/**
 * What is worth knowing of a molecule that is valid:
 * - `salt`: several fragments, and one of them is a usual counter-ion (`counterIons`);
 * - `solvate`: several fragments, and one of them is water or a usual solvent (`solvents`);
 * - `mixture`: leaving counter-ions and solvents away, more than one different fragment is left;
 * - `charged`: its charges do not add up to nothing;
 * - `no_carbon`; `metal`: has an atom of a metal that is not a counter-ion by itself; `isotope`: has an atom whose mass is given (deuterium among them);
 * - `open_ends`: has dummy atoms (`*`), so that it is no whole molecule and has no InChIKey.
 */
export type Flag = 'salt' | 'solvate' | 'mixture' | 'charged' | 'no_carbon' | 'metal' | 'isotope' | 'open_ends';

export interface Valid {
  ok: true;
  /** Canonical SMILES of this RDKit: the same molecule has the same, but not for ever (see docs/chemistry.md). */
  smiles: string;
  /** Null where InChI has none (dummy atoms), and where it was not asked for. */
  inchikey: string | null;
  /** Parts that no bond connects. */
  fragments: number;
  flags: Flag[];
  /** What stood behind the SMILES, where names were allowed. */
  name?: string;
}

export type Checked = Valid | ({ ok: false } & Problem);

/** As they come in files, neutral and as ions; their canonical SMILES are made when RDKit is loaded. */
const counterIons =
  'Cl [Cl-] Br [Br-] I [I-] F [F-] [Li+] [Na+] [K+] [Cs+] [Mg+2] [Ca+2] [Sr+2] [Ba+2] [Zn+2] [Al+3] [Ag+] [Li] [Na] [K] [OH-] N [NH4+] O[N+](=O)[O-] [O-][N+](=O)[O-] OP(=O)(O)O OP(=O)(O)[O-] OP(=O)([O-])[O-] [O-]P(=O)([O-])[O-] F[P-](F)(F)(F)(F)F F[B-](F)(F)F OS(=O)(=O)O OS(=O)(=O)[O-] [O-]S(=O)(=O)[O-] OCl(=O)(=O)=O [O-]Cl(=O)(=O)=O OC(=O)O OC(=O)[O-] [O-]C(=O)[O-] CS(=O)(=O)O CS(=O)(=O)[O-] CCS(=O)(=O)O OCCS(=O)(=O)O OS(=O)(=O)c1ccccc1 [O-]S(=O)(=O)c1ccccc1 Cc1ccc(cc1)S(=O)(=O)O Cc1ccc(cc1)S(=O)(=O)[O-] OC=O [O-]C=O CC(=O)O CC(=O)[O-] OC(=O)C(F)(F)F [O-]C(=O)C(F)(F)F OC(=O)C(=O)O OC(=O)C(=O)[O-] [O-]C(=O)C(=O)[O-] OC(=O)CC(=O)O OC(=O)CCC(=O)O OC(=O)/C=C/C(=O)O OC(=O)/C=C\\C(=O)O OC(=O)C=CC(=O)O OC(=O)/C=C/C(=O)[O-] OC(=O)/C=C\\C(=O)[O-] OC(=O)C(O)C(O)C(=O)O O[C@H]([C@@H](O)C(O)=O)C(O)=O O[C@@H]([C@H](O)C(O)=O)C(O)=O OC(=O)CC(O)C(=O)O OC(=O)CC(O)(CC(=O)O)C(=O)O CC(O)C(=O)O C1CCCCC1NC1CCCCC1 NCCO OCCNCCO OCCN(CCO)CCO NC(CO)(CO)CO CNC[C@H](O)[C@@H](O)[C@H](O)[C@H](O)CO C[N+](C)(C)C CC[N+](CC)(CC)CC CCCC[N+](CCCC)(CCCC)CCCC'.split(
    ' ',
  );
const solvents = 'O CO CCO CC(C)O CC(C)=O CC#N ClCCl ClC(Cl)Cl CS(C)=O CN(C)C=O C1CCOC1 CCOCC CCOC(C)=O Cc1ccccc1 C1COCCO1'.split(' ');

const metals = new Set(
  'Li Be Na Mg Al K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr'.split(
    ' ',
  ),
);

const bracket = /\[(\d*)([A-Z][a-z]?|[a-z]{1,2}|\*)[^\]]*?([+-]\d*)?(?::\d+)?\]/g;

export interface CheckOptions {
  inchikey?: boolean;
  names?: boolean;
  /** The text is a record of an SD file (V2000 or V3000), and no SMILES. */
  molblock?: boolean;
  /** The features of valid SMILES are put into the host's file, where they are not yet (`Featuriser`). */
  features?: boolean;
  /** Shows RDKit what the limits keep from it; only tests of what they are there for do that. */
  unguarded?: boolean;
}

export type Checker = (given: string, options: CheckOptions) => Checked;

/** `check` with its tables made canonical by this RDKit. */
export const checker = (rdkit: Rdkit, featuriser: Featuriser | null = null): Checker => {
  const table = (list: string[]) => new Set(list.flatMap((smiles) => rdkit.canonical(smiles) ?? []));
  const [ions, solvent] = [table(counterIons), table(solvents)];

  const flagsOf = (smiles: string, parts: string[]): Flag[] => {
    const flags: Flag[] = [];
    if (parts.length > 1) {
      if (parts.some((part) => ions.has(part))) flags.push('salt');
      if (parts.some((part) => solvent.has(part))) flags.push('solvate');
      if (new Set(parts.filter((part) => !ions.has(part) && !solvent.has(part))).size > 1) flags.push('mixture');
    }
    let [charge, isotope, carbon] = [0, false, /C(?!l)|c/.test(smiles.replaceAll(bracket, ''))];
    for (const [, mass, symbol, sign] of smiles.matchAll(bracket)) {
      if (sign) charge += sign.length === 1 ? Number(`${sign}1`) : Number(sign);
      if (mass) isotope = true;
      if (symbol === 'C' || symbol === 'c') carbon = true;
    }
    if (charge !== 0) flags.push('charged');
    const metal = parts.some((part) => !ions.has(part) && [...part.matchAll(bracket)].some(([, , symbol]) => metals.has(symbol!)));
    if (!carbon) flags.push('no_carbon');
    if (metal) flags.push('metal');
    if (isotope) flags.push('isotope');
    if (smiles.includes('*')) flags.push('open_ends');
    return flags;
  };

  return (given, { inchikey = true, names = false, molblock = false, features = false, unguarded = false }) => {
    // The first line of a record may be blank.
    let text = molblock ? given : given.trim();
    let name: string | undefined;
    if (names) {
      const blank = text.search(/\s/);
      if (blank >= 0) [text, name] = [text.slice(0, blank), text.slice(blank).trim()];
    }
    const problem = unguarded ? null : molblock ? recordProblem(text) : lexicalProblem(text);
    if (problem) {
      const { says, ...rest } = problem;
      return { ok: false, ...rest, message: `The ${molblock ? 'record' : 'SMILES'} ${says}` };
    }
    return rdkit.use<Checked>(
      text,
      (molecule) => {
        if (features && !molblock) featuriser?.keep(text, molecule);
        const smiles = molecule.get_smiles();
        if (smiles === '') return { ok: false, code: 'empty_smiles', message: `The ${molblock ? 'record' : 'SMILES'} has no atoms.` };
        // Of a record a model is asked with its SMILES, whose atoms stand in another order.
        if (features && molblock)
          rdkit.use(
            smiles,
            (read) => featuriser?.keep(smiles, read),
            () => {},
          );
        const parts = smiles.split('.');
        const key = inchikey && !smiles.includes('*') ? rdkit.inchikey(molecule) : '';
        return {
          ok: true,
          smiles,
          inchikey: key === '' ? null : key,
          fragments: parts.length,
          flags: flagsOf(smiles, parts),
          ...(name ? { name } : {}),
        };
      },
      (reason) => ({ ok: false, ...reason }),
      molblock ? '{"removeHs":true}' : undefined,
    );
  };
};
