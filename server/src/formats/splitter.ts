import { isAscii } from 'node:buffer';

/**
 * Where a line lies: in `buffer` from `start` up to `end` (line end, CR and BOM not included), and at `offset` in the
 * file. `plain`: all of it is ASCII without NUL, so it needs no further look and decodes as Latin-1.
 * The buffer is only lent: it is overwritten after the call.
 */
export interface LineSink {
  line(buffer: Buffer, start: number, end: number, offset: number, plain: boolean): void;
  /** A line longer than the limit; its bytes were not kept. */
  tooLong(offset: number, length: number): void;
}

const LF = 10;
const CR = 13;

/**
 * Cuts a stream of chunks into lines, wherever the chunks' borders fall; memory is one chunk and at most one line.
 * A BOM at the start, CR before LF and a missing last line end are accepted. An empty line is a line of length 0,
 * except after the last line end.
 */
export class LineSplitter {
  readonly #sink: LineSink;
  readonly #limit: number;
  /** Bytes of a line whose end has not come yet. */
  #carry: Buffer[] = [];
  #carried = 0;
  /** Set while inside a line that is over the limit. */
  #skipping = false;
  /** The file's offset of the first byte not yet given to the sink. */
  #offset = 0;

  /** @param limit bytes a line may have */
  constructor(sink: LineSink, limit: number) {
    this.#sink = sink;
    this.#limit = limit;
  }

  push(chunk: Buffer): void {
    const plain = isPlain(chunk);
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(LF, start);
      if (end === -1) break;
      if (this.#carried > 0 || this.#skipping) {
        this.#keep(chunk.subarray(start, end));
        this.#flush(1);
      } else this.#emit(chunk, start, end, plain, 1);
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(Buffer.from(chunk.subarray(start)));
  }

  end(): void {
    if (this.#carried > 0) this.#flush(0);
  }

  #keep(bytes: Buffer): void {
    this.#carried += bytes.length;
    // Two for CR and three for a BOM, which do not count.
    if (this.#skipping || this.#carried > this.#limit + 5) {
      this.#skipping = true;
      this.#carry = [];
    } else this.#carry.push(bytes);
  }

  #flush(terminator: number): void {
    if (this.#skipping) {
      this.#sink.tooLong(this.#offset, this.#carried);
      this.#offset += this.#carried + terminator;
    } else {
      const line = this.#carry.length === 1 ? this.#carry[0]! : Buffer.concat(this.#carry, this.#carried);
      this.#emit(line, 0, line.length, isPlain(line), terminator);
    }
    this.#carry = [];
    this.#carried = 0;
    this.#skipping = false;
  }

  #emit(buffer: Buffer, from: number, to: number, plain: boolean, terminator: number): void {
    let start = from;
    let end = to;
    const bom =
      this.#offset === 0 && buffer[start] === 0xef && buffer[start + 1] === 0xbb && buffer[start + 2] === 0xbf && end - start >= 3;
    if (bom) start += 3;
    if (end > start && buffer[end - 1] === CR) end--;
    const offset = this.#offset + (start - from);
    this.#offset += to - from + terminator;
    // A file of nothing but a BOM has no line.
    if (bom && terminator === 0 && start === end) return;
    if (end - start > this.#limit) this.#sink.tooLong(offset, end - start);
    else this.#sink.line(buffer, start, end, offset, plain);
  }
}

const isPlain = (bytes: Buffer): boolean => isAscii(bytes) && !bytes.includes(0);
