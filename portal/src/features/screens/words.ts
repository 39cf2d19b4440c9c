import { none } from '../../lib/format.ts';
import type { Tone } from '../../ui/status.tsx';
import type { Ligand } from './queries.ts';

/** What became of a ligand, in the words and shapes that states have elsewhere. */
export const ligandLook: Record<Ligand['status'], { of: string; word: string; tone?: Tone }> = {
  queued: { of: 'queued', word: 'Queued' },
  running: { of: 'running', word: 'Running' },
  ok: { of: 'completed', word: 'Predicted' },
  invalid: { of: 'failed', word: 'Invalid' },
  failed: { of: 'failed', word: 'Failed' },
  oom: { of: 'failed', word: 'Out of memory' },
  skipped: { of: 'cancelled', word: 'Skipped' },
};

export const figure = (value: number | null | undefined, digits = 2): string =>
  value === null || value === undefined ? none : value.toFixed(digits);

/** An IC50 in the unit that leaves it readable: 1.3 nM, 240 nM, 12 µM. */
export const ic50 = (um: number | null): string => {
  if (um === null) return none;
  const [value, unit] = um < 0.001 ? [um * 1e6, 'pM'] : um < 1 ? [um * 1e3, 'nM'] : um < 1e3 ? [um, 'µM'] : [um / 1e3, 'mM'];
  return `${Number(value.toPrecision(value >= 100 ? 3 : 2))} ${unit}`;
};

export const sorts = ['line', 'name', 'status', 'pic50', 'probability', 'confidence', 'iptm'] as const;
export type Sort = (typeof sorts)[number];

const valueOf: Record<Sort, (ligand: Ligand) => number | string | null> = {
  line: ({ line }) => line,
  name: ({ name, id }) => name ?? id,
  status: ({ status }) => ligandLook[status].word,
  pic50: ({ pic50 }) => pic50,
  probability: ({ affinity_probability_binary: value }) => value,
  confidence: ({ confidence_score: value }) => value,
  iptm: ({ ligand_iptm: value }) => value,
};

/** Sorted, those without a value last whichever way, those alike in their order. */
export const sorted = (ligands: readonly Ligand[], { by, down }: { by: Sort; down: boolean }): Ligand[] =>
  ligands.toSorted((one, other) => {
    const [a, b] = [valueOf[by](one), valueOf[by](other)];
    if (a === null || b === null) return Number(a === null) - Number(b === null) || one.line - other.line;
    const order = typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), 'en', { numeric: true });
    return (down ? -order : order) || one.line - other.line;
  });
