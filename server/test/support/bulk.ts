import type OpenAI from 'openai';
import { untilEvent } from './follow.ts';
import { call, chatLine, createBatch, untilEnded } from './requests.ts';
import type { Sluice } from './sluice.ts';

type Dict = Record<string, unknown>;

export interface Operation {
  id: string;
  status: string;
  counts: { matched: number; eligible: number; done: number; skipped: number; failed: number };
}

export const bulk = (client: OpenAI, body: Dict, headers: Record<string, string> = {}) => call(client, 'POST', '/v1/bulk', body, headers);

export const preview = async (client: OpenAI, body: Dict) => (await call(client, 'POST', '/v1/bulk/preview', body)).body;

export const operation = async (client: OpenAI, id: string): Promise<Operation> =>
  (await call(client, 'GET', `/v1/bulk/${id}`)).body as unknown as Operation;

/** What an operation left alone, as `[id, reason]`. */
export const itemsOf = async (client: OpenAI, id: string) =>
  ((await call(client, 'GET', `/v1/bulk/${id}/items?limit=100`)).body['data'] as Dict[]).map((item) => [item['id'], item['reason']]);

/** Waits until a slice of the operation leaves it as `wanted` says. */
export const untilSlice = (sluice: Sluice, client: OpenAI, id: string, wanted: (operation: Operation) => boolean): Promise<Operation> =>
  new Promise((resolve, reject) => {
    const look = (): void => {
      operation(client, id).then((found) => {
        if (!wanted(found)) return;
        sluice.scheduler.off('bulk', look);
        resolve(found);
      }, reject);
    };
    sluice.scheduler.on('bulk', look);
    look();
  });

/** Creates an operation and waits for its end. */
export const runBulk = async (sluice: Sluice, client: OpenAI, body: Dict): Promise<Operation> => {
  const reply = await bulk(client, body);
  if (reply.status !== 200) throw new Error(JSON.stringify(reply.body));
  return untilSlice(sluice, client, reply.body['id'] as string, ({ status }) => ['completed', 'stopped', 'failed'].includes(status));
};

/** Batches that have begun and, where no worker is there, stay so. */
export const openBatches = async (client: OpenAI, count: number, options: Dict = {}): Promise<string[]> => {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    const { id } = await createBatch(client, [chatLine('a'), chatLine('b')], options);
    await untilEvent(client, id, 'batch.in_progress');
    ids.push(id);
  }
  return ids;
};

/** An ended batch: a success, and then so many dead letters. */
export const deadBatch = async (client: OpenAI, dead: number, options: Dict = {}): Promise<string> => {
  const lines = [chatLine('fine'), ...Array.from({ length: dead }, (_, i) => chatLine(`dead-${i + 1}`, { echo: { status: 503 } }))];
  return (await untilEnded(client, (await createBatch(client, lines, options)).id)).id;
};
