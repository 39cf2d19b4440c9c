import { Button, useComputedColorScheme } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconDownload, IconMinus, IconPlus, IconRefresh, IconRotate2, IconRotateClockwise2, IconRuler2 } from '@tabler/icons-react';
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from 'react';
import { atomsOf, bands, residuesOf, type Residue } from '../../lib/cif.ts';
import { Answer, Empty, Waiting } from '../states.tsx';
import { atomOfResidue, Measure, withAtom, type Picked } from './measure.tsx';
import { mmcifQuery } from './mmcif.ts';
import { Overlays, useLaid, type Other } from './overlays.tsx';
import { Sequence } from './sequence.tsx';
import type { Viewer } from './molstar.ts';
import css from './structure.module.css';

const Pae = lazy(() => import('./pae.tsx'));
const Drawing = lazy(() => import('./drawing.tsx'));

/** Whether this browser can draw it; what cannot has a flat drawing, and the residues. */
const drawsWebGl = (): boolean => {
  try {
    const canvas = document.createElement('canvas');
    return (canvas.getContext('webgl2') ?? canvas.getContext('webgl')) !== null;
  } catch {
    return false;
  }
};

type State = 'loading' | 'shown' | 'none';

const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name);
const surface = (): string => token('--surface');
const none: readonly Other[] = [];

interface StructureProps {
  /** Of mmCIF on this server. */
  url: string;
  /** What it is a structure of. */
  name: string;
  /** Of its map of aligned errors, where one was kept. */
  pae?: string | undefined;
  /** Laid over it. */
  others?: readonly Other[];
  drop?: (id: string) => void;
}

/** A predicted structure: the protein in the colours of its pLDDT, the ligand, and the sequence, by which all of it can be reached. */
const Shown = ({ cif, url, name, pae, others = none, drop = () => {} }: { cif: string } & StructureProps) => {
  const theme = useComputedColorScheme('light');
  const atoms = useMemo(() => atomsOf(cif), [cif]);
  const residues = useMemo(() => residuesOf(atoms), [atoms]);
  const laid = useLaid(url, others);
  const [measuring, setMeasuring] = useState(false);
  const [picked, setPicked] = useState<Picked>([]);
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
  const drawn = laid.flatMap(({ name: other, laid: found, colour }) => (found?.fit ? [{ name: other, ...found, colour }] : []));
  const over = drawn.map((each) => `${each.name} ${each.colour}`).join('\n');
  // Its changes are made one after the other: whoever asks for the next waits for the one before.
  const last = useRef(Promise.resolve());
  const [changing, setChanging] = useState(0);
  const change = (does: (viewer: Viewer) => Promise<void>) => {
    const of = viewer.current;
    setChanging((n) => n + 1);
    last.current = last.current
      .then(() => (of !== null && of === viewer.current ? does(of) : undefined))
      .catch(() => {})
      .finally(() => setChanging((n) => n - 1));
  };
  useEffect(() => {
    setPicked((now) => now.filter(({ of }) => of === 0));
    if (state === 'shown')
      change((v) => v.overlay(drawn.map(({ cif: text, fit, colour }) => ({ cif: text, matrix: fit!.matrix, colour: token(colour) }))));
  }, [over, state, theme]);
  useEffect(() => {
    if (state === 'shown') change((v) => v.pick(measuring ? (atom) => setPicked((now) => withAtom(now, atom)) : null));
  }, [measuring, state]);
  useEffect(() => {
    const [a, b] = measuring ? picked : [];
    if (state === 'shown') change((v) => v.measure(a && b ? [a, b] : null));
  }, [picked, measuring, state]);
  const focus = ({ chain, number }: Residue) => {
    // Both ends of a distance are to be seen: what is measured stays where it is.
    if (!measuring) return viewer.current?.focus(chain, number);
    const atom = atomOfResidue(atoms, chain, number);
    if (atom) setPicked((now) => withAtom(now, atom));
  };
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
    <div className={css.structure} data-viewer={state} aria-busy={state === 'loading' || changing > 0}>
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
        <Button
          variant={measuring ? 'light' : 'default'}
          size="compact-sm"
          aria-pressed={measuring}
          leftSection={<IconRuler2 size={14} aria-hidden />}
          onClick={() => setMeasuring(!measuring)}
        >
          Measure
        </Button>
        <span style={{ flex: 1 }} />
        <Button component="a" href={url} download variant="default" size="compact-sm" leftSection={<IconDownload size={14} aria-hidden />}>
          Download mmCIF
        </Button>
      </div>
      {laid.length > 0 && <Overlays onto={name} of={laid} drop={drop} />}
      {measuring && <Measure atoms={atoms} others={drawn.map((each) => each.name)} picked={picked} pick={setPicked} />}
      {state === 'none' ? (
        <>
          <p className={css.without}>{why} It is drawn flat; its residues, and how sure the model is of each, are below.</p>
          <Suspense fallback={<Waiting rows={6} />}>
            <Drawing atoms={atoms} name={name} />
          </Suspense>
        </>
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

export const Structure = ({ url, ...props }: StructureProps) => {
  const text = useQuery(mmcifQuery(url));
  return (
    <Answer of={text} what="The structure" waiting={<Waiting rows={9} />}>
      {(cif) => <Shown key={url} cif={cif} url={url} {...props} />}
    </Answer>
  );
};
