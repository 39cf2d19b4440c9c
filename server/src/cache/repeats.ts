/** Lines in one generation of the table, and slots it may grow to: half full at the most. */
const generation = 1 << 17;
const mostSlots = 1 << 18;

/** An earlier line is found up to so many lines back: two generations. */
export const farthest = 2 * generation;

class Slots {
  count = 0;
  #lines: Uint32Array;
  #a: Uint32Array;
  #b: Uint32Array;

  constructor(slots: number) {
    this.#lines = new Uint32Array(slots);
    this.#a = new Uint32Array(slots);
    this.#b = new Uint32Array(slots);
  }

  find(a: number, b: number): number {
    const mask = this.#lines.length - 1;
    for (let slot = b & mask; this.#lines[slot] !== 0; slot = (slot + 1) & mask)
      if (this.#a[slot] === a && this.#b[slot] === b) return this.#lines[slot]!;
    return 0;
  }

  add(a: number, b: number, line: number): void {
    if (this.count * 2 >= this.#lines.length && this.#lines.length < mostSlots) this.#grow();
    const mask = this.#lines.length - 1;
    let slot = b & mask;
    while (this.#lines[slot] !== 0) slot = (slot + 1) & mask;
    this.#lines[slot] = line;
    this.#a[slot] = a;
    this.#b[slot] = b;
    this.count++;
  }

  clear(): void {
    this.count = 0;
    this.#lines.fill(0);
  }

  #grow(): void {
    const [lines, as, bs] = [this.#lines, this.#a, this.#b];
    const larger = new Slots(lines.length * 4);
    for (let i = 0; i < lines.length; i++) if (lines[i] !== 0) larger.add(as[i]!, bs[i]!, lines[i]!);
    [this.#lines, this.#a, this.#b] = [larger.#lines, larger.#a, larger.#b];
  }
}

/**
 * Finds lines that an earlier one is likely to equal, by 64 bits of hash. It remembers the first of each kind among the
 * last 131,072 to 262,144 lines, in 6 MB however long the file is: lines that lie farther apart would stand in segments
 * that all overlap, and a merge would have to hold all of them open.
 */
export class Repeats {
  #current = new Slots(1 << 12);
  #previous: Slots | null = null;
  #until = generation;

  /** The first line with this hash, if it is known; else 0, and `line` is the first. Lines come in ascending order. */
  find(a: number, b: number, line: number): number {
    for (; line > this.#until; this.#until += generation) {
      // The one before the last is filled anew: a file of millions would leave megabytes of them as garbage.
      const spare = this.#previous ?? new Slots(1 << 12);
      this.#previous = this.#current;
      this.#current = spare;
      spare.clear();
    }
    const known = this.#current.find(a, b) || (this.#previous?.find(a, b) ?? 0);
    if (known === 0) this.#current.add(a, b, line);
    return known;
  }
}
