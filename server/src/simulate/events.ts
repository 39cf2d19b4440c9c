/** What will happen, earliest first; what is due at the same time happens in the order in which it was announced. */
export class Events<T> {
  readonly #heap: { at: number; turn: number; event: T }[] = [];
  #turn = 0;

  get size(): number {
    return this.#heap.length;
  }

  add(at: number, event: T): void {
    const heap = this.#heap;
    const entry = { at, turn: (this.#turn += 1), event };
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!earlier(entry, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = entry;
  }

  next(): { at: number; event: T } | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && earlier(heap[child + 1]!, heap[child]!)) child += 1;
      if (!earlier(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

const earlier = (a: { at: number; turn: number }, b: { at: number; turn: number }): boolean =>
  a.at < b.at || (a.at === b.at && a.turn < b.turn);
