import { remembered } from '../../lib/prefs.ts';
import { useKeep } from '../../lib/use-keep.ts';
import { useSetting } from '../../lib/use-settings.ts';
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

/** As this browser saw them last: shown until the server has said how they are. */
const seen = remembered<string>('tiles', shownAtFirst.join(','));

/** Which tiles are shown, and in which order: the user's own, kept by the server. */
export const useLayout = () => {
  const [before, see] = seen.use();
  const value = useSetting('tiles');
  const keep = useKeep('tiles');
  const shown = parse(typeof value === 'string' ? value : before);
  const change = (next: readonly TileId[]) => {
    see(next.join(','));
    keep(next.join(','));
  };
  return {
    shown,
    toggle: (id: TileId) => change(shown.includes(id) ? shown.filter((each) => each !== id) : [...shown, id]),
    move: (id: TileId, by: -1 | 1) => change(moved(shown, id, by)),
  };
};
