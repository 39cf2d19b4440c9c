import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { silent } from '../../lib/log.ts';
import { echo } from '../../models/models.ts';
import { conformance } from '../conformance.ts';
import type { Executor, ExecutorContext, Json, JsonObject, Outcome, Task } from '../executor.ts';
import { openExecutor } from '../registry.ts';

const context: ExecutorContext = {
  log: silent,
  scratch: '/nonexistent',
  crash: () => {
    throw new Error('crashed, as asked');
  },
};

const task = (line: number, body: JsonObject, url = '/v1/chat/completions', attempt = 1): Task => ({
  line,
  customId: `r${line}`,
  url,
  body: { model: 'echo', ...body },
  attempt,
});

const say = (line: number, text: string, script?: JsonObject): Task =>
  task(line, { messages: [{ role: 'user', content: text }], ...(script ? { sluice_echo: script } : {}) });

conformance('echo', {
  open: (most) => openExecutor({ ...echo, options: { max_concurrency: most } }, context),
  quick: (line) => say(line, 'hello'),
  slow: (line, ms) => say(line, 'hello', { delay_ms: ms }),
  bad: (line) => say(line, 'hello', { status: 422 }),
});

const never = () => ({ stop: new AbortController().signal, abort: new AbortController().signal });
const opened: Executor = await openExecutor(echo, context);

const answer = async (asked: Task, executor = opened): Promise<Outcome> => {
  const all: Outcome[] = [];
  for await (const outcomes of executor.run([asked], never())) all.push(...outcomes);
  expect(all).toHaveLength(1);
  return all[0]!;
};

const reply = async (asked: Task): Promise<JsonObject> => {
  const outcome = await answer(asked);
  if (!outcome.ok) throw new Error(outcome.message);
  expect(outcome.body).not.toMatch(/[\r\n]/);
  return JSON.parse(outcome.body) as JsonObject;
};

describe('answers in the shape of the endpoint', async () => {
  const { default: AjvModule } = await import('ajv');
  const document: unknown = JSON.parse(readFileSync(new URL('../../../test/support/openai-schemas.json', import.meta.url), 'utf8'));
  const ajv = new AjvModule.default({ strict: false, validateFormats: false });
  ajv.addSchema(document as object, 'openai');
  const fits = (name: string, value: Json) => {
    const validate = ajv.compile({ $ref: `openai#/components/schemas/${name}` });
    expect(validate(value) || validate.errors).toBe(true);
  };

  test('a chat completion says what the user said last', async () => {
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'first' },
      { role: 'assistant', content: 'ok' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'line\n"two" ☃' },
          { type: 'image_url', image_url: { url: 'x' } },
        ],
      },
    ];
    const body = await reply(task(1, { messages }));
    fits('CreateChatCompletionResponse', body);
    expect(body).toMatchObject({ object: 'chat.completion', model: 'echo', choices: [{ message: { content: 'line\n"two" ☃' } }] });
    const outcome = await answer(task(1, { messages }));
    expect(outcome).toMatchObject({ ok: true, usage: { input_tokens: 7, output_tokens: 3, cached_tokens: 0, reasoning_tokens: 0 } });
  });

  test('a completion has a choice for each prompt', async () => {
    const body = await reply(task(1, { prompt: ['a', 'b'] }, '/v1/completions'));
    fits('CreateCompletionResponse', body);
    expect(body).toMatchObject({ object: 'text_completion', choices: [{ text: 'a' }, { text: 'b', index: 1 }] });
  });

  test('an embedding depends on its input alone, and has the dimensions asked for', async () => {
    const body = await reply(task(1, { input: ['a', 'b', 'a'] }, '/v1/embeddings'));
    fits('CreateEmbeddingResponse', body);
    const vectors = (body['data'] as { embedding: number[] }[]).map(({ embedding }) => embedding);
    expect(vectors.map((vector) => vector.length)).toEqual([8, 8, 8]);
    expect(vectors[0]).toEqual(vectors[2]);
    expect(vectors[0]).not.toEqual(vectors[1]);
    expect(Math.hypot(...vectors[0]!)).toBeCloseTo(1, 4);

    const coded = await reply(task(1, { input: 'a', dimensions: 3, encoding_format: 'base64' }, '/v1/embeddings'));
    const bytes = Buffer.from((coded['data'] as { embedding: string }[])[0]!.embedding, 'base64');
    expect(bytes.byteLength).toBe(12);
    const plain = await reply(task(1, { input: 'a', dimensions: 3 }, '/v1/embeddings'));
    (plain['data'] as { embedding: number[] }[])[0]!.embedding.forEach((value, i) =>
      expect(bytes.readFloatLE(4 * i)).toBeCloseTo(value, 5),
    );
    expect(await reply(task(1, { input: [1, 2, 3] }, '/v1/embeddings'))).toMatchObject({ usage: { prompt_tokens: 3 } });
  });

  test('a response, a moderation, an image and a video', async () => {
    expect(await reply(task(1, { input: 'hi' }, '/v1/responses'))).toMatchObject({
      object: 'response',
      status: 'completed',
      output: [{ type: 'message', content: [{ type: 'output_text', text: 'hi' }] }],
    });
    expect(await reply(task(1, { input: [{ role: 'user', content: 'yo' }] }, '/v1/responses'))).toMatchObject({
      output: [{ content: [{ text: 'yo' }] }],
    });
    const moderated = await reply(task(1, { input: ['a', 'b'] }, '/v1/moderations'));
    expect(moderated['results']).toHaveLength(2);
    fits('ModerationResultBody', { type: 'moderation_result', model: 'echo', ...(moderated['results'] as JsonObject[])[0]! });
    expect((await reply(task(1, { prompt: 'a cat', n: 2 }, '/v1/images/generations')))['data']).toHaveLength(2);
    expect(await reply(task(1, { prompt: 'a cat' }, '/v1/videos'))).toMatchObject({ object: 'video', status: 'completed' });
  });

  test('a prediction gives the inputs back', async () => {
    expect(await reply(task(1, { inputs: { smiles: 'CCO' } }, '/v1/predict'))).toEqual({
      id: expect.stringMatching(/^pred_/),
      object: 'prediction',
      model: 'echo',
      version: '1.0.0',
      outputs: { smiles: 'CCO' },
    });
  });

  test('an unknown endpoint gives the body back', async () => {
    expect(await reply(task(1, { a: 1 }, '/v1/elsewhere'))).toMatchObject({ object: 'echo', body: { a: 1 } });
  });
});

