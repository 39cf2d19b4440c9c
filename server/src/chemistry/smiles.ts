/**
 * Limits on what reaches RDKit. Its WASM build has a stack of fixed size: a chain of 700 atoms hangs some calls for
 * good, 900 break the instance, and so do 400 nested parentheses; 600 atoms and 300 parentheses were fine everywhere.
 */
export const smilesLimits = { atoms: 500, length: 2000, nesting: 200 };

/** Why a text is no molecule. Codes are for programs, `message` is a sentence for people. */
export interface Problem {
  /**
   * `empty_smiles`; `smiles_too_large` (characters, atoms, nesting); `invalid_smiles` (it cannot be read);
   * `invalid_chemistry` (it can be, but a valence or an aromatic system is impossible); `chemistry_failed` (RDKit broke
   * on it, or took too long); `invalid_smarts` (of a pattern).
   */
  code: 'invalid_smarts' | 'empty_smiles' | 'smiles_too_large' | 'invalid_smiles' | 'invalid_chemistry' | 'chemistry_failed';
  message: string;
  /** The character at which it goes wrong, from 1, where RDKit says so. */
  position?: number;
}

const atom = /\[[^\]]*\]|Br|Cl|[BCNOPSFIbcnops*]/g;

export const atomsIn = (smiles: string): number => smiles.match(atom)?.length ?? 0;

const nesting = (smiles: string): number => {
  let [depth, most] = [0, 0];
  for (let i = 0; i < smiles.length; i++) {
    const letter = smiles.charCodeAt(i);
    if (letter === 40) most = Math.max(most, ++depth);
    else if (letter === 41) depth--;
  }
  return most;
};

/** What of a text, already trimmed, need not be shown to RDKit, and must not: `says` goes on from the name of the field. */
export const lexicalProblem = (smiles: string): (Pick<Problem, 'code' | 'position'> & { says: string }) | null => {
  if (smiles === '') return { code: 'empty_smiles', says: 'is empty.' };
  if (smiles.length > smilesLimits.length) return { code: 'smiles_too_large', says: `has more than ${smilesLimits.length} characters.` };
  // RDKit would take what follows as the molecule's name, and a wrong separator would go unseen.
  const blank = smiles.search(/\s/);
  if (blank >= 0)
    return {
      code: 'invalid_smiles',
      says: 'holds white space; give the SMILES alone, and a name in a field or column of its own.',
      position: blank + 1,
    };
  const foreign = smiles.search(/[^!-~]/);
  if (foreign >= 0) {
    const number = smiles.codePointAt(foreign)!.toString(16).toUpperCase().padStart(4, '0');
    return { code: 'invalid_smiles', says: `holds the character U+${number}, which no SMILES has.`, position: foreign + 1 };
  }
  const atoms = atomsIn(smiles);
  if (atoms > smilesLimits.atoms)
    return { code: 'smiles_too_large', says: `has ${atoms} atoms; at most ${smilesLimits.atoms} are allowed.` };
  const depth = nesting(smiles);
  if (depth > smilesLimits.nesting)
    return { code: 'smiles_too_large', says: `nests ${depth} parentheses; at most ${smilesLimits.nesting} are allowed.` };
  return null;
};

/** Characters a record of an SD file may have: some 70 for each atom and bond. */
export const recordLength = 200_000;

/** The same for a record of an SD file, whose fourth line, or that of `COUNTS`, says how many atoms it has. */
export const recordProblem = (record: string): ReturnType<typeof lexicalProblem> => {
  if (record.trim() === '') return { code: 'empty_smiles', says: 'is empty.' };
  if (record.length > recordLength)
    return {
      code: 'smiles_too_large',
      says: `has ${record.length.toLocaleString('en')} characters; at most ${recordLength.toLocaleString('en')} are allowed.`,
    };
  const counted = /^M {2}V30 COUNTS +(\d+)/m.exec(record)?.[1] ?? /^(?:[^\n]*\n){3}([ \d]{3})/.exec(record)?.[1];
  const atoms = Number(counted ?? NaN);
  if (Number.isNaN(atoms)) return { code: 'invalid_smiles', says: 'does not say how many atoms it has.' };
  if (atoms > smilesLimits.atoms)
    return { code: 'smiles_too_large', says: `has ${atoms} atoms; at most ${smilesLimits.atoms} are allowed.` };
  return null;
};

/** RDKit's log about one SMILES, `[12:34:56] SMILES Parse Error: …` in several lines, as a problem. */
export const problemIn = (log: string): Problem => {
  const message =
    log
      .split('\n')
      .map((line) => line.replace(/^\[\d\d:\d\d:\d\d\]\s*/, '').trim())
      .find((line) => line !== '') ?? 'RDKit cannot read it';
  const position = /check for mistakes around position (\d+)/.exec(log)?.[1];
  return {
    code: /^SMILES Parse Error|cannot read/i.test(message) ? 'invalid_smiles' : 'invalid_chemistry',
    message,
    ...(position === undefined ? {} : { position: Number(position) }),
  };
};
