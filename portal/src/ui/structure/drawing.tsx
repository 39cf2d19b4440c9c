import { useMemo } from 'react';
import type { Atom } from '../../lib/cif.ts';
import { traceOf } from './trace.ts';
import css from './structure.module.css';

const size = { width: 640, height: 320, margin: 16 };

/** What a structure looks like from its flattest side, for browsers that draw no WebGL. */
const Drawing = ({ atoms, name }: { atoms: readonly Atom[]; name: string }) => {
  const strokes = useMemo(() => traceOf(atoms, size), [atoms]);
  if (strokes.length === 0) return null;
  return (
    <svg className={css.drawing} viewBox={`0 0 ${size.width} ${size.height}`} role="img" aria-label={`Structure of ${name}, drawn flat`}>
      {strokes.map(({ path, band, near }, i) => (
        // What is nearer is thicker, with an edge that parts it from what it passes over.
        <g key={i} strokeWidth={band === null ? 2.5 + 1.5 * near : 3 + 3 * near}>
          <path d={path} className={css.edge} />
          <path d={path} className={css.stroke} data-band={band ?? 'ligand'} />
        </g>
      ))}
    </svg>
  );
};

export default Drawing;
