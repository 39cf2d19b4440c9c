import type { Batch } from '@sluice/contract';
import type { Client } from '@sluice/contract/client';
import { download } from './download.ts';
import { Exit, exitCodes } from './exit.ts';
import { bytes, count, duration, type Terminal } from './output.ts';
import { Progress, progressLine, Rate, settled } from './progress.ts';
import { downloadTable, formatOf } from './table.ts';

export interface FollowOptions {
  /** Seconds after which to stop watching. */
  timeout?: number | undefined;
  quiet?: boolean | undefined;
  signal?: AbortSignal | undefined;
  /** Called with the batch each time it was asked for. */
  onBatch?: ((batch: Batch, rate: number | null) => void) | undefined;
}

const terminal = new Set(['completed', 'failed', 'expired', 'cancelled']);

const pause = (ms: number, signal: AbortSignal | undefined) =>
  new Promise<void>((resolve) => {
    if (signal?.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });

/** Asks for the batch until it has ended, quickly at first. Throws `Exit` on the time-out and when `signal` aborts. */
export const untilEnd = async (client: Client, id: string, out: Terminal, options: FollowOptions = {}): Promise<Batch> => {
  const progress = new Progress(out, options.quiet);
  const rate = new Rate();
  const deadline = options.timeout === undefined ? Infinity : Date.now() + options.timeout * 1000;
  const resume = `The batch goes on. See it: sluice batch watch ${id}`;
  try {
    for (let ms = 100; ; ms = Math.min(1000, ms * 1.3)) {
      const batch = await client.get<Batch>(`/v1/batches/${id}`);
      if (batch.status !== 'validating') rate.add(Date.now(), settled(batch));
      options.onBatch?.(batch, rate.value);
      progress.show(progressLine(batch, rate.value, Date.now()), Date.now());
      if (terminal.has(batch.status)) return batch;
      if (Date.now() + ms > deadline) throw new Exit(exitCodes.timeout, `${id} has not ended within ${options.timeout!} s.`, resume);
      await pause(ms, options.signal);
      if (options.signal?.aborted) throw new Exit(exitCodes.interrupted, `Detached from ${id}.`, resume);
    }
  } finally {
    progress.end();
  }
};

/** Where the error lines go beside the results: `out.jsonl` → `out.errors.jsonl`. */
export const errorsPath = (path: string): string => path.replace(/(\.jsonl)?$/, '.errors$1');

/**
 * Downloads what a batch left: results to `path`, failed lines beside them; or its table, with both in it, where `path` is
 * called as a table is. Returns a sentence for each.
 */
export const collect = async (client: Client, batch: Batch, path: string, out: Terminal): Promise<string[]> => {
  const said: string[] = [];
  const format = formatOf(path);
  if (format !== null) {
    await downloadTable(client, batch.id, path, { format }, out.out);
    const { total, completed } = batch.request_counts;
    const rest = completed < total ? `; where there is no result (${count(total - completed)}) the column error_message says why` : '';
    return [`${count(total)} rows, as in the input, in ${path}${rest}`];
  }
  if (batch.output_file_id) {
    const file = await download(client, batch.output_file_id, path, out.out);
    if (path !== '-') said.push(`${count(batch.request_counts.completed)} results (${bytes(file.bytes)}) in ${path}`);
  } else said.push('No request succeeded, so there is no output file.');
  if (batch.error_file_id && path !== '-') {
    await download(client, batch.error_file_id, errorsPath(path));
    said.push(`${count(settled(batch) - batch.request_counts.completed)} errors in ${errorsPath(path)}`);
  }
  return said;
};

const ended = (batch: Batch): number => batch.completed_at ?? batch.failed_at ?? batch.expired_at ?? batch.cancelled_at ?? batch.created_at;

export const summary = (batch: Batch): string => {
  if (batch.status === 'failed') return `${batch.id} failed: its input was refused`;
  const { total, completed, failed, cancelled, expired } = batch.request_counts;
  const parts = [`${batch.id} ${batch.status}`, `${count(completed)} of ${count(total)} succeeded`];
  for (const [name, n] of Object.entries({ failed, cancelled, expired })) if (n > 0) parts.push(`${count(n)} ${name}`);
  return `${parts.join(' · ')} · ${duration(ended(batch) - batch.created_at)}`;
};

/** The exit a batch that has ended stands for; throws `Exit` unless it is 0. */
export const judge = (batch: Batch, failOnError: boolean): void => {
  const { total, completed } = batch.request_counts;
  if (batch.status === 'failed') {
    const problems = (batch.errors?.data ?? [])
      .slice(0, 5)
      .map(({ line, message }) => `  ${line === null ? '' : `line ${line}: `}${message}`);
    const more = (batch.errors?.data.length ?? 0) - problems.length;
    throw new Exit(
      exitCodes.error,
      [`The input of ${batch.id} was refused:`, ...problems, ...(more > 0 ? [`  and ${more} more`] : [])].join('\n'),
      `Mend the lines, or see all of it: sluice batch get ${batch.id} --json=errors`,
    );
  }
  if (batch.status === 'cancelled') throw new Exit(exitCodes.cancelled, `${batch.id} was cancelled.`);
  if (batch.status === 'expired')
    throw new Exit(
      exitCodes.error,
      `${batch.id} ran out of time; what it had done is kept.`,
      `Run the rest: sluice batch retry ${batch.id}`,
    );
  if (failOnError && completed < total)
    throw new Exit(
      exitCodes.failures,
      `${count(total - completed)} requests did not succeed.`,
      `Run them again: sluice batch retry ${batch.id}`,
    );
};
