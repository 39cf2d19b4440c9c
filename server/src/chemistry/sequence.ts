/** What a protein sequence is held against. */
export interface SequenceRules {
  /** Residues it must have, by default 10 to 2,000. */
  least?: number;
  most?: number;
  /** Letters it may hold, by default those of the twenty amino acids. */
  alphabet?: string;
}

/** `sequence` in capitals without white space, and the name that a FASTA header gave; or why it is none. */
export type CheckedSequence =
  | { ok: true; sequence: string; length: number; name?: string }
  | {
      ok: false;
      /** `empty_sequence`, `invalid_residue`, `sequence_too_short`, `sequence_too_long`, `several_sequences`. */
      code: 'empty_sequence' | 'invalid_residue' | 'sequence_too_short' | 'sequence_too_long' | 'several_sequences';
      message: string;
      /** The residue that is wrong, from 1, not counting white space and headers. */
      position?: number;
    };

export const aminoAcids = 'ACDEFGHIKLMNPQRSTVWY';

const known: Record<string, string> = {
  B: 'aspartate or asparagine',
  J: 'leucine or isoleucine',
  O: 'pyrrolysine',
  U: 'selenocysteine',
  X: 'any residue',
  Z: 'glutamate or glutamine',
  '*': 'a stop codon',
  '-': 'a gap of an alignment',
};

/**
 * Checks a protein sequence: letters in a row, or one FASTA record. Models turn a letter that they do not know into an
 * unknown residue without a word; here it is an error, with its place.
 */
export const checkSequence = (text: string, { least = 10, most = 2_000, alphabet = aminoAcids }: SequenceRules = {}): CheckedSequence => {
  const lines = text.trim().split(/\r\n|\r|\n/);
  const headed = lines[0]!.startsWith('>');
  const name = headed ? lines[0]!.slice(1).trim() : '';
  const body = headed ? lines.slice(1) : lines;
  if (body.some((line) => line.startsWith('>')))
    return { ok: false, code: 'several_sequences', message: 'The FASTA text holds several sequences; give one.' };
  const sequence = body.join('').replace(/\s+/g, '').toUpperCase();
  if (sequence === '') return { ok: false, code: 'empty_sequence', message: 'The sequence is empty.' };
  // Before its letters are looked at: it may be of any length.
  if (sequence.length > most)
    return { ok: false, code: 'sequence_too_long', message: `The sequence has ${sequence.length} residues; at most ${most} are allowed.` };
  for (let index = 0; index < sequence.length; index++) {
    const letter = String.fromCodePoint(sequence.codePointAt(index)!);
    if (alphabet.includes(letter)) continue;
    const meaning = known[letter] ? ` (${known[letter]})` : '';
    const message = `Residue ${index + 1} is '${letter}'${meaning}; allowed are ${alphabet}.`;
    return { ok: false, code: 'invalid_residue', message, position: index + 1 };
  }
  if (sequence.length < least)
    return {
      ok: false,
      code: 'sequence_too_short',
      message: `The sequence has ${sequence.length} residues; at least ${least} are needed.`,
    };
  return { ok: true, sequence, length: sequence.length, ...(name === '' ? {} : { name }) };
};
