import type { RequestDetails, RequestSummary } from '@sluice/contract';
import type { Db } from '../db/db.ts';
import { requestId } from '../lib/ids.ts';
import { describeRequests, type Viewed } from '../requests/view.ts';
import type { Storage } from '../storage/storage.ts';
import { childrenOf } from './children.ts';
import { rowOrder, rowState } from './parents.ts';
import { labelsOf } from './pinned.ts';
import type { BatchRow } from './rows.ts';

interface Deps {
  db: Db;
  storage: Storage;
}

/** A line of a parent, with the request that each model has of it. */
export interface ViewedRow {
  summary: RequestSummary;
  requests: { label: string; request: Viewed }[];
}

const least = (values: (number | null)[]): number | null => {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.min(...known);
};

const most = (values: (number | null)[]): number | null =>
  values.includes(null) || values.length === 0 ? null : Math.max(...(values as number[]));

/** The worst of the requests stands for the line: its words, with the model they are of. */
const summaryOf = (parent: BatchRow, line: number, requests: ViewedRow['requests']): RequestSummary => {
  const all = requests.map(({ request }) => request);
  const state = rowState(all.map((request) => request.state));
  const ended = rowOrder.indexOf(state) > rowOrder.indexOf('queued');
  const startedAt = least(all.map((request) => request.started_at));
  const finishedAt = ended ? most(all.map((request) => request.finished_at)) : null;
  const worst = requests.find(({ request }) => request.state === state && request.error !== null);
  return {
    id: requestId(parent.id, line),
    object: 'batch.request',
    batch_id: parent.id,
    line,
    custom_id: all[0]?.custom_id ?? null,
    model: null,
    state,
    attempts: all.reduce((sum, request) => sum + request.attempts, 0),
    worker: null,
    pool: null,
    escalated_at: null,
    started_at: startedAt,
    finished_at: finishedAt,
    duration_ms: startedAt !== null && finishedAt !== null ? Math.max(0, Math.round((finishedAt - startedAt) * 1_000)) : null,
    status_code: null,
    error: worst?.request.error ? { ...worst.request.error, message: `${worst.label}: ${worst.request.error.message}` } : null,
    dedup: null,
    continued_by: null,
  };
};

/** Lines of a parent, in ascending order. */
export const describeRows = async (deps: Deps, parent: BatchRow, numbers: readonly number[]): Promise<ViewedRow[]> => {
  const children = await childrenOf(deps.db, [parent.no]);
  const labels = labelsOf(children.map(({ options }) => options.model!));
  const views = await Promise.all(children.map((child) => describeRequests(deps, child, numbers)));
  return numbers.map((line, i) => {
    const requests = children.map((child, k) => ({ label: labels.get(child.options.model!)!, request: views[k]![i]! }));
    return { summary: summaryOf(parent, line, requests), requests };
  });
};

/** What each model has answered, as it stands in the parent's files; null while none has. */
export const rowOutput = async (storage: Storage, { summary, requests }: ViewedRow): Promise<RequestDetails['output']> => {
  const models: Record<string, { response: unknown; error: unknown }> = {};
  for (const { label, request } of requests) {
    if (request.result !== null) {
      const { response, error } = JSON.parse(
        (await storage.read(request.result.key, request.result)).toString('utf8'),
      ) as (typeof models)[string];
      models[label] = { response, error };
    } else if (request.error !== null) models[label] = { response: null, error: request.error };
  }
  if (Object.keys(models).length === 0) return null;
  const body = { object: 'batch.row', models };
  return {
    id: summary.id,
    custom_id: summary.custom_id,
    response: { status_code: summary.state === 'completed' ? 200 : 207, request_id: `req_${summary.id.slice(10)}`, body },
    error: summary.error,
  };
};
