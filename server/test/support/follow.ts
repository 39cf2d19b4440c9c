import { Client, type ServerEvent } from '@sluice/contract/client';
import type OpenAI from 'openai';

/** A batch's events as they come, or all of the tenant's at `/v1/events`. */
export const follow = (
  client: OpenAI,
  path: string,
  options: { lastId?: string; signal?: AbortSignal } = {},
): AsyncGenerator<ServerEvent> => new Client({ url: client.baseURL, key: client.apiKey, fetch, retries: 0 }).events(path, options);

/** Waits for the first event that `wanted` says yes to; throws where the stream ends before. */
export const untilEvent = async (
  client: OpenAI,
  batch: string,
  wanted: string | ((event: ServerEvent) => boolean),
): Promise<ServerEvent> => {
  const test = typeof wanted === 'string' ? (event: ServerEvent) => event.event === wanted : wanted;
  const left = new AbortController();
  try {
    for await (const event of follow(client, `/v1/batches/${batch}/events`, { signal: left.signal })) if (test(event)) return event;
  } finally {
    left.abort();
  }
  throw new Error(`the events of ${batch} ended without it`);
};

export interface Counts {
  total: number;
  completed: number;
  failed: number;
}

/** Waits until a running batch has settled so many requests. */
export const untilSettled = (client: OpenAI, batch: string, count: number): Promise<ServerEvent> =>
  untilEvent(
    client,
    batch,
    ({ event, data }) => event === 'batch.progress' && (data as Counts).completed + (data as Counts).failed >= count,
  );
