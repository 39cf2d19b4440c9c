import type { Failure, Outcome, Success, Task } from '../executors/executor.ts';
import type { KeptOfLine } from '../artifacts/artifacts.ts';
import { linesOf } from '../formats/lines.ts';
import { encodeManifest, manifestSize, type Copied, type Settled } from '../formats/manifest.ts';
import { backoff } from '../lib/backoff.ts';
import { emptyPart, type Answer, type Answers, type Part, type Similar } from '../requests/settle.ts';
import type { RetryBudget } from './retry-budget.ts';
import { bodyPlace, LineBuffer, resultLine, type Buffers } from './result-lines.ts';

export interface Retry {
  maxAttempts: number;
  baseMs: number;
  capMs: number;
  /** Lengthens waits where there are many retries; shared by all leases of a model. */
  budget?: RetryBudget;
}

/** A part as it will be settled, and the object it goes with. */
export interface Gathered {
  part: Part;
  /** The result lines, by line, and behind them the manifest; null where no request was settled. */
  object: { bytes: Buffer; dataBytes: number } | null;
  retried: number;
  /** Milliseconds each settled request took that was run. */
  ms: number[];
}

/** Whose the answers are that are kept, and for how long. */
export type KeepScope = Pick<Answers, 'scope' | 'ttlSeconds'>;

/** What an answer is kept under. */
export interface Kept {
  key: string;
  similar?: Similar;
}

/** What became of a request: it has its answer, is tried again later, has failed for good; or it is as it was. */
export type Taken = 'completed' | 'waiting' | 'failed' | 'untouched';

/**
 * The outcomes of one part, as they come. Each becomes its result line at once: held until the part is written, tasks
 * and answers of thousands of requests would outlive the collector's young space, and be copied twice before they go.
 */
export class Gathering {
  /** Outcomes taken. */
  count = 0;
  readonly #batchId: string;
  readonly #scope: KeepScope | null;
  readonly #retry: Retry;
  readonly #buffers: Buffers;
  #out: LineBuffer;
  readonly #entries: Settled[] = [];
  readonly #ms: number[] = [];
  /** The entries have come in the order of their lines. */
  #ordered = true;
  readonly #part = emptyPart(0);
  readonly #artifacts: KeptOfLine[] = [];
  readonly #copied = { batch: 0, cache: 0, semantic: 0 };
  /** Answers to be kept, by key: of two in one part the first. */
  readonly #answers = new Map<string, { entry: Settled; fromEnd: number; bytes: number; similar?: Similar }>();

  /**
   * @param room bytes of result lines that are expected
   * @param scope where answers are kept; null: nowhere
   */
  constructor(batchId: string, retry: Retry, buffers: Buffers, room: number, scope: KeepScope | null = null) {
    this.#scope = scope;
    this.#batchId = batchId;
    this.#retry = retry;
    this.#buffers = buffers;
    this.#out = new LineBuffer(buffers, room);
  }

  /** Bytes of result lines. */
  get bytes(): number {
    return this.#out.length;
  }

  /**
   * @param followers where the request is to be tried again, they wait with it: in the same part, or a crash would part them
   * @param kept under which key its answer is kept
   */
  take(task: Task, outcome: Outcome, followers: readonly Task[] = [], kept?: Kept): Taken {
    if (!outcome.ok && outcome.kind === 'cancelled') return 'untouched';
    if (task.attempt === 1) this.#retry.budget?.request();
    this.count++;
    this.#leave(task, outcome);
    if (!outcome.ok) return this.#fail(task, outcome, outcome.kind === 'retryable', followers);
    this.#part.completed++;
    if (outcome.usage) {
      const { usage } = this.#part;
      usage.input += outcome.usage.input_tokens;
      usage.cached += outcome.usage.cached_tokens;
      usage.output += outcome.usage.output_tokens;
      usage.reasoning += outcome.usage.reasoning_tokens;
    }
    this.#settle(task, outcome, 'completed', outcome.status, task.attempt);
    this.#ms.push(outcome.ms);
    if (kept) this.#keep(kept, outcome.body);
    return 'completed';
  }

  /** Takes an answer that was given to another request. It used no tokens and was no attempt. */
  copy(task: Task, outcome: Success, copied: Copied): void {
    this.count++;
    this.#part.completed++;
    this.#copied[copied.kind]++;
    this.#leave(task, outcome);
    const { requestId: _, ...own } = outcome;
    this.#settle(task, own, 'completed', outcome.status, task.attempt - 1, copied);
  }

