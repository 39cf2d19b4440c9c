import { CloseButton, NativeSelect } from '@mantine/core';
import type { Atom } from '../../lib/cif.ts';
import type { AtomAt } from './loci.ts';
import css from './structure.module.css';

/** One or two atoms that were picked. */
export type Picked = readonly AtomAt[];

/** The atom that a residue is picked by: its alpha carbon, or its first. */
export const atomOfResidue = (atoms: readonly Atom[], chain: string, number: number): AtomAt | null => {
  const of = atoms.filter((atom) => atom.chain === chain && atom.number === number);
  const found = of.find(({ ligand, name }) => !ligand && name === 'CA') ?? of[0];
  return found === undefined ? null : { of: 0, ...found };
};

/** A third atom begins anew. */
export const withAtom = (picked: Picked, atom: AtomAt): Picked => (picked.length >= 2 ? [atom] : [...picked, atom]);

/** In Å. */
export const distance = ([a, b]: Picked): number | null =>
  a && b ? Math.hypot(a.at[0] - b.at[0], a.at[1] - b.at[1], a.at[2] - b.at[2]) : null;

interface Props {
  atoms: readonly Atom[];
  /** What the structures drawn over it are called, in their order. */
  others: readonly string[];
  picked: Picked;
  pick: (picked: Picked) => void;
}

const End = ({
  label,
  end,
  atoms,
  others,
  put,
}: { label: string; end: AtomAt; put: (atom: AtomAt) => void } & Omit<Props, 'picked' | 'pick'>) => {
  const { of, chain, number, residue, name } = end;
  const where = `${residue} ${number} of ${chain}${of > 0 ? ` in ${others[of - 1]}` : ''}`;
  const beside = of > 0 ? [] : atoms.filter((atom) => atom.chain === chain && atom.number === number);
  return (
    <span className={css.end}>
      <bdi>{where}</bdi>
      {beside.length > 1 ? (
        <NativeSelect
          size="xs"
          aria-label={`${label} atom, of ${where}`}
          value={name}
          data={beside.map((atom) => atom.name)}
          onChange={(event) => {
            const chosen = beside.find((atom) => atom.name === event.currentTarget.value);
            if (chosen) put({ of, ...chosen });
          }}
        />
      ) : (
        <span className="mono">{name}</span>
      )}
    </span>
  );
};

/** Between which atoms it is measured, and how far these are apart. */
export const Measure = ({ picked, pick, ...shown }: Props) => {
  const [first, second] = picked;
  const apart = distance(picked);
  return (
    <div className={css.measure} role="group" aria-label="Distance">
      {first === undefined ? (
        <span className="quiet">Point at two atoms, or choose two residues in the sequence.</span>
      ) : (
        <>
          <End label="First" end={first} put={(atom) => pick(second ? [atom, second] : [atom])} {...shown} />
          {second === undefined ? (
            <span className="quiet">to the next atom that you choose</span>
          ) : (
            <>
              <span className="quiet">to</span>
              <End label="Second" end={second} put={(atom) => pick([first, atom])} {...shown} />
            </>
          )}
          <CloseButton size="sm" aria-label="Forget these atoms" onClick={() => pick([])} />
        </>
      )}
      <output className={css.apart}>{apart !== null && `${apart.toFixed(2)} Å`}</output>
    </div>
  );
};
