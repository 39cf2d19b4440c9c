import { byPrompt, sameButId } from '../cache/line-text.ts';
import { attemptFolder, requestFolder } from '../artifacts/keys.ts';
import type { JsonObject, Task } from '../executors/executor.ts';
import { parseExactly } from '../formats/exact-json.ts';
import type { Lines } from '../formats/lines.ts';
import { readLines, type LineSource } from '../formats/read-lines.ts';
import { requestId } from '../lib/ids.ts';
import type { Storage } from '../storage/storage.ts';

interface Request {
  custom_id: string;
  url: string;
  body: JsonObject;
}

/** The lease that a request runs under: its files go to a folder of it. */
export interface Under {
  tenant: string;
  batchId: string;
  token: number;
}

/**
 * A request as its bytes until somebody looks into it. Thousands of them are handed over at once; parsed all together,
 * they outlived the collector's young space, which took a quarter of a worker's time and half of its memory.
 */
export class LineTask implements Task {
  readonly line: number;
  readonly attempt: number;
  /** The first line of its file that it seems to be the same as, itself where it is that. */
  readonly first: number;
  readonly #bytes: Buffer;
  readonly #under: Under | null;
  #request: Request | null = null;

  constructor(line: number, attempt: number, bytes: Buffer, repeats = 0, under: Under | null = null) {
    this.line = line;
    this.attempt = attempt;
    this.first = repeats || line;
    this.#bytes = bytes;
    this.#under = under;
  }

  get key(): string | undefined {
    return this.#under === null ? undefined : requestId(this.#under.batchId, this.line);
  }

  get folder(): string | undefined {
    if (this.#under === null) return undefined;
    const { tenant, batchId, token } = this.#under;
    return attemptFolder(requestFolder(tenant, batchId, this.line), token, this.attempt);
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

  /** Whether it asks for the same, byte by byte. */
  same(other: LineTask): boolean {
    return sameButId(this.#bytes, other.#bytes);
  }

  /** For a sort in which prompts with a common beginning stand together. */
  comparePrompt(other: LineTask): number {
    return byPrompt(this.#bytes, other.#bytes);
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

/** Bytes of lines handed over together, where there are so many. */
const groupBytes = 4 << 20;

/**
 * The requests of a set of lines, in order, in groups of about 4 MB: lines that lie far apart are read one by one, but they
 * are to run side by side.
 *
 * @param attempts how many attempts a line has behind it; lines that are not in it have none
 */
export async function* readTasks(
  storage: Storage,
  source: LineSource & { lines: Lines } & Partial<Under>,
  attempts: ReadonlyMap<number, number>,
): AsyncGenerator<LineTask[]> {
  const { tenant, batchId, token } = source;
  const under = tenant === undefined || batchId === undefined || token === undefined ? null : { tenant, batchId, token };
  let group: LineTask[] = [];
  let size = 0;
  for await (const lines of readLines(storage, source, source.lines)) {
    const more = lines.reduce((sum, { bytes }) => sum + bytes.length, 0);
    if (group.length > 0 && size + more > groupBytes) {
      yield group;
      group = [];
      size = 0;
    }
    for (const { line, bytes, repeats } of lines) group.push(new LineTask(line, (attempts.get(line) ?? 0) + 1, bytes, repeats, under));
    size += more;
  }
  if (group.length > 0) yield group;
}
