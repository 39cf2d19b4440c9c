/**
 * Finds repeated ids among millions, in 8 bytes of typed arrays a slot (a Set of strings takes ten times that, and
 * throws at 16.7 million). A hit is only likely to be a repeat, at 32 bits of hash: the caller reads the earlier line
 * and compares.
 */
export class IdTable {
  #lines = new Uint32Array(1 << 12);
  #hashes = new Uint32Array(1 << 12);
  #count = 0;

  /** Adds line `line` (from 1) with its id's hash. Returns earlier lines of the same hash, mostly none. */
  add(hash: number, line: number): number[] | null {
    // Linear probing stays short up to three quarters full.
    if (this.#count * 4 >= this.#lines.length * 3) this.#grow();
    const mask = this.#lines.length - 1;
    let alike: number[] | null = null;
    let slot = spread(hash) & mask;
    for (; this.#lines[slot] !== 0; slot = (slot + 1) & mask) if (this.#hashes[slot] === hash) (alike ??= []).push(this.#lines[slot]!);
    // A repeat is not added again, or a file of one id would make every search walk all of it.
    if (alike === null || alike.length < 4) {
      this.#lines[slot] = line;
      this.#hashes[slot] = hash;
      this.#count++;
    }
    return alike;
  }

  /** Makes room for `count` ids at once: growing there step by step leaves as much again behind for the collector. */
  reserve(count: number): void {
    const wanted = 2 ** Math.ceil(Math.log2((count * 4) / 3 + 1));
    if (wanted > this.#lines.length && wanted <= 2 ** 25) this.#grow(wanted);
  }

  #grow(size = this.#lines.length * 2): void {
    const [lines, hashes] = [this.#lines, this.#hashes];
    this.#lines = new Uint32Array(size);
    this.#hashes = new Uint32Array(size);
    const mask = this.#lines.length - 1;
    for (let i = 0; i < lines.length; i++) {
      if (lines[i] === 0) continue;
      let slot = spread(hashes[i]!) & mask;
      while (this.#lines[slot] !== 0) slot = (slot + 1) & mask;
      this.#lines[slot] = lines[i]!;
      this.#hashes[slot] = hashes[i]!;
    }
  }
}

/** The table takes the hash's low bits: this lets all of them count. */
const spread = (hash: number): number => Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0;

/**
 * A 32-bit hash of an id and, beside it, 32 more bits for the index.
 * Source: cyrb53 by bryc (public domain): two Murmur-like streams over the UTF-16 units.
 */
export const hashId = (id: string): [number, number] => {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < id.length; i++) {
    const unit = id.charCodeAt(i);
    a = Math.imul(a ^ unit, 2_654_435_761);
    b = Math.imul(b ^ unit, 1_597_334_677);
  }
  a = Math.imul(a ^ (a >>> 16), 2_246_822_507) ^ Math.imul(b ^ (b >>> 13), 3_266_489_909);
  b = Math.imul(b ^ (b >>> 16), 2_246_822_507) ^ Math.imul(a ^ (a >>> 13), 3_266_489_909);
  return [a >>> 0, b >>> 0];
};
