import type { JsonObject, Task } from '../executors/executor.ts';
import { parseExactly } from '../formats/exact-json.ts';
import type { Lines } from '../formats/lines.ts';
import { readLines, type LineSource } from '../formats/read-lines.ts';
import type { Storage } from '../storage/storage.ts';

interface Request {
  custom_id: string;
  url: string;
  body: JsonObject;
}

/**
 * A request as its bytes until somebody looks into it. Thousands of them are handed over at once; parsed all together,
 * they outlived the collector's young space, which took a quarter of a worker's time and half of its memory.
 */
export class LineTask implements Task {
  readonly line: number;
  readonly attempt: number;
  readonly #bytes: Buffer;
  #request: Request | null = null;

  constructor(line: number, attempt: number, bytes: Buffer) {
    this.line = line;
    this.attempt = attempt;
    this.#bytes = bytes;
  }

  get customId(): string {
    return this.#parsed().custom_id;
  }

  get url(): string {
    return this.#parsed().url;
  }

  get body(): JsonObject {
    return this.#parsed().body;
  }

  /** Once it is answered; who looks again has it parsed again. */
  forget(): void {
    this.#request = null;
  }

  // Intake has checked the line: it parses, and has these fields.
  #parsed(): Request {
    return (this.#request ??= parseExactly(this.#bytes.toString('utf8')) as Request);
  }
}

/**
 * The requests of a set of lines, in order, in the groups in which they were read.
 *
 * @param attempts how many attempts a line has behind it; lines that are not in it have none
 */
export async function* readTasks(
  storage: Storage,
  source: LineSource & { lines: Lines },
  attempts: ReadonlyMap<number, number>,
): AsyncGenerator<LineTask[]> {
  for await (const group of readLines(storage, source, source.lines))
    yield group.map(({ line, bytes }) => new LineTask(line, (attempts.get(line) ?? 0) + 1, bytes));
}
