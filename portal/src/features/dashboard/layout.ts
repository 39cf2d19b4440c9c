import { remembered } from '../../lib/prefs.ts';
import { shownAtFirst, tiles, type TileId } from './tiles.tsx';

const known = (id: string): id is TileId => Object.hasOwn(tiles, id);

/** As it is kept: names with commas between, in their order. */
export const parse = (text: string): TileId[] => [...new Set(text.split(',').filter(known))];

/** `id` one place forward (-1) or back (1). */
export const moved = <T>(list: readonly T[], id: T, by: -1 | 1): T[] => {
  const from = list.indexOf(id);
  const to = Math.max(0, Math.min(list.length - 1, from + by));
  return from < 0 ? [...list] : list.toSpliced(from, 1).toSpliced(to, 0, id);
};

const kept = remembered<string>('tiles', shownAtFirst.join(','));

/** Which tiles are shown, and in which order. */
export const useLayout = () => {
  const [text, keep] = kept.use();
  const shown = parse(text);
  return {
    shown,
    toggle: (id: TileId) => keep((shown.includes(id) ? shown.filter((each) => each !== id) : [...shown, id]).join(',')),
    move: (id: TileId, by: -1 | 1) => keep(moved(shown, id, by).join(',')),
  };
};
