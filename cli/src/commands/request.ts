import type { Batch, RequestDetails, RequestSummary } from '@sluice/contract';
import type { Context } from '../context.ts';
import { printFields, printJson, printTable, when, type Columns } from '../output.ts';

const columns: Columns<RequestSummary> = {
  line: (request) => request.line,
  id: (request) => request.id,
  'custom id': (request) => request.custom_id,
  state: (request) => request.state,
  attempts: (request) => request.attempts,
  ms: (request) => request.duration_ms,
  error: (request) => request.error && `${request.error.code}: ${request.error.message}`,
};

export interface ListOptions {
  state?: string;
  line?: number;
  limit: number;
}

export const list = async ({ client, terminal, fields }: Context, batch: string, { limit, ...filter }: ListOptions): Promise<void> => {
  const requests: RequestSummary[] = [];
  for await (const request of client.list<RequestSummary>(`/v1/batches/${batch}/requests`, { ...filter, limit: Math.min(limit, 100) })) {
    requests.push(request);
    if (requests.length >= limit) break;
  }
  if (fields) printJson(terminal, requests, fields);
  else printTable(terminal, requests, columns);
};

export const get = async ({ client, terminal, fields }: Context, id: string): Promise<void> => {
  const request = await client.get<RequestDetails>(`/v1/requests/${id}`);
  if (fields) return printJson(terminal, request, fields);
  printFields(terminal, {
    id: request.id,
    'custom id': request.custom_id,
    batch: `${request.batch_id}, line ${request.line}`,
    state: request.state,
    model: request.model,
    worker: request.worker,
    attempts: request.attempts,
    started: when(request.started_at),
    finished: when(request.finished_at),
    ms: request.duration_ms,
    error: request.error && `${request.error.code}: ${request.error.message}`,
    'continued by': request.continued_by,
    input: request.input === null ? null : JSON.stringify(request.input),
    output: request.output === null ? null : JSON.stringify(request.output),
  });
  for (const attempt of request.history)
    terminal.out.write(`attempt ${attempt.number}\t${attempt.kind}\t${attempt.code}\t${attempt.message}\n`);
};

export const retry = async ({ client, terminal, fields }: Context, id: string): Promise<void> => {
  const made = await client.post<Batch>(`/v1/requests/${id}/retry`, {});
  if (fields) printJson(terminal, made, fields);
  else printFields(terminal, { id: made.id, status: made.status, continues: made.continues });
};
