import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { Batch, DryRun, FileObject } from '@sluice/contract';
import { type Client, Refused } from '@sluice/contract/client';
import { upload } from '../upload.ts';
import { must, type Check, type Site } from './check.ts';

const stamp = 'sluice-verify';
const ended = new Set(['completed', 'failed', 'expired', 'cancelled']);
const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

const send = async (site: Site, name: string, content: string): Promise<FileObject> => {
  const bytes = Buffer.from(content);
  const source = {
    name,
    bytes: bytes.length,
    async *open() {
      yield bytes;
    },
  };
  const file = await upload(site.client, source, { purpose: 'batch', signal: AbortSignal.timeout(site.patienceMs) });
  site.made.files.push(file.id);
  return file;
};

const line = (id: string, body: object): string =>
  `${JSON.stringify({ custom_id: id, method: 'POST', url: '/v1/predict', body: { model: 'echo', ...body } })}\n`;

const create = async (site: Site, content: string): Promise<{ batch: Batch; again: () => Promise<Batch> }> => {
  const { id } = await send(site, `${stamp}.jsonl`, content);
  const body = { input_file_id: id, endpoint: '/v1/predict', completion_window: '1h', name: stamp };
  const headers = { 'idempotency-key': randomUUID() };
  const again = () => site.client.post<Batch>('/v1/batches', body, { headers });
  const batch = await again();
  site.made.batches.push(batch.id);
  return { batch, again };
};

const untilEnd = async (client: Client, id: string, patienceMs: number): Promise<Batch> => {
  const deadline = performance.now() + patienceMs;
  for (let ms = 50; ; ms = Math.min(1000, ms * 1.3)) {
    const batch = await client.get<Batch>(`/v1/batches/${id}`);
    if (ended.has(batch.status)) return batch;
    must(performance.now() < deadline, `${id} is still ${batch.status} after ${Math.round(patienceMs / 1000)} s`);
    await new Promise((resolve) => setTimeout(resolve, ms));
  }
};

const stuck = 'See that a scheduler and a worker run: sluice workers list, and their logs.';
const lines = 20;

