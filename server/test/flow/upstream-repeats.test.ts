import { afterAll, beforeAll, expect, test } from 'vitest';
import { sql } from '../../src/db/sql.ts';
import { startUpstream, type Upstream } from '../../src/executors/openai/upstream.ts';
import { eachLine, parseLines } from '../../src/formats/lines.ts';
import { createBatch, linesIn, untilEnded } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

let upstream: Upstream;
let sluice: Sluice;
beforeAll(async () => {
  upstream = await startUpstream();
  sluice = await startSluice({
    models: [{ name: 'llm', version: '1.0.0', executor: 'openai', options: { base_url: upstream.url, max_concurrency: 1 } }],
  });
});
afterAll(async () => {
  await sluice[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const roles = ['a physicist', 'a chemist', 'a cook', 'a clerk'].map((role) => `You are ${role}. ${'Answer in one word. '.repeat(40)}`);
const ask = (id: number, role: number, question: string) => ({
  custom_id: `r${id}`,
  method: 'POST',
  url: '/v1/chat/completions',
  body: {
    model: 'llm',
    messages: [
      { role: 'system', content: roles[role]! },
      { role: 'user', content: question },
    ],
  },
});

const asked = (): string[] => upstream.calls.map(({ body }) => (body['messages'] as { content: string }[])[0]!.content);

test('prompts with a common beginning are in one chunk, and answered in the order of the file', async () => {
  const lines = Array.from({ length: 160 }, (_, i) => ask(i, i % 4, `What is ${i}?`));
  const { id } = await createBatch(sluice.client, lines);
  const ended = await untilEnded(sluice.client, id);
  expect(ended).toMatchObject({ status: 'completed', request_counts: { total: 160, completed: 160 } });
  expect((await linesIn(sluice.client, ended.output_file_id)).map((line) => line['custom_id'])).toEqual(
    lines.map((line) => line.custom_id),
  );
  const parts = await sluice.db.many<{ chunk_id: number; lines: string }>(sql`select chunk_id, lines::text from segments`);
  expect(new Set(parts.map(({ chunk_id }) => chunk_id)).size).toBe(4);
  for (const part of parts) expect(new Set([...eachLine(parseLines(part.lines))].map((line) => line % 4)).size).toBe(1);
  upstream.calls.length = 0;
  const inOrder = await createBatch(sluice.client, lines.slice(0, 12), { strategy: 'sequential', dedup: 'off' });
  await untilEnded(sluice.client, inOrder.id);
  expect(asked()).toEqual(lines.slice(0, 12).map(({ body }) => body.messages[0]!.content));
});

test('an upstream is asked once what many lines ask, however far apart, and not again by the next batch', async () => {
  upstream.calls.length = 0;
  const lines = Array.from({ length: 300 }, (_, i) => ask(i, 0, `Which is ${i % 100}, really?`));
  const run = async () => untilEnded(sluice.client, (await createBatch(sluice.client, lines)).id);
  expect(await run()).toMatchObject({ request_counts: { completed: 300 }, dedup_counts: { batch: 200, cache: 0, semantic: 0 } });
  expect(upstream.calls).toHaveLength(100);
  const again = await run();
  expect(again).toMatchObject({ request_counts: { completed: 300 }, dedup_counts: { batch: 0, cache: 300 } });
  expect(again).toMatchObject({ usage: { input_tokens: 0, output_tokens: 0 } });
  expect(upstream.calls).toHaveLength(100);
});
