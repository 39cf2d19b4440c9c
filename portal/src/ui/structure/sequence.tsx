import { useState, type KeyboardEvent } from 'react';
import { bandOf, letterOf, type Residue } from '../../lib/cif.ts';
import css from './structure.module.css';

const nameOf = ({ name, number, plddt, ligand }: Residue): string =>
  `${name}${ligand ? '' : ` ${number}`}, pLDDT ${plddt.toFixed(0)}, ${bandOf(plddt).label.toLowerCase()}`;

/** A chain as a list of its residues, of which one can be chosen: by pointer, or with the arrows. */
const Chain = ({ chain, residues, choose }: { chain: string; residues: readonly Residue[]; choose: (residue: Residue) => void }) => {
  const [at, setAt] = useState(0);
  const [chosen, setChosen] = useState<number | null>(null);
  const mean = residues.reduce((sum, { plddt }) => sum + plddt, 0) / residues.length;
  const ligand = residues[0]!.ligand;
  const pick = (index: number) => {
    setAt(index);
    setChosen(index);
    choose(residues[index]!);
  };
  const key = (event: KeyboardEvent<HTMLDivElement>) => {
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + 10, ArrowUp: at - 10, Home: 0, End: residues.length - 1 }[
      event.key
    ];
    if (to === undefined) return;
    event.preventDefault();
    const next = Math.max(0, Math.min(residues.length - 1, to));
    pick(next);
    event.currentTarget.querySelector<HTMLElement>(`[data-at="${next}"]`)?.focus();
  };
  return (
    <section className={css.chain}>
      <h3>
        {ligand ? 'Ligand' : 'Chain'} {chain}
        <span className="quiet num">
          {' '}
          {ligand ? `${residues[0]!.name}, ${residues[0]!.atoms} atoms` : `${residues.length} residues`}, mean pLDDT {mean.toFixed(1)}
        </span>
        {chosen !== null && <span className={css.chosen}>{nameOf(residues[chosen]!)}</span>}
      </h3>
      <div role="listbox" aria-label={`${ligand ? 'Ligand' : 'Residues of chain'} ${chain}`} className={css.sequence} onKeyDown={key}>
        {residues.map((residue, i) => (
          <span
            key={`${residue.number} ${residue.name}`}
            role="option"
            aria-selected={i === chosen}
            aria-label={nameOf(residue)}
            title={nameOf(residue)}
            tabIndex={i === at ? 0 : -1}
            data-at={i}
            data-band={bandOf(residue.plddt).id}
            className={css.residue}
            onClick={() => pick(i)}
          >
            {residue.ligand ? residue.name : letterOf(residue.name)}
          </span>
        ))}
      </div>
    </section>
  );
};

/** What a structure is made of, in the colours of its pLDDT. */
export const Sequence = ({ residues, choose }: { residues: readonly Residue[]; choose: (residue: Residue) => void }) => (
  <div className={css.chains}>
    {[...Map.groupBy(residues, ({ chain }) => chain)].map(([chain, of]) => (
      <Chain key={chain} chain={chain} residues={of} choose={choose} />
    ))}
  </div>
);
