/**
 * Features that were computed on this host, for every process on it: the same molecule under another model, in another
 * batch or in a prediction at once is looked up in 10 µs instead of computed in a millisecond.
 *
 * One file of slots of equal size, in groups of four; a molecule's slot is in the group that its key names. The key is a
 * hash of what was computed, by which RDKit, of which text: the text as it was sent, not its canonical form, because
 * sums of floats depend on the order of atoms, and a prediction must not depend on who asked first. A slot is written
 * by one call and carries a checksum over all of it: what two processes wrote at once, or one did not finish writing,
 * is a miss. Nothing is ever waited for, and nothing is lost with the file: it may be deleted at any time.
 *
 * It holds keys and numbers, no structures; but numbers that fingerprints can be made of, so it is for the eyes of the
 * server's own user alone.
 */
import { hash } from 'node:crypto';
import { constants, fstatSync, ftruncateSync, mkdirSync, openSync, readdirSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';

const keyBytes = 16;
const sumBytes = 8;
/** Slots of a group: where one is to be overwritten, four to choose from lose little of what the file could hold. */
const ways = 4;

/**
 * Opens the file for all processes that are given its descriptor; null (with a line in the log) where it cannot be, and
 * where `bytes` is 0. Takes its room on disk as it fills.
 */
export const openFeatureFile = ({ folder, bytes }: { folder: string; bytes: number }, log: Logger): number | null => {
  if (bytes === 0) return null;
  const name = `slots-1-${bytes}`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // Of another size or form: who still has it open goes on with it.
    for (const other of readdirSync(folder)) if (other.startsWith('slots-') && other !== name) rmSync(join(folder, other), { force: true });
    const file = openSync(join(folder, name), constants.O_RDWR | constants.O_CREAT, 0o600);
    if (fstatSync(file).size !== bytes) ftruncateSync(file, bytes);
    return file;
  } catch (error) {
    log.warn({ err: messageOf(error), folder }, 'features of molecules are not kept: their file cannot be opened');
    return null;
  }
};

/** Bytes of one slot. */
const slotBytes = (payload: number): number => keyBytes + sumBytes + payload;

/** How many molecules' features, of `payload` bytes each, a file holds. */
export const slotsIn = (file: number, payload: number): number => ways * Math.floor(fstatSync(file).size / (ways * slotBytes(payload)));

export class FeatureCache {
  readonly #fd: number;
  readonly #salt: string;
  readonly #payload: number;
  readonly #groups: number;
  readonly #group: Buffer;
  #broken = false;
  /** Looked up and found, and looked up. */
  hits = 0;
  lookups = 0;

  /** `salt`: what was computed and by what; `payload`: bytes of one molecule's. */
  constructor(fd: number, salt: string, payload: number) {
    this.#fd = fd;
    this.#salt = salt;
    this.#payload = payload;
    this.#group = Buffer.alloc(ways * this.#slot);
    this.#groups = slotsIn(fd, payload) / ways;
  }

  get #slot(): number {
    return slotBytes(this.#payload);
  }

  /** The file can no longer be read or written: nothing is kept. */
  get broken(): boolean {
    return this.#broken;
  }

  #keyOf(smiles: string): Buffer {
    return hash('sha256', `${this.#salt}\n${smiles}`, 'buffer').subarray(0, keyBytes);
  }

  #sumOf(slot: Buffer): Buffer {
    return hash('sha256', Buffer.concat([slot.subarray(0, keyBytes), slot.subarray(keyBytes + sumBytes)]), 'buffer').subarray(0, sumBytes);
  }

  /** Reads the group of a key; false where there is none to be had. */
  #read(key: Buffer): { at: number } | null {
    if (this.#broken || this.#groups === 0) return null;
    const at = (key.readUIntLE(0, 6) % this.#groups) * this.#group.length;
    try {
      return readSync(this.#fd, this.#group, 0, this.#group.length, at) === this.#group.length ? { at } : null;
    } catch {
      this.#broken = true;
      return null;
    }
  }

  /** What was put for it, good until the next call; null where nothing sound is there. */
  get(smiles: string): Buffer | null {
    this.lookups++;
    const key = this.#keyOf(smiles);
    if (!this.#read(key)) return null;
    for (let way = 0; way < ways; way++) {
      const slot = this.#group.subarray(way * this.#slot, (way + 1) * this.#slot);
      if (!key.equals(slot.subarray(0, keyBytes))) continue;
      if (!this.#sumOf(slot).equals(slot.subarray(keyBytes, keyBytes + sumBytes))) continue;
      this.hits++;
      return slot.subarray(keyBytes + sumBytes);
    }
    return null;
  }

  put(smiles: string, payload: Uint8Array): void {
    const key = this.#keyOf(smiles);
    const group = this.#read(key);
    if (!group) return;
    const free = Array.from({ length: ways }, (_, way) => way).find(
      (way) =>
        this.#group.readBigUInt64LE(way * this.#slot) === 0n ||
        key.equals(this.#group.subarray(way * this.#slot, way * this.#slot + keyBytes)),
    );
    const slot = Buffer.alloc(this.#slot);
    slot.set(key);
    slot.set(payload, keyBytes + sumBytes);
    slot.set(this.#sumOf(slot), keyBytes);
    try {
      writeSync(this.#fd, slot, 0, slot.length, group.at + (free ?? Math.floor(Math.random() * ways)) * this.#slot);
    } catch {
      // A full disk, most likely: this process does without from now on.
      this.#broken = true;
    }
  }
}
