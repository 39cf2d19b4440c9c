/** A protein as it was pasted: FASTA or a bare sequence. */
export interface Pasted {
  /** What its header says, or nothing. */
  name: string;
  sequence: string;
}

/** Every sequence in a text: one for each header of FASTA, or one where there is none. */
export const proteinsOf = (text: string): Pasted[] => {
  const found: Pasted[] = [];
  for (const line of text.split(/\r\n|\r|\n/)) {
    if (line.trimStart().startsWith('>')) {
      found.push({ name: line.trim().slice(1).trim(), sequence: '' });
      continue;
    }
    const letters = line.replaceAll(/\s+/g, '').replace(/\*$/, '').toUpperCase();
    if (letters === '') continue;
    if (found.length === 0) found.push({ name: '', sequence: '' });
    found.at(-1)!.sequence += letters;
  }
  return found;
};

/** What is wrong with a text as proteins, and where; null: nothing. */
export const wrongOf = (proteins: readonly Pasted[]): string | null => {
  if (proteins.length === 0) return 'A sequence is needed.';
  for (const [i, { name, sequence }] of proteins.entries()) {
    const which = proteins.length === 1 ? 'The sequence' : `Sequence ${i + 1}${name === '' ? '' : ` (${name.slice(0, 40)})`}`;
    if (sequence === '') return `${which} is empty.`;
    const at = sequence.search(/[^ACDEFGHIKLMNPQRSTVWYX]/u);
    if (at >= 0)
      return `${which} has '${sequence.slice(at).match(/^./u)?.[0]}' at ${at + 1}: an amino acid is one of its 20 letters, or X.`;
  }
  return null;
};

const chains = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** What a screen takes: one sequence, or a complex whose chains are named. */
export const bodyOfProteins = (proteins: readonly Pasted[]) =>
  proteins.length === 1
    ? { protein: proteins[0]!.sequence }
    : { proteins: proteins.map(({ sequence }, i) => ({ id: chains[i] ?? `C${i}`, sequence })) };

/** The texts that should be SMILES of a pasted list: a line each, what is behind a blank is a name. Null: it is a table, which the server reads. */
export const smilesOf = (text: string): string[] | null => {
  const [head = ''] = text.trimStart().split(/\r\n|\r|\n/, 1);
  if (/(^|[,\t;|])\s*"?(canonical_)?(smiles|smi|ccd)"?\s*([,\t;|]|$)/i.test(head)) return null;
  return text.split(/\r\n|\r|\n/).flatMap((line) => line.trim().split(/\s+/, 1)[0] || []);
};

/** How many ligands a text holds; of a table, its lines but the first. */
export const countOf = (text: string): number => {
  const lines = text.split(/\r\n|\r|\n/).filter((line) => line.trim() !== '').length;
  return smilesOf(text) === null ? Math.max(0, lines - 1) : lines;
};