  /** Its object's bytes are good until `release`. */
  finish(number: number): Gathered {
    const entries = this.#entries;
    if (!this.#ordered) this.#rearrange();
    const answers = this.#scope === null || this.#answers.size === 0 ? null : { ...this.#scope, rows: this.#kept() };
    const part = {
      ...this.#part,
      copied: this.#copied,
      ...(answers && { answers }),
      ...(this.#artifacts.length > 0 && { artifacts: this.#artifacts }),
      number,
      settled: linesOf(entries.map((entry) => entry.line)),
    };
    const dataBytes = this.#out.length;
    if (entries.length > 0) this.#out.append(encodeManifest(entries));
    return {
      part,
      object: entries.length > 0 ? { bytes: this.#out.bytes(), dataBytes } : null,
      retried: this.count - entries.length,
      ms: this.#ms,
    };
  }

  release(): void {
    this.#out.release();
  }

  #fail(task: Task, outcome: Failure, retryable: boolean, followers: readonly Task[]): Taken {
    const kind = retryable ? 'retryable' : 'permanent';
    const { attempts, exceptions, waiting } = this.#part;
    const { maxAttempts, baseMs: base, capMs: cap, budget } = this.#retry;
    const { line, attempt } = task;
    const { code, status = null, startedAt, ms, retryAfterMs, needs = null } = outcome;
    const message = clip(outcome.message);
    attempts.push({ line, number: attempt, kind, code, message, statusCode: status, startedAt, ms });
    if (retryable && attempt < maxAttempts) {
      const delayMs = backoff(attempt, { base, cap, ...(retryAfterMs !== undefined && { retryAfterMs }) });
      const wait = Math.max(delayMs, budget?.retry() ?? 0);
      for (const { line: own } of [task, ...followers]) waiting.push({ line: own, delayMs: wait, needs });
      return 'waiting';
    }
    const state = retryable ? 'dead_lettered' : 'failed';
    exceptions.push({ line, state, code, message, statusCode: status, attempts: attempt });
    this.#settle(task, outcome, state, status ?? 0, attempt);
    this.#ms.push(ms);
    return 'failed';
  }

  #settle(task: Task, outcome: Outcome, state: Settled['state'], status: number, attempts: number, copied?: Copied): void {
    const { line } = task;
    const { startedAt, ms } = outcome;
    const { offset, length } = this.#out.write(resultLine(this.#batchId, task, outcome));
    if (this.#entries.length > 0 && this.#entries.at(-1)!.line > line) this.#ordered = false;
    this.#entries.push({ line, state, attempts, status, offset, length, startedAt, ms, ...(copied && { copied }) });
  }

  #keep({ key, similar }: Kept, body: string): void {
    if (this.#answers.has(key)) return;
    const entry = this.#entries.at(-1)!;
    const { offset, bytes } = bodyPlace(entry.offset, entry.length, body);
    this.#answers.set(key, { entry, fromEnd: entry.offset + entry.length - offset, bytes, ...(similar && { similar }) });
  }

  /** Places are taken now: entries move when they are brought into order. */
  #kept(): Answer[] {
    return [...this.#answers].map(([key, { entry, fromEnd, bytes, similar }]) => ({
      key,
      line: entry.line,
      offset: entry.offset + entry.length - fromEnd,
      bytes,
      status: entry.status,
      ...(similar && { similar }),
    }));
  }

  #leave({ line, attempt }: Task, { artifacts }: Outcome): void {
    if (artifacts !== undefined) for (const kept of artifacts) this.#artifacts.push({ ...kept, line, attempt });
  }

  /** Brings entries and result lines into the order of the lines. */
  #rearrange(): void {
    this.#entries.sort((a, b) => a.line - b.line);
    const sorted = new LineBuffer(this.#buffers, this.#out.length + manifestSize(this.#entries.length));
    const bytes = this.#out.bytes();
    for (const entry of this.#entries) {
      const offset = sorted.length;
      sorted.append(bytes.subarray(entry.offset, entry.offset + entry.length));
      entry.offset = offset;
    }
    this.#out.release();
    this.#out = sorted;
  }
}

const clip = (text: string): string => (text.length > 1_000 ? `${text.slice(0, 1_000)}…` : text).replaceAll('\0', '');
