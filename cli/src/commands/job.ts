import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import type { Job } from '@sluice/contract';
import type { Context } from '../context.ts';
import { Exit, exitCodes } from '../exit.ts';
import { printFields, printJson, printTable, say, when, type Columns } from '../output.ts';
import { bodyOf } from '../settings.ts';

const columns: Columns<Job> = {
  id: (job) => job.id,
  status: (job) => job.status,
  model: (job) => job.model,
  user: (job) => job.user,
  attempts: (job) => job.attempts,
  created: (job) => when(job.created_at),
  ms: (job) => job.inference_time_ms,
  error: (job) => job.error && `${job.error.code}: ${job.error.message}`,
};

const show = ({ terminal, fields }: Context, job: Job): void => {
  if (fields) return printJson(terminal, job, fields);
  printFields(terminal, {
    id: job.id,
    status: job.cancel_requested && job.ended_at === null ? `${job.status}, being cancelled` : job.status,
    model: job.model,
    endpoint: job.endpoint,
    attempts: job.attempts,
    worker: job.worker,
    created: when(job.created_at),
    started: when(job.started_at),
    ended: when(job.ended_at),
    'next attempt': when(job.next_attempt_at),
    'queued ms': job.queue_time_ms,
    'inference ms': job.inference_time_ms,
    'retry of': job.retry_of,
    error: job.error && `${job.error.code}: ${job.error.message}`,
    traceback: job.error?.traceback,
  });
  for (const attempt of job.history)
    terminal.out.write(`attempt ${attempt.number}\t${attempt.kind}\t${attempt.code}\t${attempt.message}\n`);
};

/** JSON as it was given, in a file (`@path`), or on standard input (`-`): what it says, and its text. */
const inputOf = async (given: string): Promise<{ value: unknown; written: string }> => {
  const written = given === '-' ? await text(process.stdin) : given.startsWith('@') ? await readFile(given.slice(1), 'utf8') : given;
  try {
    return { value: JSON.parse(written) as unknown, written };
  } catch (error) {
    throw new Exit(
      exitCodes.error,
      `--input: no JSON: ${error instanceof Error ? error.message : String(error)}`,
      `Write --input '{"smiles": "CCO"}', or --input @file.json.`,
    );
  }
};

/** Fields by which an endpoint's body is known; anything else is the inputs of a prediction. */
const isBody = (input: unknown): boolean =>
  typeof input === 'object' && input !== null && ['messages', 'prompt', 'input', 'inputs'].some((field) => Object.hasOwn(input, field));

export interface RunOptions {
  model: string;
  input: string;
  endpoint?: string;
  priority?: string;
  timeout?: number;
  wait?: boolean;
}

/** How long one call waits; the next goes on waiting. */
const heldSeconds = 60;

const over = (job: Job): boolean => job.ended_at !== null;

/** Submits one request; with `--wait` prints its answer once it has one. */
export const run = async (context: Context, { model, input, endpoint, priority, timeout, wait = false }: RunOptions): Promise<void> => {
  const { client, terminal, fields, quiet } = context;
  const { value, written } = await inputOf(input);
  const settings = bodyOf({ ...(endpoint !== undefined && { endpoint }), ...(priority !== undefined && { priority }) });
  const asked = JSON.stringify({ model, ...settings, ...(timeout !== undefined && { timeout_ms: timeout * 1_000 }) });
  // The input's own text: parsed and written again, long numbers would be others.
  const body = isBody(value) ? written : `{"inputs":${written}}`;
  const reply = await client.call('POST', '/v1/jobs', {
    raw: `${asked.slice(0, -1)},"body":${body}}`,
    headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
  });
  const job = (await reply.json()) as Job;
  if (!wait) return show(context, job);
  if (!quiet) say(terminal, `${job.id} submitted`);
  let now = job;
  while (!over(now)) {
    const held = await client.call('GET', `/v1/jobs/${job.id}/result`, { query: { wait: heldSeconds }, repeat: false }).catch(() => null);
    await held?.body?.cancel();
    now = await client.get<Job>(`/v1/jobs/${job.id}`);
  }
  if (now.status !== 'completed') {
    if (fields) printJson(terminal, now, fields);
    const said = now.error === null ? now.status : `${now.status}: ${now.error.code}: ${now.error.message}`;
    throw new Exit(now.status === 'cancelled' ? exitCodes.cancelled : exitCodes.error, `${job.id} ${said}`);
  }
  if (fields) return printJson(terminal, now, fields);
  // As it came: a number that a double would round is somebody's id.
  terminal.out.write(`${await (await client.call('GET', `/v1/jobs/${job.id}/result`)).text()}\n`);
};

export const get = async (context: Context, id: string): Promise<void> => show(context, await context.client.get<Job>(`/v1/jobs/${id}`));

export const cancel = async (context: Context, id: string): Promise<void> =>
  show(context, await context.client.post<Job>(`/v1/jobs/${id}/cancel`, {}));

export interface ListOptions {
  status?: string;
  model?: string;
  user?: string;
  limit: number;
}

export const list = async ({ client, terminal, fields }: Context, { limit, ...filter }: ListOptions): Promise<void> => {
  const jobs: Job[] = [];
  for await (const job of client.list<Job>('/v1/jobs', { ...filter, limit: Math.min(limit, 100) })) {
    jobs.push(job);
    if (jobs.length >= limit) break;
  }
  if (fields) printJson(terminal, jobs, fields);
  else printTable(terminal, jobs, columns);
};
