import { closeSync, openSync, writeSync } from 'node:fs';
import type { DuckDBConnection } from '@duckdb/node-api';
import { Molecule } from 'openchemlib';
import { lexicalProblem } from '../chemistry/smiles.ts';
import type { SdfTask } from './facts.ts';

/** The molecule of a SMILES; null where it is none, or larger than is safe. */
const moleculeOf = (smiles: unknown, noCoordinates = false): Molecule | null => {
  if (typeof smiles !== 'string' || lexicalProblem(smiles.trim()) !== null) return null;
  try {
    return Molecule.fromSmiles(smiles.trim(), { noCoordinates });
  } catch {
    return null;
  }
};

const nothing = '\n\n\n  0  0  0  0  0  0  0  0  0  0999 V2000\nM  END\n';

/** Heads and values of an SDF have one line each, and end at the first empty one. */
const oneLine = (text: string): string => text.replaceAll(/[\r\n\0]+/g, ' ').trim();

const textOf = (value: unknown): string => (value === null || value === undefined ? '' : (value as { toString: () => string }).toString());

const write = (to: number, bytes: Buffer): void => {
  for (let at = 0; at < bytes.length;) at += writeSync(to, bytes, at);
};

const recordOf = (row: readonly unknown[], { names, smiles, title }: Pick<SdfTask, 'names' | 'smiles' | 'title'>): string => {
  // 999 atoms fit in V2000; the limits on SMILES are below that.
  const block = moleculeOf(row[smiles])?.toMolfile() ?? nothing;
  let text = `${oneLine(textOf(row[title])).slice(0, 80)}${block.slice(block.indexOf('\n')).replace(/\n*$/, '\n')}`;
  for (const [i, name] of names.entries()) {
    const value = oneLine(textOf(row[i]));
    if (row[i] !== null && value !== '') text += `>  <${oneLine(name).replaceAll(/[<>]/g, '_')}>\n${value}\n\n`;
  }
  return `${text}$$$$\n`;
};

/**
 * Writes the rows of a question as an SDF, to the standard output: structures drawn in two dimensions from their SMILES,
 * the other columns as properties. A row whose SMILES is none is a record without atoms: rows keep their number and order.
 */
export const writeSdf = async (duck: DuckDBConnection, { sql, values, names, smiles, title }: SdfTask): Promise<null> => {
  const result = await duck.stream(sql, [...values]);
  // Opened anew: Node's own descriptor does not wait where the pipe is full (a thread's output is tied to it), and fails.
  const output = openSync('/dev/stdout', 'w');
  try {
    for (;;) {
      const chunk = await result.fetchChunk();
      if (!chunk || chunk.rowCount === 0) return null;
      let text = '';
      for (const row of chunk.getRows()) {
        text += recordOf(row, { names, smiles, title });
        if (text.length > 1 << 20) {
          write(output, Buffer.from(text));
          text = '';
        }
      }
      write(output, Buffer.from(text));
    }
  } finally {
    closeSync(output);
  }
};

/**
 * The Bemis-Murcko scaffold of each molecule as a canonical SMILES: rings and what links them, with all that hangs on them
 * taken off, but for atoms bound doubly to it. '' where there is no ring; null where it is no molecule.
 */
export const scaffoldsOf = (all: readonly unknown[]): (string | null)[] =>
  all.map((smiles) => {
    const molecule = moleculeOf(smiles, true);
    if (molecule === null) return null;
    try {
      for (;;) {
        molecule.ensureHelperArrays(Molecule.cHelperRings);
        const ends: number[] = [];
        for (let atom = 0; atom < molecule.getAllAtoms(); atom++) {
          if (molecule.isRingAtom(atom) || molecule.getAllConnAtoms(atom) > 1) continue;
          const bond = molecule.getAllConnAtoms(atom) === 1 ? molecule.getConnBond(atom, 0) : -1;
          const other = bond < 0 ? -1 : molecule.getConnAtom(atom, 0);
          const doubly = bond >= 0 && molecule.getBondOrder(bond) === 2 && molecule.getAllConnAtoms(other) > 1;
          if (!doubly || !isKept(molecule, other)) ends.push(atom);
        }
        if (ends.length === 0) break;
        molecule.deleteAtoms(ends);
      }
      return molecule.getAllAtoms() === 0 ? '' : molecule.toSmiles();
    } catch {
      return null;
    }
  });

/** Whether an atom stands in a ring, or between others that are no ends. */
const isKept = (molecule: Molecule, atom: number): boolean => {
  if (molecule.isRingAtom(atom)) return true;
  let inner = 0;
  for (let i = 0; i < molecule.getAllConnAtoms(atom); i++) if (molecule.getAllConnAtoms(molecule.getConnAtom(atom, i)) > 1) inner++;
  return inner > 1;
};
