import type { ServerEvent } from '@sluice/contract/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { follow, untilSettled } from '../support/follow.ts';
import { call, chatLine, createBatch, untilEnded } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

let sluice: Sluice;
beforeAll(async () => {
  sluice = await startSluice({
    keys: [
      { key: 'test-key', tenant: 'default', user: 'admin' },
      { key: 'other', tenant: 'other', user: 'o' },
    ],
  });
});
afterAll(async () => {
  for (const worker of sluice.workers) worker.abort();
  await sluice[Symbol.asyncDispose]();
});

const collect = async (stream: AsyncIterable<ServerEvent>): Promise<ServerEvent[]> => {
  const all: ServerEvent[] = [];
  for await (const event of stream) all.push(event);
  return all;
};
/** Without what is told of on the way. */
const types = (events: ServerEvent[]) =>
  events.map(({ event }) => event).filter((event) => !['batch.progress', 'batch.milestone'].includes(event));

test('a batch’s events come as they happen and end with it', async () => {
  const { client } = sluice;
  const { id } = await createBatch(client, [chatLine(1), chatLine(2, { echo: { delay_ms: 700 } }), chatLine(3, { echo: { status: 400 } })]);
  const events = await collect(follow(client, `/v1/batches/${id}/events`));
  expect(types(events)).toEqual(['batch.created', 'batch.in_progress', 'batch.finalizing', 'batch.completed']);
  const numbered = events.filter(({ id }) => id !== null);
  expect(numbered.map(({ id }) => id)).toEqual(Array.from({ length: 10 }, (_, i) => String(i + 1)));
  for (const [i, { event, data }] of numbered.entries())
    expect(data).toMatchObject({
      id: expect.stringMatching(/^evt_\d+$/) as string,
      object: 'event',
      number: i + 1,
      type: event,
      created_at: expect.any(Number) as number,
      data: { id },
    });
  const progress = events.filter(({ event }) => event === 'batch.progress').map(({ data }) => data as Record<string, number>);
  expect(progress.length).toBeGreaterThan(0);
  for (const [i, each] of progress.entries()) {
    expect(each).toMatchObject({ id, total: 3 });
    // Figures never go back.
    const settled = ({ completed, failed }: Record<string, number>) => completed! + failed!;
    if (i > 0) expect(settled(each)).toBeGreaterThanOrEqual(settled(progress[i - 1]!));
  }
  expect(numbered.at(-1)!.data).toMatchObject({ data: { id, total: 3, completed: 2, failed: 1, cancelled: 0, expired: 0 } });
});

test('a reader that comes back misses nothing and gets nothing twice', async () => {
  const { client } = sluice;
  const { id } = await createBatch(client, [chatLine(1)]);
  await untilEnded(client, id);
  const path = `/v1/batches/${id}/events`;
  expect(types(await collect(follow(client, path, { lastId: '2' })))).toEqual(['batch.finalizing', 'batch.completed']);
  expect((await collect(follow(client, `${path}?after=9`))).map(({ event }) => event)).toEqual(['batch.completed']);
  expect((await collect(follow(client, `${path}?after=0`, { lastId: '9' }))).map(({ event }) => event)).toEqual(['batch.completed']);
  // Browsers reconnect for ever, unless they are told that there is nothing more.
  for (const lastId of ['10', '999999999999999'])
    expect((await call(client, 'GET', path, undefined, { 'last-event-id': lastId })).status).toBe(204);
  expect((await call(client, 'GET', path, undefined, { 'last-event-id': 'x' })).status).toBe(400);
  expect((await call(client, 'GET', `${path}?after=-1`)).status).toBe(400);
});

