import { useCallback, useEffect, useRef, useState } from 'react';
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

/** A file that was picked: its first lines at once, and all of it checked by a worker. */
export const useFile = (rules: Rules | null, mapped: (columns: Record<string, string>) => void) => {
  const [picked, setPicked] = useState<Picked | null>(null);
  const worker = useRef<Worker | null>(null);
  const stop = useCallback(() => {
    worker.current?.terminate();
    worker.current = null;
  }, []);
  useEffect(() => stop, [stop]);

  const take = useCallback(
    (file: File) => {
      stop();
      const kind = kindOf(file.name);
      const begin: Picked = { file, kind, first: [], checking: kind === 'requests' ? { lines: 0 } : null, checked: null, rows: null };
      setPicked(begin);
      const patch = (change: Partial<Picked>) => setPicked((now) => (now?.file === file ? { ...now, ...change } : now));
      if (kind !== 'other')
        void file
          .slice(0, 64_000)
          .text()
          .then((text) => {
            if (kind === 'requests') return patch({ first: text.split('\n').slice(0, 5).filter(Boolean) });
            const rows = rowsOf(text, 6);
            mapped(guess(rows[0] ?? []));
            patch({ rows });
          });
      if (kind !== 'requests' || rules === null) return;
      const checker = new Worker(new URL('./check.worker.ts', import.meta.url), { type: 'module' });
      worker.current = checker;
      checker.addEventListener('message', ({ data }: MessageEvent<Tell>) => {
        if (data.done) {
          patch({ checking: null, checked: data.checked });
          stop();
        } else patch({ checking: { lines: data.lines } });
      });
      checker.postMessage({ file, rules } satisfies Ask);
    },
    [rules, stop, mapped],
  );

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
    clear: () => {
      stop();
      setPicked(null);
    },
  };
};
