/** One residue of a chain, or a ligand, of a predicted structure; in structures of ours the B-factor is the pLDDT. */
export interface Residue {
  chain: string;
  /** As its chain counts them; a ligand has 1. */
  number: number;
  name: string;
  ligand: boolean;
  atoms: number;
  /** 0 to 100: the mean of its atoms. */
  plddt: number;
}

/** The words of a text in CIF: blanks part them, quotes and semicolon fields hold them together, # begins a comment. */
function* wordsOf(text: string): Generator<{ word: string; quoted: boolean }> {
  const word = /^;([\s\S]*?)^;|(['"])(.*?)\2(?=\s|$)|(#[^\n]*)|(\S+)/gm;
  for (const [, field, quote, inner, comment, plain] of text.matchAll(word)) {
    if (comment !== undefined) continue;
    if (field !== undefined) yield { word: field, quoted: true };
    else if (quote !== undefined) yield { word: inner!, quoted: true };
    else yield { word: plain!, quoted: false };
  }
}

/** The rows of `_atom_site`, and where each column of it is. */
const rowsOf = (text: string): { columns: Map<string, number>; rows: string[][] } => {
  const columns = new Map<string, number>();
  const rows: string[][] = [];
  let inside = false;
  let row: string[] = [];
  for (const { word, quoted } of wordsOf(text)) {
    if (!quoted && word.startsWith('_atom_site.')) {
      columns.set(word.slice('_atom_site.'.length), columns.size);
      inside = true;
    } else if (inside && !quoted && /^(_|loop_$|data_)/.test(word)) break;
    else if (inside) {
      row.push(word);
      if (row.length === columns.size) {
        rows.push(row);
        row = [];
      }
    }
  }
  return { columns, rows };
};

/** One atom of a structure. */
export interface Atom {
  chain: string;
  /** Of its residue, as its chain counts them; a ligand has 1. */
  number: number;
  residue: string;
  name: string;
  ligand: boolean;
  /** The pLDDT of what is predicted. */
  score: number;
  /** In Å. */
  at: readonly [number, number, number];
}

/** The atoms of a structure, in the file's order; none where the text is no mmCIF with atoms. */
export const atomsOf = (text: string): Atom[] => {
  const { columns, rows } = rowsOf(text);
  const at = (...names: string[]): number => names.map((name) => columns.get(name)).find((index) => index !== undefined) ?? -1;
  const [group, chain, seq, auth, comp, name, score] = [
    at('group_PDB'),
    at('label_asym_id', 'auth_asym_id'),
    at('label_seq_id'),
    at('auth_seq_id'),
    at('label_comp_id', 'auth_comp_id'),
    at('label_atom_id', 'auth_atom_id'),
    at('B_iso_or_equiv'),
  ];
  const [x, y, z] = [at('Cartn_x'), at('Cartn_y'), at('Cartn_z')];
  return rows.map((row) => ({
    chain: row[chain] ?? '?',
    number: Number(row[seq]) || Number(row[auth]) || 1,
    residue: row[comp] ?? '?',
    name: row[name] ?? '?',
    // What has no place in a sequence is no part of a polymer.
    ligand: row[group] === 'HETATM' && !(Number(row[seq]) > 0),
    score: Number(row[score]) || 0,
    at: [Number(row[x]), Number(row[y]), Number(row[z])],
  }));
};

/** What a structure is made of, in the file's order. */
export const residuesOf = (atoms: readonly Atom[]): Residue[] => {
  const found = new Map<string, Residue>();
  for (const { chain, number, residue: name, ligand, score } of atoms) {
    const key = `${chain} ${number} ${name}`;
    const before = found.get(key) ?? { chain, number, name, ligand, atoms: 0, plddt: 0 };
    found.set(key, { ...before, atoms: before.atoms + 1, plddt: (before.plddt * before.atoms + score) / (before.atoms + 1) });
  }
  return [...found.values()];
};

const letters: Record<string, string> = Object.fromEntries(
  'ALA A ARG R ASN N ASP D CYS C GLN Q GLU E GLY G HIS H ILE I LEU L LYS K MET M PHE F PRO P SER S THR T TRP W TYR Y VAL V'
    .split(' ')
    .flatMap((name, i, all) => (i % 2 === 0 ? [[name, all[i + 1]!]] : [])),
);

export const letterOf = (name: string): string => letters[name] ?? 'X';

/** How sure a model is of a place, as AlphaFold's colours have it; the colours are in tokens.css, `--plddt-…`. */
export const bands = [
  { id: 'very-high', from: 90, label: 'Very high', range: 'over 90' },
  { id: 'high', from: 70, label: 'Confident', range: '70 to 90' },
  { id: 'low', from: 50, label: 'Low', range: '50 to 70' },
  { id: 'very-low', from: 0, label: 'Very low', range: 'under 50' },
] as const;
export type Band = (typeof bands)[number];

export const bandOf = (plddt: number): Band => bands.find(({ from }) => plddt >= from) ?? bands[3];
