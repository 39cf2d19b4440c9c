import { Button, useComputedColorScheme } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconDownload, IconMinus, IconPlus, IconRefresh, IconRotate2, IconRotateClockwise2 } from '@tabler/icons-react';
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from 'react';
import { call } from '../../lib/api.ts';
import { bands, residuesOf, type Residue } from '../../lib/cif.ts';
import { Answer, Empty, Waiting } from '../states.tsx';
import { Sequence } from './sequence.tsx';
import type { Viewer } from './molstar.ts';
import css from './structure.module.css';

const Pae = lazy(() => import('./pae.tsx'));

/** Whether this browser can draw it; what cannot has the residues. */
const drawsWebGl = (): boolean => {
  try {
    const canvas = document.createElement('canvas');
    return (canvas.getContext('webgl2') ?? canvas.getContext('webgl')) !== null;
  } catch {
    return false;
  }
};

type State = 'loading' | 'shown' | 'none';

const surface = (): string => getComputedStyle(document.documentElement).getPropertyValue('--surface');

interface StructureProps {
  /** Of mmCIF on this server. */
  url: string;
  /** What it is a structure of. */
  name: string;
  /** Of its map of aligned errors, where one was kept. */
  pae?: string | undefined;
}

/** A predicted structure: the protein in the colours of its pLDDT, the ligand, and the sequence, by which all of it can be reached. */
const Shown = ({ cif, url, name, pae }: { cif: string } & StructureProps) => {
  const theme = useComputedColorScheme('light');
  const residues = useMemo(() => residuesOf(cif), [cif]);
  const frame = useRef<HTMLDivElement>(null);
  const viewer = useRef<Viewer | null>(null);
  const [state, setState] = useState<State>('loading');
  const [why, setWhy] = useState('');
  useEffect(() => {
    if (!drawsWebGl()) {
      setWhy('This browser draws no WebGL.');
      setState('none');
      return;
    }
    const container = frame.current!;
    const canvas = document.createElement('canvas');
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', `Structure of ${name}`);
    container.replaceChildren(canvas);
    let gone = false;
    setState('loading');
    import('./molstar.ts')
      .then(({ show }) => (gone ? null : show(container, canvas, cif, surface())))
      .then((made) => {
        if (made === null) return;
        if (gone) return made.dispose();
        viewer.current = made;
        setState('shown');
      })
      .catch((error: unknown) => {
        if (gone) return;
        setWhy(`The viewer did not start: ${error instanceof Error ? error.message : String(error)}`);
        setState('none');
      });
    return () => {
      gone = true;
      viewer.current?.dispose();
      viewer.current = null;
    };
  }, [cif, name]);
  useEffect(() => viewer.current?.background(surface()), [theme]);
  const focus = ({ chain, number }: Residue) => viewer.current?.focus(chain, number);
  const act = (does: (viewer: Viewer) => void) => () => viewer.current && does(viewer.current);
  const buttons = [
    { label: 'Nearer', icon: IconPlus, does: (v: Viewer) => v.zoom(1.3) },
    { label: 'Farther', icon: IconMinus, does: (v: Viewer) => v.zoom(1 / 1.3) },
    { label: 'Turn left', icon: IconRotate2, does: (v: Viewer) => v.turn(-30) },
    { label: 'Turn right', icon: IconRotateClockwise2, does: (v: Viewer) => v.turn(30) },
    { label: 'Reset the view', icon: IconRefresh, does: (v: Viewer) => v.reset() },
  ];
  if (residues.length === 0) return <Empty title="There are no atoms in this file" />;
  return (
    <div className={css.structure} data-viewer={state}>
      <div className={css.bar}>
        {state !== 'none' &&
          buttons.map(({ label, icon: Icon, does }) => (
            <Button
              key={label}
              variant="default"
              size="compact-sm"
              aria-label={label}
              title={label}
              disabled={state !== 'shown'}
              onClick={act(does)}
            >
              <Icon size={14} aria-hidden />
            </Button>
          ))}
        <span style={{ flex: 1 }} />
        <Button component="a" href={url} download variant="default" size="compact-sm" leftSection={<IconDownload size={14} aria-hidden />}>
          Download mmCIF
        </Button>
      </div>
      {state === 'none' ? (
        <p className={css.without}>{why} Its residues, and how sure the model is of each, are below.</p>
      ) : (
        <div className={css.view}>
          <div ref={frame} className={css.canvas} />
          {state === 'loading' && (
            <p className={css.loading} role="status">
              Loading the viewer
            </p>
          )}
        </div>
      )}
      <ul className={css.legend} aria-label="pLDDT, how sure the model is of each residue">
        <li className="quiet">pLDDT</li>
        {bands.map(({ id, label, range }) => (
          <li key={id}>
            <i style={{ background: `var(--plddt-${id})` }} aria-hidden />
            {label} <span className="quiet">{range}</span>
          </li>
        ))}
      </ul>
      <Sequence residues={residues} choose={focus} />
      {pae !== undefined && (
        <Suspense fallback={<Waiting rows={6} />}>
          <Pae url={pae} residues={residues} choose={focus} />
        </Suspense>
      )}
    </div>
  );
};

export const Structure = ({ url, name, pae }: StructureProps) => {
  const text = useQuery({
    queryKey: ['structure', url],
    queryFn: async () => (await call(url)).text(),
    staleTime: Infinity,
  });
  return (
    <Answer of={text} what="The structure" waiting={<Waiting rows={9} />}>
      {(cif) => <Shown cif={cif} url={url} name={name} pae={pae} />}
    </Answer>
  );
};
