import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'undici';
import { identity } from '../test/support/onnx-models.ts';
import { round, type Bench, type Figure } from './figures.ts';
import { cpuOfTree, watched } from './machine.ts';

const shape = [1, 3, 224, 224];
const connections = 4;
const seconds = 3;
const rounds = 3;

interface Ask {
  headers: Record<string, string>;
  body: Buffer;
}

const values = Float32Array.from({ length: shape.reduce((size, dimension) => size * dimension) }, (_, i) => Math.fround(Math.sin(i)));

const asJson = (): Ask => {
  const input = { name: 'x', datatype: 'FP32', shape, data: Array.from(values) };
  return { headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify({ inputs: [input] })) };
};

const asBytes = (): Ask => {
  const input = { name: 'x', datatype: 'FP32', shape, parameters: { binary_data_size: values.byteLength } };
  const head = Buffer.from(JSON.stringify({ parameters: { binary_data_output: true }, inputs: [input] }));
  const headers = { 'content-type': 'application/octet-stream', 'inference-header-content-length': String(head.length) };
  return { headers, body: Buffer.concat([head, new Uint8Array(values.buffer)]) };
};

interface Rate {
  /** Requests a second. */
  wall: number;
  /** Requests a second of the processors' time that the server and the model's process used. */
  cpu: number;
}

/** Each connection sends its next request when its last is answered in full; no reply is looked into. */
const rateOf = async (pool: Pool, server: number, { headers, body }: Ask): Promise<Rate> => {
  const before = cpuOfTree(server);
  const began = performance.now();
  const until = began + 1000 * seconds;
  let done = 0;
  const loop = async () => {
    while (performance.now() < until) {
      const reply = await pool.request({
        path: '/v2/models/identity/infer',
        method: 'POST',
        headers: { authorization: 'Bearer bench-key', ...headers },
        body,
      });
      let bytes = 0;
      for await (const part of reply.body as AsyncIterable<Buffer>) bytes += part.length;
      if (reply.statusCode !== 200 || bytes < values.byteLength) throw new Error(`${reply.statusCode}, ${bytes} bytes`);
      done++;
    }
  };
  await Promise.all(Array.from({ length: connections }, loop));
  const wall = (1000 * done) / (performance.now() - began);
  return { wall, cpu: done / (cpuOfTree(server) - before) };
};

const median = (rates: readonly number[]): number => rates.toSorted((a, b) => a - b)[rates.length >> 1]!;

export const oip: Bench = {
  name: 'oip',
  about: 'Open Inference Protocol: tensors as bytes against JSON',
  async run(): Promise<Figure[]> {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-oip-'));
    const path = join(folder, 'identity.onnx');
    await writeFile(path, identity('float32', ['N', ...shape.slice(1)]));
    const server = fork(new URL('oip-server.ts', import.meta.url), { serialization: 'json' });
    try {
      server.send({ models: [{ name: 'identity', version: '1.0.0', executor: 'onnx', options: { path } }], scratch: folder });
      const [url] = (await once(server, 'message')) as [string];
      await using pool = Object.assign(new Pool(url, { connections }), { [Symbol.asyncDispose]: () => pool.close() });
      const sides = { bytes: asBytes(), json: asJson() };
      const rates: { bytes: Rate; json: Rate }[] = [];
      const foreign: number[] = [];
      // The first round loads the model, and is not counted.
      for (let i = 0; i <= rounds; i++) {
        const { result, foreign: others } = await watched(async () => ({
          bytes: await rateOf(pool, server.pid!, sides.bytes),
          json: await rateOf(pool, server.pid!, sides.json),
        }));
        if (i === 0) continue;
        rates.push(result);
        foreign.push(others);
      }
      const figure = (name: string, unit: string, of: (rate: { bytes: Rate; json: Rate }) => number): Figure => {
        const runs = rates.map(of).map(round);
        return { bench: 'oip', name, value: median(runs), unit, runs, foreign };
      };
      const tensor = `float32 ${shape.join('×')}, identity`;
      return [
        figure(`${tensor}: as bytes`, 'requests/s', ({ bytes }) => bytes.wall),
        figure(`${tensor}: as JSON`, 'requests/s', ({ json }) => json.wall),
        { ...figure('bytes : JSON', '×', ({ bytes, json }) => bytes.wall / json.wall), target: { least: 5 } },
        figure('bytes : JSON, requests per processor-second', '×', ({ bytes, json }) => bytes.cpu / json.cpu),
      ];
    } finally {
      server.disconnect();
      await once(server, 'exit');
      await rm(folder, { recursive: true, force: true });
    }
  },
};
