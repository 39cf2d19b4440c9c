import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import OpenAI from 'openai';
import type { ModelAlias, WorkersHealth } from '@sluice/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeDatabase } from '../support/database.ts';
import { identity } from '../support/onnx-models.ts';
import { runProgram } from '../support/program.ts';
import { callsOf, formOf } from '../support/registry.ts';
import { createBatch, linesIn, untilEnded } from '../support/requests.ts';

/** A model server that says which name it was asked by. */
const upstream: Server = createServer((request, response) => {
  void text(request).then((body) => {
    const { model } = JSON.parse(body) as { model: string };
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({
        id: 'x',
        object: 'chat.completion',
        created: 1,
        model,
        choices: [{ index: 0, message: { role: 'assistant', content: model }, finish_reason: 'stop' }],
      }),
    );
  });
});

let folder: string;
let address: string;
beforeAll(async () => {
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  address = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/v1`;
  folder = await mkdtemp(join(tmpdir(), 'sluice-registry-'));
  await chmod(folder, 0o711);
  await writeFile(join(folder, 'sluice.yaml'), 'registry: { upstreams: 127.0.0.1 }\n');
});
afterAll(async () => {
  upstream.closeAllConnections();
  upstream.close();
  await rm(folder, { recursive: true, force: true });
});

test(
  'what is registered through one process is run by others, and an alias that moves is followed by what comes after',
  { timeout: 240_000 },
  async () => {
    await using database = await makeDatabase();
    await using sluice = runProgram(['start', '--port', '0'], {
      cwd: folder,
      env: { SLUICE_DATABASE_URL: database.url, SLUICE_API_KEY: 'key' },
    });
    const url = /(http:\/\/127\.0\.0\.1:\d+)/.exec(await sluice.logged(/Sluice is ready/))![1]!;
    const call = callsOf(url, 'key');
    const client = new OpenAI({ apiKey: 'key', baseURL: `${url}/v1`, maxRetries: 0 });
    const line = (model: string) =>
      Buffer.from(
        `${JSON.stringify({ custom_id: 'a', method: 'POST', url: '/v1/chat/completions', body: { model, messages: [{ role: 'user', content: 'hi' }] } })}\n`,
      );
    const said = async (model: string): Promise<string> => {
      const batch = await createBatch(client, line(model), { endpoint: '/v1/chat/completions' });
      const ended = await untilEnded(client, batch.id);
      expect(ended).toMatchObject({ status: 'completed', request_counts: { completed: 1 } });
      const [first] = await linesIn(client, ended.output_file_id);
      return (first!['response'] as { body: { choices: { message: { content: string } }[] } }).body.choices[0]!.message.content;
    };
    for (const version of ['1.9.0', '1.10.0'])
      expect(
        await call('POST', '/v1/models', {
          name: 'team/llm',
          version,
          executor: 'openai',
          options: { base_url: address, upstream_model: `asked-${version}` },
        }),
      ).toMatchObject({ status: 200, body: { status: 'ready' } });
    const alias = '/v1/models/team/llm/aliases/champion';
    await call<ModelAlias>('PUT', alias, { version: '1.9.0' });
    expect(await said('team/llm')).toBe('asked-1.10.0');
    expect(await said('team/llm@champion')).toBe('asked-1.9.0');
    await call<ModelAlias>('PUT', alias, { version: '1.10.0' });
    expect(await said('team/llm@champion')).toBe('asked-1.10.0');
    await call<ModelAlias>('POST', `${alias}/rollback`);
    expect(await said('team/llm@champion')).toBe('asked-1.9.0');
    // A file goes all the way: to storage, to the worker that vets it, to the workers that run it.
    await call('POST', '/v1/models', { name: 'team/same', version: '1.0.0' });
    expect(await call('POST', '/v1/models/team/same/upload', formOf(identity('float32', ['N', 2])))).toMatchObject({ status: 200 });
    const same = async () => (await call('GET', '/v1/models/team/same')).body;
    await expect.poll(async () => (await same()).status).toBe('ready');
    expect(await same()).toMatchObject({
      inputs: [{ name: 'x', type: 'float32' }],
      report: { steps: expect.arrayContaining([expect.objectContaining({ status: 'passed' })]) },
    });
    const row = Buffer.from(
      `${JSON.stringify({ custom_id: 'a', method: 'POST', url: '/v1/predict', body: { model: 'team/same', inputs: { x: [1, 2] } } })}\n`,
    );
    const ended = await untilEnded(client, (await createBatch(client, row, { endpoint: '/v1/predict' })).id);
    const [first] = await linesIn(client, ended.output_file_id);
    expect(first).toMatchObject({ response: { body: { model: 'team/same', version: '1.0.0', outputs: { y: [1, 2] } } } });
    expect(await call('POST', '/v1/predict', { model: 'team/same@1.0.0', inputs: { x: [3, 4] } })).toMatchObject({
      status: 200,
      body: { outputs: { y: [3, 4] } },
    });

    // Told with the next heartbeat.
    const loaded = async () =>
      (await call<WorkersHealth>('GET', '/health/workers')).body.workers[0]!.loaded.map(({ model }) => model).toSorted();
    await expect.poll(loaded).toEqual(['team/llm@1.10.0', 'team/llm@1.9.0', 'team/same@1.0.0']);
  },
);
