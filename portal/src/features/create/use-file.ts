import { useCallback, useEffect, useState } from 'react';
import type { Ask, Tell } from './check.worker.ts';
import { corrected, type BadLine, type Checked, type Rules } from './lines.ts';
import { guess, kindOf, rowsOf } from './table.ts';

export interface Picked {
  file: File;
  kind: 'requests' | 'table' | 'other';
  first: string[];
  /** While it is looked through. */
  checking: { lines: number } | null;
  checked: Checked | null;
  /** The first rows of a table. */
  rows: string[][] | null;
}

/** A file that was picked: its first lines at once, and all of it checked by a worker as soon as the rules are known. */
export const useFile = (rules: Rules | null, mapped: (columns: Record<string, string>) => void) => {
  const [picked, setPicked] = useState<Picked | null>(null);
  const patch = useCallback(
    (file: File, change: Partial<Picked>) => setPicked((now) => (now?.file === file ? { ...now, ...change } : now)),
    [],
  );
  const take = useCallback(
    (file: File) => {
      const kind = kindOf(file.name);
      setPicked({ file, kind, first: [], checking: kind === 'requests' ? { lines: 0 } : null, checked: null, rows: null });
      if (kind === 'other') return;
      void file
        .slice(0, 64_000)
        .text()
        .then((text) => {
          if (kind === 'requests') return patch(file, { first: text.split('\n').slice(0, 5).filter(Boolean) });
          const rows = rowsOf(text, 6);
          mapped(guess(rows[0] ?? []));
          patch(file, { rows });
        });
    },
    [mapped, patch],
  );

  const unchecked = picked?.checking ? picked.file : null;
  useEffect(() => {
    if (unchecked === null || rules === null) return;
    const checker = new Worker(new URL('./check.worker.ts', import.meta.url), { type: 'module' });
    checker.addEventListener('message', ({ data }: MessageEvent<Tell>) =>
      patch(unchecked, data.done ? { checking: null, checked: data.checked } : { checking: { lines: data.lines } }),
    );
    // The server checks it as well.
    checker.addEventListener('error', () => patch(unchecked, { checking: null }));
    checker.postMessage({ file: unchecked, rules } satisfies Ask);
    return () => checker.terminate();
  }, [unchecked, rules, patch]);

  const correct = useCallback(
    (changes: Map<BadLine, string | null>) => {
      if (picked === null) return;
      const parts = [...changes].map(([{ start, end }, text]) => ({ start, end, text }));
      take(new File([corrected(picked.file, parts)], picked.file.name, { type: picked.file.type, lastModified: Date.now() }));
    },
    [picked, take],
  );

  return {
    picked,
    take,
    correct,
    clear: () => setPicked(null),
  };
};
