import type { Part } from './ask.ts';

/** Parts that wait for a process, the oldest first. Those that nobody waits for any more leave it unseen. */
export class Queue {
  #parts: Part[] = [];
  #rows = 0;

  /** Rows that wait. */
  get rows(): number {
    return this.#rows;
  }

  /** A part may have no rows, and wait all the same. */
  get empty(): boolean {
    return this.#parts.length === 0;
  }

  /** When the first of them was asked, by `performance.now()`. */
  get since(): number | null {
    return this.#parts[0]?.ask.askedAt ?? null;
  }

  add(parts: readonly Part[]): void {
    for (const part of parts) {
      this.#parts.push(part);
      this.#rows += part.rows;
    }
  }

  /** Before all others: they have waited once. */
  again(parts: readonly Part[]): void {
    this.#parts = [...parts, ...this.#parts];
    for (const part of parts) this.#rows += part.rows;
  }

  /** The oldest part, and with it those that may share its run, up to `most` rows; empty where none waits. */
  take(most: number): Part[] {
    const taken: Part[] = [];
    const left: Part[] = [];
    let rows = 0;
    let at = 0;
    for (; at < this.#parts.length; at++) {
      const part = this.#parts[at]!;
      const [oldest] = taken;
      if (part.ask.ended) this.#rows -= part.rows;
      else if (!oldest || (part.key === oldest.key && rows + part.rows <= most)) {
        taken.push(part);
        rows += part.rows;
        if (part.key === null || rows >= most) {
          at++;
          break;
        }
      } else left.push(part);
    }
    this.#rows -= rows;
    this.#parts = left.length > 0 ? left.concat(this.#parts.slice(at)) : this.#parts.slice(at);
    return taken;
  }

  [Symbol.iterator](): IterableIterator<Part> {
    return this.#parts.values();
  }
}
