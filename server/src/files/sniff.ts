import { ApiError } from '../lib/errors.ts';
import type { Bytes } from '../storage/storage.ts';

/** White space a file may begin with before we stop looking; intake then says what is wrong with those lines. */
const patience = 64 * 1024;

const mark = [0xef, 0xbb, 0xbf];

const isSpace = (byte: number) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);

/** Tells a table by the beginning of its file, and its name. */
export type IsTable = (head: Buffer, filename: string) => boolean;

/** As much of a file as tells a table from what is none. */
const headBytes = 64 * 1024;

/**
 * Looks at the first bytes on their way: whether they could be those of JSON lines, that is, after a byte order mark
 * and white space, `{` and then `"` or `}`. The name of a file says nothing: OpenAI's clients send `upload`. Where tables are
 * taken too, other bytes may be those of one.
 */
export class Sniff {
  #seen = 0;
  #bom = 0;
  #open = false;
  #verdict: boolean | null = null;
  readonly #isTable: ((head: Buffer) => boolean) | null;
  /** What came so far, where it is no JSON and may be a table. */
  #head: Buffer[] = [];
  #held = 0;

  constructor(isTable: ((head: Buffer) => boolean) | null = null) {
    this.#isTable = isTable;
  }

  /** Null: too early to say. */
  get verdict(): boolean | null {
    return this.#verdict;
  }

  refusal(): ApiError {
    return notJsonLines(this.#isTable !== null);
  }

  add(bytes: Uint8Array): void {
    if (this.#isTable !== null && this.#held < headBytes) {
      // Copied: whoever reads the file may use the buffer again.
      this.#head.push(Buffer.from(bytes.subarray(0, headBytes - this.#held)));
      this.#held += this.#head.at(-1)!.length;
    }
    for (const byte of bytes) {
      if (this.#verdict !== null || this.#noJson) break;
      this.#look(byte);
    }
    if (this.#noJson && this.#held === headBytes) this.#decide();
  }

  #noJson = false;

  #decide(): void {
    this.#verdict = this.#isTable?.(Buffer.concat(this.#head)) === true;
    this.#head = [];
  }

  #refuse(): void {
    if (this.#isTable === null) this.#verdict = false;
    else this.#noJson = true;
  }

  #look(byte: number): void {
    const position = this.#seen++;
    if (position === this.#bom && byte === mark[position]) this.#bom++;
    else if (this.#bom > 0 && this.#bom < mark.length) this.#refuse();
    else if (isSpace(byte)) this.#verdict = position > patience ? true : null;
    else if (this.#open) {
      if (byte === 0x22 || byte === 0x7d) this.#verdict = true;
      else this.#refuse();
    } else if (byte === 0x7b) this.#open = true;
    else this.#refuse();
  }

  /** Throws what OpenAI says to a batch file that is none; also to an empty one. */
  assertBatchInput(): void {
    if (this.#noJson && this.#verdict === null) this.#decide();
    if (this.#verdict !== true) throw this.refusal();
  }
}

/** OpenAI's words; and ours, where more can be meant. */
const notJsonLines = (tables: boolean): ApiError =>
  tables
    ? new ApiError(
        'invalid_request',
        'Invalid file format for Batch API. Must be .jsonl, or a table: csv, tsv, parquet, sdf or a list of SMILES.',
        { bare: true },
      )
    : new ApiError('invalid_request', 'Invalid file format for Batch API. Must be .jsonl', { bare: true });

/** The same bytes, shown to `sniff` as they pass. */
export async function* sniffed(bytes: Bytes, sniff: Sniff): AsyncGenerator<Uint8Array> {
  for await (const piece of bytes) {
    if (sniff.verdict === null) sniff.add(piece);
    yield piece;
  }
}

/** How the beginning of one file is looked at. OpenAI's limits leave no room for tables. */
export const sniffFor = ({ limits, isTable }: { limits: { openai: boolean }; isTable?: IsTable | undefined }, filename: string): Sniff =>
  new Sniff(isTable === undefined || limits.openai ? null : (head) => isTable(head, filename));
