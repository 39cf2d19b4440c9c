import { bandOf, type Atom, type Band } from '../../lib/cif.ts';

type Point = readonly [number, number, number];
type Matrix = [number[], number[], number[]];

/** One residue of the chain, or one bond of a ligand, as a path of SVG. */
export interface Stroke {
  path: string;
  /** Null: of a ligand. */
  band: Band['id'] | null;
  /** 0 is farthest from who looks, 1 nearest. */
  near: number;
}

/**
 * The axes along which points spread most, most, and least, in rows, turned so that they are a rotation: a mirror image of a
 * protein is another molecule. Eigenvectors of the covariance by Jacobi's rotations (Golub and Van Loan, Matrix Computations, 8.5).
 */
export const axesOf = (points: readonly Point[]): Matrix => {
  const mean = [0, 1, 2].map((i) => points.reduce((sum, point) => sum + point[i]!, 0) / points.length);
  const a = [0, 1, 2].map((i) =>
    [0, 1, 2].map((j) => points.reduce((sum, point) => sum + (point[i]! - mean[i]!) * (point[j]! - mean[j]!), 0) / points.length),
  );
  const v = [0, 1, 2].map((i) => [0, 1, 2].map((j) => Number(i === j)));
  for (let sweep = 0; sweep < 12; sweep++)
    for (const [p, q] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ] as const) {
      if (Math.abs(a[p]![q]!) < 1e-12) continue;
      const theta = (a[q]![q]! - a[p]![p]!) / (2 * a[p]![q]!);
      const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(1, theta));
      const cos = 1 / Math.hypot(1, t);
      const sin = t * cos;
      for (const row of [...a, ...v]) [row[p], row[q]] = [cos * row[p]! - sin * row[q]!, sin * row[p]! + cos * row[q]!];
      for (let k = 0; k < 3; k++) [a[p]![k], a[q]![k]] = [cos * a[p]![k]! - sin * a[q]![k]!, sin * a[p]![k]! + cos * a[q]![k]!];
    }
  const order = [0, 1, 2].sort((i, j) => a[j]![j]! - a[i]![i]!);
  const [x, y] = [order[0]!, order[1]!].map((column) => v.map((row) => row[column]!)) as [number[], number[]];
  const z = [x[1]! * y[2]! - x[2]! * y[1]!, x[2]! * y[0]! - x[0]! * y[2]!, x[0]! * y[1]! - x[1]! * y[0]!];
  return [x, y, z];
};

/** Å between the alpha carbons of neighbours, or the phosphorus of nucleotides, at most; beyond it the chain is broken. */
const farthestNeighbour = { CA: 4.5, P: 8 } as const;
/** Å of a bond between heavy atoms, at most: of iodine to carbon, with some room. */
const longestBond = 2.2;

/** The one atom of each residue that its chain is drawn through. */
const backbone = (atoms: readonly Atom[]): Atom[] => atoms.filter(({ ligand, name }) => !ligand && (name === 'CA' || name === 'P'));

/** Pairs of heavy atoms that are bound; one that is bound to none, such as an ion, is paired with itself. */
const bondsOf = (atoms: readonly Atom[]): [Atom, Atom][] => {
  const heavy = atoms.filter(({ ligand, name }) => ligand && !/^[HD]\d*$/.test(name));
  return [...Map.groupBy(heavy, placeOf).values()].flatMap((of) => {
    const bonds = of.flatMap((a, i) =>
      of
        .slice(i + 1)
        .filter((b) => distance(a, b) <= longestBond)
        .map((b): [Atom, Atom] => [a, b]),
    );
    const bound = new Set(bonds.flat());
    return [...bonds, ...of.filter((atom) => !bound.has(atom)).map((atom): [Atom, Atom] => [atom, atom])];
  });
};

/**
 * A structure drawn flat, seen along the axis in which it is thinnest: each chain as a line through its residues in the colours
 * of its pLDDT, ligands by their bonds. What is farther stands before what is nearer, which is painted over it.
 *
 * @param size of the picture, in its own units; `margin` of it is left free on each side
 */
export const traceOf = (atoms: readonly Atom[], size: { width: number; height: number; margin: number }): Stroke[] => {
  const through = backbone(atoms);
  const bonds = bondsOf(atoms);
  const all = [...through, ...bonds.flat()];
  if (all.length < 2) return [];
  const axes = axesOf(all.map(({ at }) => at));
  const turned = new Map(
    all.map((atom) => [atom, axes.map((axis) => axis.reduce((sum, of, i) => sum + of * atom.at[i]!, 0)) as unknown as Point]),
  );
  const ends = [0, 1, 2].map((i) => {
    let [least, most] = [Infinity, -Infinity];
    for (const point of turned.values()) [least, most] = [Math.min(least, point[i]!), Math.max(most, point[i]!)];
    return { least, most, span: Math.max(most - least, 1e-6) };
  }) as [Ends, Ends, Ends];
  const scale = Math.min((size.width - 2 * size.margin) / ends[0].span, (size.height - 2 * size.margin) / ends[1].span);
  const middle = (i: 0 | 1): number => (ends[i].least + ends[i].most) / 2;
  const place = (atom: Atom): Point => {
    const [x, y, z] = turned.get(atom)!;
    // Downwards, as pictures count; without that it would be its mirror image.
    return [size.width / 2 + (x - middle(0)) * scale, size.height / 2 - (y - middle(1)) * scale, (z - ends[2].least) / ends[2].span];
  };
  const strokes: Stroke[] = bonds.map(([a, b]) => {
    const [from, to] = [place(a), place(b)];
    return { path: `M${shown(from)}L${shown(to)}`, band: null, near: (from[2] + to[2]) / 2 };
  });
  const scores = scoresOf(atoms);
  through.forEach((atom, i) => {
    const joined = (other: Atom | undefined): Point | null => {
      if (other?.chain !== atom.chain || other.name !== atom.name) return null;
      return distance(atom, other) <= farthestNeighbour[atom.name as 'CA' | 'P'] ? place(other) : null;
    };
    const at = place(atom);
    const [before, after] = [joined(through[i - 1]), joined(through[i + 1])];
    if (before === null && after === null) return;
    const [from, to] = [before ? halfway(before, at) : at, after ? halfway(at, after) : at];
    // From half the way to the last residue to half the way to the next, bent towards this one: a smooth line, a colour a residue.
    strokes.push({ path: `M${shown(from)}Q${shown(at)} ${shown(to)}`, band: bandOf(scores.get(placeOf(atom))!).id, near: at[2] });
  });
  return strokes.sort((a, b) => a.near - b.near);
};

interface Ends {
  least: number;
  most: number;
  span: number;
}

const distance = (a: Atom, b: Atom): number => Math.hypot(...a.at.map((x, i) => x - b.at[i]!));

const placeOf = ({ chain, number }: Atom): string => `${chain} ${number}`;

/** The mean score of each residue's atoms. */
const scoresOf = (atoms: readonly Atom[]): Map<string, number> =>
  new Map([...Map.groupBy(atoms, placeOf)].map(([place, of]) => [place, of.reduce((sum, { score }) => sum + score, 0) / of.length]));

const halfway = (a: Point, b: Point): Point => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2, (a[2] + b[2]) / 2];
const shown = ([x, y]: Point): string => `${x.toFixed(1)} ${y.toFixed(1)}`;
