import { CloseButton } from '@mantine/core';
import { useQueries } from '@tanstack/react-query';
import { atomsOf } from '../../lib/cif.ts';
import { plural } from '../../lib/format.ts';
import { mmcifQuery } from './mmcif.ts';
import type { Fit } from './fit.ts';
import css from './structure.module.css';

/** Another structure that is to be laid over the one that is shown. */
export interface Other {
  id: string;
  name: string;
  /** Of mmCIF on this server. */
  url: string;
}

/** So many can be told apart, by colours which are none of the pLDDT's. */
export const mostOthers = 5;

export interface Laid extends Other {
  cif: string;
  /** Nothing: they share too little to be laid onto each other. */
  fit: Fit | null;
  colour: string;
}

/** Structures laid onto the one at an address, as they come. */
export const useLaid = (onto: string, others: readonly Other[]) =>
  useQueries({
    queries: others.map(({ url }) => ({
      queryKey: ['structure', url, 'onto', onto],
      queryFn: async ({ client }) => {
        const [a, b] = await Promise.all([client.fetchQuery(mmcifQuery(onto)), client.fetchQuery(mmcifQuery(url))]);
        const { fit } = await import('./fit.ts');
        return { cif: b, fit: fit(atomsOf(a), atomsOf(b)) };
      },
      staleTime: Infinity,
    })),
    combine: (answers) =>
      others.map((other, i) => ({ ...other, error: answers[i]!.error, laid: answers[i]!.data, colour: `--over-${(i % mostOthers) + 1}` })),
  });

/** What is laid over it, each with its colour and how far it lies from it. */
export const Overlays = ({ onto, of, drop }: { onto: string; of: ReturnType<typeof useLaid>; drop: (id: string) => void }) => (
  <ul className={css.over} aria-label={`Laid onto ${onto}`}>
    {of.map(({ id, name, colour, laid, error }) => (
      <li key={id}>
        <i style={{ background: `var(${colour})` }} aria-hidden />
        <bdi className="cut">{name}</bdi>
        <span className="num quiet">
          {error
            ? error.message
            : laid === undefined
              ? '…'
              : laid.fit === null
                ? 'has not three residues in common with it'
                : `RMSD ${laid.fit.rmsd.toFixed(2)} Å over ${plural(laid.fit.atoms, 'residue')}`}
        </span>
        <CloseButton size="sm" aria-label={`Take ${name} off`} onClick={() => drop(id)} />
      </li>
    ))}
  </ul>
);