test('a reader that left while the batch ran comes back to the rest', async () => {
  const { client } = sluice;
  const { id } = await createBatch(client, [chatLine(1), chatLine(2, { echo: { delay_ms: 600_000 } })]);
  await untilSettled(client, id, 1);
  const far = new AbortController();
  const waiting = collect(follow(client, `/v1/batches/${id}/events`, { lastId: '99999999999', signal: far.signal })).catch(() => 'left');
  const rest = collect(follow(client, `/v1/batches/${id}/events`, { lastId: '2' }));
  await call(client, 'POST', `/v1/batches/${id}/cancel`, { mode: 'abort' });
  expect(types(await rest)).toEqual(['batch.cancelling', 'batch.cancelled']);
  far.abort();
  await waiting;
});

test('a failed batch says so', async () => {
  const { client } = sluice;
  const { id } = await createBatch(client, [chatLine(1, { model: 'nobody' })]);
  const events = await collect(follow(client, `/v1/batches/${id}/events`));
  expect(types(events)).toEqual(['batch.created', 'batch.failed']);
  expect(events.at(-1)!.data).toMatchObject({ data: { errors: 1 } });
});

test('all of a tenant’s events, and no other’s, from any number on', async () => {
  const other = sluice.clientFor('other');
  const theirs = await createBatch(other, [chatLine(1)]);
  const ours = await createBatch(sluice.client, [chatLine(1)]);
  await Promise.all([untilEnded(other, theirs.id), untilEnded(sluice.client, ours.id)]);
  const read = async (lastId?: string) => {
    const done = new AbortController();
    const all: ServerEvent[] = [];
    for await (const event of follow(other, '/v1/events', { signal: done.signal, ...(lastId !== undefined && { lastId }) })) {
      all.push(event);
      if (event.event === 'batch.completed') break;
    }
    done.abort();
    return all;
  };
  const events = await read();
  expect(types(events)).toEqual(['batch.created', 'batch.in_progress', 'batch.finalizing', 'batch.completed']);
  expect(new Set(events.map(({ data }) => (data as { data: { id: string } }).data.id))).toEqual(new Set([theirs.id]));
  const numbered = events.filter(({ id }) => id !== null);
  const [, second] = numbered;
  expect(second!.event).toBe('batch.in_progress');
  expect(types(await read(second!.id!))).toEqual(['batch.finalizing', 'batch.completed']);
  // As readers of before kept it.
  expect(types(await read(String((second!.data as { number: number }).number)))).toEqual(['batch.finalizing', 'batch.completed']);
  for (const lastId of ['x', '1-', '-1', '1-2-3'])
    expect((await call(other, 'GET', '/v1/events', undefined, { 'last-event-id': lastId })).status).toBe(400);
});

test('from now on, with live counts between the events', async () => {
  const { client } = sluice;
  const before = await createBatch(client, [chatLine(1)]);
  await untilEnded(client, before.id);
  const done = new AbortController();
  const stream = follow(client, '/v1/events?after=latest&progress=true', { signal: done.signal });
  const first = stream.next();
  const lines = Array.from({ length: 40 }, (_, i) => chatLine(i, { echo: { delay_ms: i < 20 ? 1 : 60_000 } }));
  const { id } = await createBatch(client, lines);
  const heard = [(await first).value as ServerEvent];
  for await (const event of stream) {
    heard.push(event);
    if (event.event === 'batch.progress' && (event.data as { completed: number }).completed >= 20) break;
  }
  done.abort();
  const about = ({ data }: ServerEvent): string => (data as { data?: { id: string } }).data?.id ?? (data as { id: string }).id;
  expect(new Set(heard.map(about).filter((each) => each !== before.id))).toEqual(new Set([id]));
  // Of what was before, the end at most: while an older transaction is open anywhere in the cluster, it counts as still to come.
  expect(heard.filter((event) => about(event) === before.id && event.event !== 'batch.completed')).toEqual([]);
  expect(heard.at(-1)!.data).toMatchObject({ id, total: 40 });
  await client.batches.cancel(id, { body: { mode: 'abort' } });
  await untilEnded(client, id);
});
