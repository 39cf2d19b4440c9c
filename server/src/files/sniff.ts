import { ApiError } from '../lib/errors.ts';
import type { Bytes } from '../storage/storage.ts';

/** White space a file may begin with before we stop looking; intake then says what is wrong with those lines. */
const patience = 64 * 1024;

const mark = [0xef, 0xbb, 0xbf];

const isSpace = (byte: number) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);

/**
 * Looks at the first bytes on their way: whether they could be those of JSON lines, that is, after a byte order mark
 * and white space, `{` and then `"` or `}`. The name of a file says nothing: OpenAI's clients send `upload`.
 */
export class Sniff {
  #seen = 0;
  #bom = 0;
  #open = false;
  #verdict: boolean | null = null;

  /** Null: too early to say. */
  get verdict(): boolean | null {
    return this.#verdict;
  }

  add(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (this.#verdict !== null) return;
      this.#look(byte);
    }
  }

  #look(byte: number): void {
    const position = this.#seen++;
    if (position === this.#bom && byte === mark[position]) this.#bom++;
    else if (this.#bom > 0 && this.#bom < mark.length) this.#verdict = false;
    else if (isSpace(byte)) this.#verdict = position > patience ? true : null;
    else if (this.#open) this.#verdict = byte === 0x22 || byte === 0x7d;
    else if (byte === 0x7b) this.#open = true;
    else this.#verdict = false;
  }

  /** Throws what OpenAI says to a batch file that is none; also to an empty one. */
  assertJsonLines(): void {
    if (this.#verdict !== true) throw notJsonLines();
  }
}

export const notJsonLines = (): ApiError =>
  new ApiError('invalid_request', 'Invalid file format for Batch API. Must be .jsonl', { bare: true });

/** The same bytes, shown to `sniff` as they pass. */
export async function* sniffed(bytes: Bytes, sniff: Sniff): AsyncGenerator<Uint8Array> {
  for await (const piece of bytes) {
    if (sniff.verdict === null) sniff.add(piece);
    yield piece;
  }
}
