import type { Batch } from '@sluice/contract';
import { count, duration, paint, type Terminal } from './output.ts';

const seconds = (ms: number): number => ms / 1000;

/**
 * Requests a second, smoothed over about five seconds: settling comes in bursts, and a rate that jumps makes an
 * estimate nobody believes.
 */
export class Rate {
  #last: { at: number; done: number } | null = null;
  #rate: number | null = null;

  /** `done` requests were settled at `at`, milliseconds. */
  add(at: number, done: number): void {
    if (this.#last && at > this.#last.at) {
      const now = (done - this.#last.done) / seconds(at - this.#last.at);
      const weight = this.#rate === null ? 1 : 1 - Math.exp(-seconds(at - this.#last.at) / 5);
      if (this.#rate !== null || now > 0) this.#rate = (this.#rate ?? 0) * (1 - weight) + now * weight;
    }
    this.#last = { at, done };
  }

  get value(): number | null {
    return this.#rate;
  }
}

export const settled = ({ request_counts: c }: Batch): number => c.completed + c.failed + c.cancelled + c.expired;

const bar = (share: number, width: number): string => {
  const eighths = Math.round(share * width * 8);
  const full = Math.floor(eighths / 8);
  const part = eighths % 8 === 0 ? '' : '▏▎▍▌▋▊▉'[(eighths % 8) - 1]!;
  return `▕${'█'.repeat(full)}${part}${'░'.repeat(Math.max(0, width - full - part.length))}▏`;
};

/** ` ▕██████░░░░▏ 62 % 31,100/50,000`, or how many rows were checked where nobody knows of how many; '' before the first. */
const checkedOf = ({ validation }: Batch): string => {
  if (!validation) return '';
  const { checked, total } = validation;
  if (total === null) return ` · ${count(checked)} lines so far`;
  const share = total === 0 ? 0 : checked / total;
  return ` ${bar(share, 20)} ${Math.floor(share * 100)} % ${count(checked)}/${count(total)}`;
};

/** `Kinase panel ▕██████░░░░▏ 62 % 31,100/50,000 · 100 failed · 412/s · ETA 46 s`. */
export const progressLine = (batch: Batch, rate: number | null, now: number): string => {
  const { total, failed } = batch.request_counts;
  const name = batch.name ?? batch.id;
  const done = settled(batch);
  if (batch.status === 'validating') return `${name} · validating the input${checkedOf(batch)}`;
  const share = total === 0 ? 0 : done / total;
  const left = rate && rate > 0 ? (total - done) / rate : null;
  const parts = [`${name} ${bar(share, 20)} ${Math.floor(share * 100)} % ${count(done)}/${count(total)}`];
  if (failed > 0) parts.push(`${count(failed)} failed`);
  if (batch.status === 'in_progress') {
    if (rate !== null) parts.push(`${rate < 10 ? rate.toFixed(1) : count(rate)}/s`);
    if (left !== null)
      parts.push(`ETA ${duration(left)}`, now / 1000 + left > batch.expires_at ? 'later than its deadline' : 'deadline ok');
  } else parts.push(batch.status);
  return parts.join(' · ');
};

/** Shows progress: one line redrawn on a terminal, a plain line every ten seconds elsewhere. */
export class Progress {
  readonly #terminal: Terminal;
  readonly #quiet: boolean;
  #drawn = false;
  #lastAt: number | null = null;
  #lastText = '';

  constructor(terminal: Terminal, quiet = false) {
    this.#terminal = terminal;
    this.#quiet = quiet;
  }

  show(text: string, now: number): void {
    if (this.#quiet) return;
    const { err } = this.#terminal;
    if (err.isTTY) {
      const width = err.columns ?? 80;
      err.write(`\r\u001B[2K${text.length > width - 1 ? `${text.slice(0, width - 2)}…` : text}`);
      this.#drawn = true;
      return;
    }
    // What ends within ten seconds needs no line in a log.
    this.#lastAt ??= now;
    if (now - this.#lastAt < 10_000 || text === this.#lastText) return;
    err.write(`${text}\n`);
    [this.#lastAt, this.#lastText] = [now, text];
  }

  /** Clears the line, so that what comes next starts on a fresh one. */
  end(): void {
    if (this.#drawn) this.#terminal.err.write('\r\u001B[2K');
    this.#drawn = false;
  }

  say(text: string): void {
    if (this.#quiet) return;
    this.end();
    this.#terminal.err.write(`${text}\n`);
  }

  warn(text: string): void {
    this.end();
    this.#terminal.err.write(`${paint(this.#terminal, 33, text)}\n`);
  }
}
