import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useState } from 'react';
import { writeQuery } from '../lib/url.ts';

interface MoleculeProps {
  smiles: string;
  width: number;
  height: number;
  highlight?: string;
}

/** Seconds after which a drawing that did not come is asked for again: the server's first one may wait for RDKit to start. */
const pauses = [1, 3, 10, 30];

/** A molecule, drawn by the server: nothing of the chemistry is in the page. A text that is none is drawn as what is wrong with it. */
export const Molecule = ({ smiles, width, height, highlight }: MoleculeProps) => {
  const theme = useComputedColorScheme('light');
  const src = `/v1/depict${writeQuery({ smiles, w: width, h: height, theme, errors: 'svg', wait: 5_000, hl: highlight })}`;
  const [{ of, failures, tries }, set] = useState({ of: src, failures: 0, tries: 0 });
  if (of !== src) set({ of: src, failures: 0, tries: 0 });
  const pause = failures > tries ? pauses[tries] : undefined;
  useEffect(() => {
    if (pause === undefined) return undefined;
    const timer = setTimeout(() => set((now) => ({ ...now, tries: now.failures })), pause * 1_000);
    return () => clearTimeout(timer);
  }, [pause, src]);
  const box = { display: 'block', width, height, overflow: 'hidden' };
  if (failures > tries)
    return (
      <span style={box} className="quiet" title={smiles}>
        {pause === undefined ? 'Not drawn' : ''}
      </span>
    );
  return (
    <img
      key={tries}
      src={src}
      width={width}
      height={height}
      loading="lazy"
      alt={`Structure of ${smiles}`}
      style={box}
      onError={() => set((now) => ({ ...now, failures: now.tries + 1 }))}
    />
  );
};