/** The deployment at work: files, a batch from end to end, a cancellation. They leave nothing behind. */
export const workChecks = (): Check[] => {
  let done: Batch | null = null;
  return [
    {
      name: 'file round trip',
      hint: 'See that the storage is there, has room and can be written by the API; proxies must let bodies pass.',
      async run(site) {
        const content = `${JSON.stringify({ bytes: randomBytes(150_000).toString('base64') })}\n`;
        const file = await send(site, `${stamp}-bytes.jsonl`, content);
        must(file.bytes === content.length, `${content.length} bytes went out, ${file.bytes} arrived`);
        must(file.sha256 === sha256(content), 'what arrived is not what was sent');
        const back = Buffer.from(await (await site.client.call('GET', `/v1/files/${file.id}/content`)).arrayBuffer());
        must(sha256(back) === file.sha256, 'what came back is not what was sent');
        return `${content.length} bytes, sha256 ${file.sha256.slice(0, 12)}…`;
      },
    },
    {
      name: 'part of a file',
      hint: 'Downloads that broke off cannot go on: proxies must let Range pass.',
      async run({ ask, made }) {
        const { status, text, headers } = await ask('GET', `/v1/files/${made.files.at(-1)}/content`, { headers: { range: 'bytes=10-19' } });
        must(status === 206, `${status} instead of 206`);
        must(text.length === 10, `${text.length} bytes instead of 10`);
        return headers.get('content-range') ?? '206';
      },
    },
    {
      name: 'file deleted',
      hint: 'Files that cannot be deleted fill the storage: see the log of the API.',
      async run({ client, ask, made }) {
        const id = made.files.pop()!;
        await client.delete(`/v1/files/${id}`);
        const { status } = await ask('GET', `/v1/files/${id}`);
        must(status === 404, `${status} after it was deleted`);
        return 'gone';
      },
    },
    {
      name: 'predict at once',
      hint: 'See the log of the API.',
      async run({ ask }) {
        const { status, json, text, ms } = await ask('POST', '/v1/predict', { body: { model: 'echo', inputs: { x: 1 } } });
        must(status === 200, `${status}: ${text.slice(0, 120)}`);
        must(JSON.stringify((json as { outputs?: unknown }).outputs) === '{"x":1}', 'echo did not answer with what it was sent');
        return `${ms.toFixed(1)} ms`;
      },
    },
    {
      name: 'wrong lines found',
      hint: 'Validation does not work as it should: see which version runs.',
      async run(site) {
        const { id } = await send(site, `${stamp}-wrong.jsonl`, `${line('a', { inputs: 1 })}${line('a', { inputs: 2 })}{"custom_id":\n`);
        const body = { input_file_id: id, endpoint: '/v1/predict', completion_window: '1h' };
        const found = await site.client.post<DryRun>('/v1/batches', body, { query: { dry_run: true } });
        const codes = JSON.stringify(found);
        for (const code of ['duplicate_custom_id', 'invalid_json_line']) must(codes.includes(code), `${code} was not found`);
        return '2 of 2';
      },
    },
    {
      name: 'batch end to end',
      hint: stuck,
      async run(site) {
        const { client, patienceMs } = site;
        const content = Array.from({ length: lines }, (_, i) => line(`line-${i}`, { inputs: { i } })).join('');
        const { batch, again } = await create(site, content);
        const { id: second } = await again();
        if (second !== batch.id) site.made.batches.push(second);
        must(second === batch.id, 'the same Idempotency-Key made a second batch');
        done = await untilEnd(client, batch.id, patienceMs);
        must(done.status === 'completed', `it is ${done.status}: ${done.errors?.data[0]?.message ?? ''}`);
        must(done.request_counts.completed === lines, `${done.request_counts.completed} of ${lines} succeeded`);
        const output = await (await client.call('GET', `/v1/files/${done.output_file_id}/content`)).text();
        const answers = output
          .trim()
          .split('\n')
          .map((text) => JSON.parse(text) as { custom_id: string; response: { body: { outputs: { i: number } } } });
        must(
          answers.length === lines &&
            answers.every(({ custom_id, response }, i) => custom_id === `line-${i}` && response.body.outputs.i === i),
          'the output is not what the input asked for',
        );
        return `${lines} of ${lines}`;
      },
    },
    {
      name: 'events',
      hint: 'The portal and `watch --json` live on them: proxies must not hold back text/event-stream.',
      async run({ client, patienceMs }) {
        must(done, 'not looked at: there is no finished batch');
        const seen: string[] = [];
        for await (const { event } of client.events(`/v1/batches/${done.id}/events`, { signal: AbortSignal.timeout(patienceMs) })) {
          seen.push(event);
          if (event === 'batch.completed') break;
        }
        must(seen[0] === 'batch.created', `the first is '${seen[0]}' instead of batch.created`);
        must(seen.at(-1) === 'batch.completed', 'batch.completed is missing');
        return `${seen.length} events`;
      },
    },
    {
      name: 'cancel',
      hint: stuck,
      async run(site) {
        const slow = { inputs: 1, sluice_echo: { delay_ms: 600_000 } };
        const { batch } = await create(site, line('slow-1', slow) + line('slow-2', slow));
        await site.client.post(`/v1/batches/${batch.id}/cancel`, { mode: 'abort' });
        const { status } = await untilEnd(site.client, batch.id, site.patienceMs);
        must(status === 'cancelled', `it is ${status}`);
        return 'cancelled';
      },
    },
  ];
};

/** It ended by itself before it could be cancelled. */
const unlessConflict = (error: unknown): void => {
  if (!(error instanceof Refused && error.status === 409)) throw error;
};

/** Removes what the checks made. Says what could not be. */
export const cleanUp = async ({ client, made, patienceMs }: Site): Promise<string[]> => {
  const left: string[] = [];
  const remove = async (id: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Refused && error.status === 404)) left.push(id);
    }
  };
  for (const id of made.batches)
    await remove(id, async () => {
      const { status } = await client.get<Batch>(`/v1/batches/${id}`);
      if (!ended.has(status)) {
        await client.post(`/v1/batches/${id}/cancel`, { mode: 'abort' }).catch(unlessConflict);
        await untilEnd(client, id, Math.min(10_000, patienceMs));
      }
      await client.delete(`/v1/batches/${id}`);
    });
  for (const id of made.files) await remove(id, () => client.delete(`/v1/files/${id}`));
  return left;
};
