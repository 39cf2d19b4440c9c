import { bytes, count, percent } from '../../lib/format.ts';

export interface Use {
  used: number;
  limit: number | null;
}

/** From so much of a limit on, the server says on the dashboard that it is nearly used up. */
const near = 0.9;

export type Room = 'unlimited' | 'plenty' | 'near' | 'full';

export const roomOf = ({ used, limit }: Use): Room => {
  if (limit === null) return 'unlimited';
  if (used >= limit) return 'full';
  return used >= near * limit ? 'near' : 'plenty';
};

const said = { unlimited: '', plenty: '', near: ', nearly full', full: ', full' } as const;

/** `12 of 100 (12 %)`, `95 of 100 (95 %), nearly full`, `12, no limit`. */
export const useInWords = (use: Use, unit: 'number' | 'bytes'): string => {
  const write = unit === 'bytes' ? bytes : count;
  if (use.limit === null) return `${write(use.used)}, no limit`;
  return `${write(use.used)} of ${write(use.limit)} (${use.limit === 0 ? 'none allowed' : percent(use.used, use.limit)})${said[roomOf(use)]}`;
};
