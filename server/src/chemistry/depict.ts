import type { Mol } from '@rdkit/rdkit';
import type { Rdkit } from './rdkit.ts';

export interface Drawing {
  width: number;
  height: number;
  theme: 'light' | 'dark';
  /** SMARTS; all that matches is highlighted. */
  highlight?: string;
}

type Colour = [red: number, green: number, blue: number];

interface Look {
  carbon: Colour;
  highlight: Colour;
  /** By atomic number. */
  atoms: Record<number, Colour>;
}

/** Colours of which each has a contrast of at least 4.5 on its background, white or #1a1b1e. */
const looks: Record<Drawing['theme'], Look> = {
  light: {
    carbon: [0.1, 0.1, 0.1],
    highlight: [1, 0.78, 0.35],
    atoms: {
      7: [0.12, 0.25, 0.85],
      8: [0.8, 0.05, 0.05],
      9: [0.1, 0.45, 0.2],
      15: [0.65, 0.3, 0],
      16: [0.5, 0.4, 0],
      17: [0.05, 0.45, 0.15],
      35: [0.55, 0.25, 0.1],
      53: [0.45, 0.1, 0.6],
    },
  },
  dark: {
    carbon: [0.9, 0.9, 0.9],
    highlight: [0.55, 0.38, 0.05],
    atoms: {
      7: [0.55, 0.67, 1],
      8: [1, 0.5, 0.47],
      9: [0.45, 0.85, 0.5],
      15: [1, 0.65, 0.3],
      16: [0.95, 0.83, 0.3],
      17: [0.45, 0.85, 0.5],
      35: [0.95, 0.62, 0.45],
      53: [0.83, 0.6, 1],
    },
  },
};

/** Atoms up to which it is asked whether a layout is good: the question takes their square. */
const judged = 150;

/** Atoms of a layout that stand on each other, and bonds that cross. */
const clashes = (molecule: Mol): number => {
  const points = molecule.get_coords() as [number, number, number][];
  const { molecules } = JSON.parse(molecule.get_json()) as { molecules: { bonds: { atoms: [number, number] }[] }[] };
  const bonds = molecules[0]!.bonds.map(({ atoms }) => atoms);
  let count = 0;
  for (let a = 0; a < points.length; a++)
    for (let b = a + 1; b < points.length; b++)
      // Bonds are 1.5 long.
      if (Math.hypot(points[a]![0] - points[b]![0], points[a]![1] - points[b]![1]) < 0.6) count++;
  const side = (a: number, b: number, c: number): number => {
    const [[ax, ay], [bx, by], [cx, cy]] = [points[a]!, points[b]!, points[c]!];
    return Math.sign((bx - ax) * (cy - ay) - (by - ay) * (cx - ax));
  };
  for (const [index, [a, b]] of bonds.entries())
    for (const [c, d] of bonds.slice(index + 1)) {
      if (a === c || a === d || b === c || b === d) continue;
      if (side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0) count++;
    }
  return count;
};

/** RDKit's usual layout is the most familiar one; CoordGen's is taken where it clashes less, as in bridged rings. */
const layOut = (molecule: Mol): void => {
  molecule.set_new_coords();
  if (molecule.get_num_atoms() > judged) return;
  const usual = clashes(molecule);
  if (usual === 0) return;
  molecule.set_new_coords(true);
  if (clashes(molecule) >= usual) molecule.set_new_coords();
};

/** What a SMARTS, already checked, matches: each atom and bond once. */
const matched = (rdkit: Rdkit, molecule: Mol, smarts: string): { atoms: number[]; bonds: number[] } => {
  const query = rdkit.module.get_qmol(smarts);
  if (!query) return { atoms: [], bonds: [] };
  try {
    const found = JSON.parse(molecule.get_substruct_matches(query)) as { atoms?: number[]; bonds?: number[] }[];
    const all = Array.isArray(found) ? found : [];
    return { atoms: [...new Set(all.flatMap(({ atoms = [] }) => atoms))], bonds: [...new Set(all.flatMap(({ bonds = [] }) => bonds))] };
  } finally {
    query.delete();
  }
};

/** An SVG on a transparent background, for a page of the theme's. */
export const depict = (rdkit: Rdkit, molecule: Mol, { width, height, theme, highlight }: Drawing): string => {
  const look = looks[theme];
  layOut(molecule);
  const drawn = molecule.get_svg_with_highlights(
    JSON.stringify({
      width,
      height,
      ...(highlight === undefined ? {} : matched(rdkit, molecule, highlight)),
      clearBackground: false,
      bondLineWidth: 1.2,
      highlightColour: look.highlight,
      symbolColour: look.carbon,
      atomColourPalette: { ...look.atoms, '-1': look.carbon, 1: look.carbon, 6: look.carbon },
    }),
  );
  return drawn.replace(/^<\?xml[^>]*\?>\s*/, '').replace(/<!--[^]*?-->\s*/, '');
};

const escape = (text: string): string => text.replace(/[&<>'"]/g, (letter) => `&#${letter.charCodeAt(0)};`);

/** The reason why there is no drawing, where an image is expected. */
export const problemDrawing = (message: string, { width, height, theme }: Drawing): string => {
  const colour = theme === 'dark' ? '#a3a8ae' : '#5c636a';
  const size = 11;
  const most = Math.max(8, Math.floor(width / (0.55 * size)) - 2);
  const lines: string[] = [];
  for (const word of message.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < most) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word.slice(0, most));
  }
  const shown = lines.slice(0, Math.max(1, Math.floor(height / (1.3 * size))));
  const top = (height - (shown.length - 1) * 1.3 * size) / 2;
  const text = shown.map((line, i) => `<tspan x="${width / 2}" y="${(top + i * 1.3 * size).toFixed(1)}">${escape(line)}</tspan>`).join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}px" height="${height}px" viewBox="0 0 ${width} ${height}"><title>${escape(message)}</title><text text-anchor="middle" font-family="sans-serif" font-size="${size}" fill="${colour}">${text}</text></svg>\n`;
};