describe('obeys sluice_echo', () => {
  test('a status that is a failure is kept as a reply, and classed', async () => {
    for (const [status, kind] of [
      [400, 'permanent'],
      [404, 'permanent'],
      [408, 'retryable'],
      [409, 'retryable'],
      [429, 'retryable'],
      [500, 'retryable'],
      [503, 'retryable'],
    ] as const) {
      const outcome = await answer(say(1, 'x', { status }));
      expect(outcome).toMatchObject({ ok: false, kind, status });
      expect(JSON.parse(outcome.body!)).toEqual({
        error: { message: expect.any(String), type: expect.any(String), param: null, code: expect.any(String) },
      });
    }
    expect(await answer(say(1, 'x', { status: 201 }))).toMatchObject({ ok: true, status: 201 });
  });

  test('fail_times fails that many attempts, then succeeds', async () => {
    const at = (attempt: number, script: JsonObject) => answer({ ...say(1, 'x', script), attempt });
    expect(await at(1, { fail_times: 2 })).toMatchObject({ ok: false, kind: 'retryable', status: 500 });
    expect(await at(2, { fail_times: 2, status: 429 })).toMatchObject({ ok: false, kind: 'retryable', status: 429 });
    expect(await at(3, { fail_times: 2, status: 429 })).toMatchObject({ ok: true, status: 200 });
  });

  test('bytes makes the body that long', async () => {
    const outcome = await answer(say(1, 'ä', { bytes: 5000 }));
    expect(Buffer.byteLength(outcome.body!)).toBe(5000);
    expect(JSON.parse(outcome.body!)).toMatchObject({ object: 'chat.completion' });
    expect(await answer(say(1, 'x', { bytes: 10 }))).toMatchObject({ ok: true });
  });

  test('crash goes to whoever runs it, until fail_times is over', async () => {
    expect(await answer(say(1, 'x', { crash: true }))).toMatchObject({ ok: false, code: 'executor_error', message: 'crashed, as asked' });
    expect(await answer({ ...say(1, 'x', { crash: true, fail_times: 1 }), attempt: 2 })).toMatchObject({ ok: true });
  });

  test('a delay is in the outcome', async () => {
    const outcome = await answer(say(1, 'x', { delay_ms: 30 }));
    expect(outcome.ms).toBeGreaterThanOrEqual(29);
  });

  test.for([
    ['sluice_echo', 5],
    ['sluice_echo', [1]],
    ['sluice_echo.delay_ms', { delay_ms: '10' }],
    ['sluice_echo.delay_ms', { delay_ms: -1 }],
    ['sluice_echo.status', { status: 99 }],
    ['sluice_echo.fail_times', { fail_times: 1.5 }],
    ['sluice_echo.bytes', { bytes: 1e12 }],
    ['sluice_echo.crash', { crash: 'yes' }],
    ['sluice_echo.delay', { delay: 5 }],
  ] as [string, Json][])('a wrong %s is named: %j', async ([field, script]) => {
    const outcome = await answer(task(1, { sluice_echo: script }));
    expect(outcome).toMatchObject({ ok: false, kind: 'permanent', status: 400, code: 'invalid_request' });
    expect(JSON.parse(outcome.body!).error.message).toContain(`${field} `);
  });
});

test('answers more than 100,000 plain tasks a second of processor time', async () => {
  const tasks = Array.from({ length: 50_000 }, (_, index) => say(index + 1, 'x'.repeat(300)));
  const rates: number[] = [];
  for (let round = 0; round < 5; round++) {
    const began = process.cpuUsage();
    let count = 0;
    for await (const outcomes of opened.run(tasks, never())) count += outcomes.length;
    const { user, system } = process.cpuUsage(began);
    rates.push((1e6 * count) / (user + system));
  }
  expect(Math.max(...rates)).toBeGreaterThan(100_000);
});
