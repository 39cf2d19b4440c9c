import type { Outcome, Task } from '../executors/executor.ts';
import { requestId } from '../lib/ids.ts';

/** What follows a reply's body in its line. */
const afterBody = '},"error":null}\n';

/** Where the reply's body lies, in the line at `offset` of `length` bytes that it ends. */
export const bodyPlace = (offset: number, length: number, body: string): { offset: number; bytes: number } => {
  const bytes = Buffer.byteLength(body);
  return { offset: offset + length - afterBody.length - bytes, bytes };
};

/** The line as it will stand in the output or error file. */
export const resultLine = (batchId: string, task: Task, outcome: Outcome): string => {
  const id = requestId(batchId, task.line);
  const head = `{"id":"${id}","custom_id":${JSON.stringify(task.customId)},"response":`;
  if (outcome.body !== undefined) {
    const request = JSON.stringify(outcome.requestId ?? `req_${id.slice(10)}`);
    return `${head}{"status_code":${outcome.status},"request_id":${request},"body":${outcome.body}${afterBody}`;
  }
  const { code, message } = outcome as { code: string; message: string };
  return `${head}null,"error":${JSON.stringify({ code, message })}}\n`;
};

/** Buffers used again and again: a megabyte for each part would be garbage faster than it is collected. */
export class Buffers {
  readonly #free: Buffer[] = [];

  take(bytes: number): Buffer {
    const at = this.#free.findIndex((buffer) => buffer.length >= bytes);
    return at === -1 ? Buffer.allocUnsafeSlow(bytes) : this.#free.splice(at, 1)[0]!;
  }

  /** Nobody may use it any more. */
  give(buffer: Buffer): void {
    if (this.#free.length < keptBuffers && buffer.length <= keptBytes) this.#free.push(buffer);
  }
}

const empty = Buffer.alloc(0);
const keptBuffers = 4;
const keptBytes = 8 << 20;

/** Text gathered as UTF-8 in one growing buffer, with the place each piece got. */
export class LineBuffer {
  readonly #buffers: Buffers;
  readonly #room: number;
  /** Taken with the first write. */
  #buffer: Buffer = empty;
  #used = 0;

  /** @param room bytes that are expected */
  constructor(buffers: Buffers, room: number) {
    this.#buffers = buffers;
    this.#room = Math.max(4_096, room);
  }

  get length(): number {
    return this.#used;
  }

  write(text: string): { offset: number; length: number } {
    // UTF-8 takes at most three bytes for a UTF-16 unit.
    this.#makeRoom(text.length * 3);
    const offset = this.#used;
    const length = this.#buffer.write(text, offset, 'utf8');
    this.#used += length;
    return { offset, length };
  }

  append(bytes: Buffer): void {
    this.#makeRoom(bytes.length);
    bytes.copy(this.#buffer, this.#used);
    this.#used += bytes.length;
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#used);
  }

  /** Its bytes belong to somebody else from now on. */
  release(): void {
    if (this.#buffer !== empty) this.#buffers.give(this.#buffer);
    this.#buffer = empty;
    this.#used = 0;
  }

  #makeRoom(bytes: number): void {
    if (this.#used + bytes <= this.#buffer.length) return;
    const larger = this.#buffers.take(Math.max(this.#room, this.#used + bytes, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#used);
    if (this.#buffer !== empty) this.#buffers.give(this.#buffer);
    this.#buffer = larger;
  }
}
