import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { problemDrawing, type Drawing } from './depict.ts';
import type { Chemistry } from './chemistry.ts';
import type { Problem } from './smiles.ts';

export type Drawn = ({ ok: true; svg: string } | ({ ok: false } & Problem)) & { etag: string };

/**
 * Drawings as pages ask for them, hundreds at once and again and again: each is made once while it is kept, in memory.
 * On disk or in storage they would be fetched no sooner than they are drawn, which takes 1 to 5 ms.
 */
export class Drawings {
  readonly #chemistry: Chemistry;
  readonly #kept = new LRUCache<string, Drawn>({
    maxSize: 32_000_000,
    sizeCalculation: (drawn) => 200 + (drawn.ok ? drawn.svg.length : drawn.message.length),
  });
  readonly #making = new Map<string, Promise<Drawn>>();

  constructor(chemistry: Chemistry) {
    this.#chemistry = chemistry;
  }

  /** The drawing, or null where it takes longer than `waitMs`; it is made all the same. */
  async draw(smiles: string, drawing: Drawing, waitMs: number): Promise<Drawn | null> {
    const { width, height, theme, highlight = null } = drawing;
    const key = hash('sha256', JSON.stringify([smiles, width, height, theme, highlight]), 'hex');
    const kept = this.#kept.get(key);
    if (kept) return kept;
    let making = this.#making.get(key);
    if (!making) {
      making = this.#make(key, smiles, drawing);
      this.#making.set(key, making);
    }
    if (waitMs === 0) return null;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(resolve, waitMs, null);
    });
    try {
      return await Promise.race([making, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #make(key: string, smiles: string, drawing: Drawing): Promise<Drawn> {
    try {
      const result = await this.#chemistry.depict(smiles, drawing, { urgent: true });
      const drawn = { ...result, etag: `"${key.slice(0, 32)}"` };
      this.#kept.set(key, drawn);
      return drawn;
    } catch (error) {
      // No process could be started, or the server is closing: nothing about the molecule.
      return { ok: false, code: 'chemistry_failed', message: error instanceof Error ? error.message : String(error), etag: '"none"' };
    } finally {
      this.#making.delete(key);
    }
  }
}

export const pictureOf = (drawn: Drawn, drawing: Drawing): string => (drawn.ok ? drawn.svg : problemDrawing(drawn.message, drawing));
