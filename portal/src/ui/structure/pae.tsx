import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState, type PointerEvent } from 'react';
import { call } from '../../lib/api.ts';
import type { Residue } from '../../lib/cif.ts';
import { readNpz, type NpArray } from '../../lib/npz.ts';
import { blocksOf, tokensOf } from '../../lib/pae.ts';
import { Answer, Waiting } from '../states.tsx';
import css from './structure.module.css';

/** Errors from here on, in Å, have the palest colour, as in AlphaFold's maps. */
const most = 30;

type Rgb = readonly [number, number, number];
const [near, far]: [Rgb, Rgb] = [
  [8, 81, 48],
  [240, 248, 242],
];

const paint = (canvas: HTMLCanvasElement, values: Float32Array, size: number): void => {
  const context = canvas.getContext('2d');
  if (context === null) return;
  const image = context.createImageData(size, size);
  for (let i = 0; i < values.length; i++) {
    const share = Math.min(1, values[i]! / most);
    for (let part = 0; part < 3; part++) image.data[4 * i + part] = near[part]! + share * (far[part]! - near[part]!);
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
};

const nameOf = ({ chain, name, number, ligand }: Residue): string => `${name}${ligand ? '' : ` ${number}`} of ${chain}`;

interface MapProps {
  pae: NpArray;
  residues: readonly Residue[];
  choose: (residue: Residue) => void;
}

const ErrorMap = ({ pae: { shape, values }, residues, choose }: MapProps) => {
  const size = shape[0]!;
  const canvas = useRef<HTMLCanvasElement>(null);
  const [at, setAt] = useState<readonly [number, number] | null>(null);
  const tokens = useMemo(() => tokensOf(residues), [residues]);
  const known = tokens.length === size;
  const blocks = useMemo(() => (known ? blocksOf(values, tokens) : []), [known, values, tokens]);
  const chains = [...new Set(blocks.map(({ aligned }) => aligned))];
  useEffect(() => paint(canvas.current!, values, size), [values, size]);
  const placeOf = ({ currentTarget, clientX, clientY }: PointerEvent): readonly [number, number] => {
    const { left, top, width, height } = currentTarget.getBoundingClientRect();
    const cell = (part: number) => Math.max(0, Math.min(size - 1, Math.floor(part * size)));
    return [cell((clientY - top) / height), cell((clientX - left) / width)];
  };
  const label = (index: number): string => (known ? nameOf(tokens[index]!) : `place ${index + 1}`);
  return (
    <div className={css.pae}>
      <canvas
        ref={canvas}
        width={size}
        height={size}
        className={css.map}
        role="img"
        aria-label={`Predicted aligned error, ${size} by ${size}; its means are in the table beside it`}
        onPointerMove={(event) => setAt(placeOf(event))}
        onPointerLeave={() => setAt(null)}
        onPointerDown={(event) => known && choose(tokens[placeOf(event)[1]]!)}
      />
      <div className={css.paeSide}>
        <p className={css.paeSaid}>
          {at === null ? (
            <span className="quiet">
              How far off a place (across) may be where another one (down) is aligned. Dark is sure: how two parts lie to each other is then
              to be believed.
            </span>
          ) : (
            <>
              Where {label(at[0])} is aligned, {label(at[1])} is off by <b className="num">{values[at[0] * size + at[1]]!.toFixed(1)} Å</b>
            </>
          )}
        </p>
        <div className={css.paeScale}>
          <span className="num">0</span>
          <i aria-hidden />
          <span className="num">{most} Å and more</span>
        </div>
        {chains.length > 0 && (
          <table className={css.blocks}>
            <caption>Mean error in Å</caption>
            <thead>
              <tr>
                <th scope="col">aligned</th>
                {chains.map((chain) => (
                  <th key={chain} scope="col">
                    {chain}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {chains.map((aligned) => (
                <tr key={aligned}>
                  <th scope="row">{aligned}</th>
                  {blocks
                    .filter((block) => block.aligned === aligned)
                    .map(({ scored, mean }) => (
                      <td key={scored} className="num">
                        {mean.toFixed(1)}
                      </td>
                    ))}
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
    </div>
  );
};

const read = async (url: string): Promise<NpArray> => {
  const pae = await readNpz(new Uint8Array(await (await call(url)).arrayBuffer()), 'pae');
  if (pae.shape.length !== 2 || pae.shape[0] !== pae.shape[1])
    throw new Error(`The map of aligned errors is no square: ${pae.shape.join(' by ')}.`);
  return pae;
};

/** How sure a model is of where each place of a structure lies to each other one. @param url of an archive of NumPy's with `pae` in it */
const Pae = ({ url, ...props }: { url: string } & Omit<MapProps, 'pae'>) => {
  const pae = useQuery({ queryKey: ['pae', url], queryFn: () => read(url), staleTime: Infinity });
  return (
    <section>
      <h3 className={css.paeTitle}>Predicted aligned error</h3>
      <Answer of={pae} what="The map of aligned errors" waiting={<Waiting rows={6} />}>
        {(data) => <ErrorMap pae={data} {...props} />}
      </Answer>
    </section>
  );
};

export default Pae;
