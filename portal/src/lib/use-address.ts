import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import type { Address, Raw } from './url.ts';

/**
 * The parameters of this page, as its codec reads them. `set` changes some and leaves the others; with `keep` it does so
 * without a step in the browser's history.
 */
export const useAddress = <V extends object>(codec: Address<V>) => {
  const raw = useSearch({ strict: false }) as Raw;
  const navigate = useNavigate();
  const { values, dropped } = useMemo(() => codec.parse(raw), [codec, raw]);
  const set = useCallback(
    (patch: Partial<V>, { keep = false } = {}) =>
      void navigate({
        to: '.',
        search: (before: Raw) => codec.format({ ...codec.parse(before).values, ...patch }),
        replace: keep,
        resetScroll: false,
      }),
    [codec, navigate],
  );
  return { values, dropped, set };
};
