import { afterAll, beforeAll, expect, test } from 'vitest';
import { secondAxis, smallMlp, twoInputs } from '../support/onnx-models.ts';
import { startOip, type OipSluice } from '../support/oip.ts';
import { createBatch, linesIn, untilEnded } from '../support/requests.ts';
import { startSluice, type Sluice } from '../support/sluice.ts';

let behind: OipSluice;
let sluice: Sluice;

beforeAll(async () => {
  behind = await startOip({ 'lab/two': twoInputs(), net: smallMlp(), vad: secondAxis() });
  const remote = (name: string, model: string, options: object = {}) => ({
    name,
    version: '1.0.0',
    executor: 'oip' as const,
    options: { base_url: behind.url, model, api_key: 'oip-key', max_concurrency: 8, ...options },
  });
  sluice = await startSluice({
    models: [
      remote('two', 'lab/two'),
      remote('two-json', 'lab/two', { binary: false, version: '1.0.0' }),
      remote('net', 'net'),
      remote('vad', 'vad'),
      remote('none', 'none'),
    ],
  });
});
afterAll(async () => {
  await sluice[Symbol.asyncDispose]();
  await behind[Symbol.asyncDispose]();
});

const line = (id: number, model: string, inputs: unknown) => ({
  custom_id: `r${id}`,
  method: 'POST',
  url: '/v1/predict',
  body: { model, inputs },
});

test('a batch goes to a remote server of the protocol and comes back, line by line', async () => {
  const lines = Array.from({ length: 120 }, (_, i) => {
    const n = i + 1;
    const zeros = Array(8).fill(0);
    if (n === 7) return line(n, 'two', { a: [1, 2], b: [1, 2.5] });
    if (n === 8) return line(n, 'two', { a: [1, 2] });
    if (n === 9) return line(n, 'none', { a: [1, 2] });
    if (n === 10) return line(n, 'vad', { input: [1, 2, 3], state: [[zeros], [zeros]], sr: 2 });
    if (n % 3 === 0) return line(n, 'net', Array(64).fill(n / 100));
    return line(n, n % 2 === 0 ? 'two' : 'two-json', { a: [n, 0.5], b: [n, 1] });
  });
  const { id } = await createBatch(sluice.client, lines, { endpoint: '/v1/predict' });
  const ended = await untilEnded(sluice.client, id);
  expect(ended.request_counts).toMatchObject({ total: 120, completed: 117, failed: 3 });
  const output = await linesIn(sluice.client, ended.output_file_id);
  const holds = (n: number, outputs: object) =>
    expect(output.find((each) => each['custom_id'] === `r${n}`)).toMatchObject({ response: { status_code: 200, body: { outputs } } });
  // Two inputs a row, in JSON and in bytes.
  holds(1, { y: [3, 2.5] });
  holds(2, { y: [6, 2.5] });
  holds(3, { y: expect.objectContaining({ length: 10 }) });
  // Rows along the second axis, and a scalar that all share.
  holds(10, { output: 4, stateN: [[Array(8).fill(1)], [Array(8).fill(1)]] });
  const errors = JSON.stringify(await linesIn(sluice.client, ended.error_file_id));
  for (const words of ['inputs.b[0][1] must be a whole number', 'inputs.b is missing', "The model 'none' does not exist"])
    expect(errors).toContain(words);
});
