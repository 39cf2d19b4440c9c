import {
  requestStates,
  type ListPortalRequests,
  type PortalBody,
  type PortalRequest,
  type PortalRequestPage,
  type RequestState,
} from '@sluice/contract';
import type { Identity } from '../auth/identity.ts';
import { getBatch } from '../batches/read.ts';
import type { BatchRow } from '../batches/rows.ts';
import type { Db } from '../db/db.ts';
import { readEntries } from '../formats/line-index.ts';
import { ApiError } from '../lib/errors.ts';
import { findId, findLines } from '../requests/find.ts';
import { describeRequests, type Viewed } from '../requests/view.ts';
import { NotFound, type Storage } from '../storage/storage.ts';

interface Deps {
  db: Db;
  storage: Storage;
}

const statesOf = (text: string | undefined): RequestState[] | undefined => {
  if (text === undefined) return undefined;
  const asked = text.split(',');
  const unknown = asked.find((state) => !(requestStates as readonly string[]).includes(state));
  if (unknown === undefined) return asked as RequestState[];
  throw new ApiError(
    'invalid_value',
    `Invalid value: '${unknown}'. Supported values are: ${requestStates.map((s) => `'${s}'`).join(', ')}.`,
    {
      param: 'state',
    },
  );
};

/** Characters of a message that a row shows. */
const shownMessage = 160;

const toRow = (viewed: Viewed): PortalRequest => ({
  id: viewed.id,
  line: viewed.line,
  custom_id: viewed.custom_id,
  state: viewed.state,
  model: viewed.model,
  attempts: viewed.attempts,
  duration_ms: viewed.duration_ms,
  status_code: viewed.status_code,
  error: viewed.error?.code ?? null,
  message: viewed.error?.message.slice(0, shownMessage).toWellFormed() ?? null,
  finished_at: viewed.finished_at,
  pool: viewed.pool,
  worker: viewed.worker,
  escalated: viewed.escalated_at !== null,
  original: viewed.dedup?.original ?? null,
  continued_by: viewed.continued_by,
  output_bytes: viewed.result === null ? null : viewed.result.end - viewed.result.start,
});

/** A window of a batch's requests, by line: any of a million is as near as the first. */
export const requestPage = async (deps: Deps, identity: Identity, id: string, query: ListPortalRequests): Promise<PortalRequestPage> => {
  const batch = await getBatch(deps.db, identity, id);
  const { from_line: from = 1, limit = 200, state, code, cause, custom_id } = query;
  const states = statesOf(state);
  if (!batch.sealed) return { object: 'list', total: batch.total, data: [], next_line: null };
  const lines =
    custom_id === undefined
      ? await findLines(deps.db, batch, { states, code, cause, from, limit: limit + 1 })
      : (await findId(deps.storage, batch, custom_id)).filter((line) => line >= from);
  const found = await describeRequests(deps, batch, lines.slice(0, limit));
  // Between the two looks one may have moved on: it is shown as it is, where that is what was asked for.
  const data = found.map(toRow).filter((row) => states === undefined || custom_id === undefined || states.includes(row.state));
  return { object: 'list', total: batch.total, data, next_line: lines[limit] ?? null };
};

/** Cuts what would be half a character. */
const textOf = (bytes: Buffer, truncated: boolean): string => {
  const text = bytes.toString('utf8');
  return truncated ? text.replace(/\uFFFD+$/, '') : text;
};

const inputPlace = async (storage: Storage, batch: BatchRow, line: number) => {
  if (batch.input_key === null || batch.index_key === null) return null;
  const [entry] = await readEntries(storage, batch.index_key, line, line + 1);
  return { key: batch.input_key, start: entry!.offset, end: entry!.offset + entry!.length };
};

/** What was sent, or what came back, as it lies in its file; at most so many bytes of it. */
export const requestBody = async (
  deps: Deps,
  identity: Identity,
  { id, line }: { id: string; line: number },
  { part, max }: { part: 'input' | 'output'; max: number },
): Promise<PortalBody> => {
  const batch = await getBatch(deps.db, identity, id);
  if (!batch.sealed || line > batch.total)
    throw new ApiError('not_found', `The batch ${id} has no line ${line}${batch.sealed ? `; it has ${batch.total}` : ' yet'}.`, {
      param: 'line',
    });
  try {
    const place = part === 'input' ? await inputPlace(deps.storage, batch, line) : (await describeRequests(deps, batch, [line]))[0]!.result;
    if (place === null) return { object: 'portal.body', part, bytes: null, truncated: false, text: null };
    const bytes = place.end - place.start;
    const truncated = bytes > max;
    const read = await deps.storage.read(place.key, { start: place.start, end: Math.min(place.end, place.start + max) });
    return { object: 'portal.body', part, bytes, truncated, text: textOf(read, truncated) };
  } catch (error) {
    if (error instanceof NotFound) return { object: 'portal.body', part, bytes: null, truncated: false, text: null };
    throw error;
  }
};
