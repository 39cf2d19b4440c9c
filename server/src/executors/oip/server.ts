import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Tensor } from '../onnx/tensor.ts';
import { lengthHeader, Message, written } from './message.ts';

export interface OipServer extends AsyncDisposable {
  url: string;
  /** What was asked, in order. */
  calls: { method: string; url: string; headers: IncomingMessage['headers'] }[];
  /** Inferences under way now, and at the busiest moment. */
  open: { now: number; most: number };
  /** While set, every call gets this status. */
  down: number | null;
  /** What an inference is answered with in place of its echo. */
  reply: ((reply: ServerResponse) => void) | null;
}

const metadata = {
  name: 'wait',
  versions: ['3'],
  platform: 'onnx_onnxv1',
  inputs: [
    { name: 'ms', datatype: 'FP32', shape: [-1] },
    { name: 'note', datatype: 'BYTES', shape: [-1] },
    { name: 'big', datatype: 'INT64', shape: [-1, 2] },
  ],
  outputs: [
    { name: 'note', datatype: 'BYTES', shape: [-1] },
    { name: 'big', datatype: 'INT64', shape: [-1, 2] },
  ],
};

const json = (reply: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) =>
  reply.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

/** Gives back `note` and `big` once the milliseconds of `ms` are over; a negative number is refused. */
const infer = (request: IncomingMessage, reply: ServerResponse, bytes: Buffer): void => {
  const message = new Message(bytes, request.headers[lengthHeader] as string | undefined);
  const tensors = message.tensors('inputs');
  const of = (name: string): Tensor => tensors.find((tensor) => tensor.name === name)!;
  const ms = Number(of('ms').data[0]);
  if (ms < 0) return void json(reply, 400, { error: 'ms must not be negative' });
  const binary = request.headers[lengthHeader] !== undefined;
  const answer = () => {
    const { texts, parts } = written([of('note'), of('big')], () => binary);
    const head = Buffer.from(`{"model_name":"wait","model_version":"3","outputs":[${texts.join()}]}`);
    reply.writeHead(200, binary ? { [lengthHeader]: String(head.length) } : {}).end(Buffer.concat([head, ...parts]));
  };
  if (ms === 0) answer();
  else setTimeout(answer, ms);
};

/** A server of the protocol on this machine, with one model. */
export const startOipServer = async (): Promise<OipServer> => {
  const server = createServer((request, reply) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      state.calls.push({ method: request.method!, url: request.url!, headers: request.headers });
      if (state.down !== null) return json(reply, state.down, { error: 'down' });
      if (request.method === 'GET') return json(reply, 200, metadata);
      state.open.most = Math.max(state.open.most, ++state.open.now);
      reply.on('close', () => state.open.now--);
      if (state.reply) state.reply(reply);
      else infer(request, reply, Buffer.concat(parts));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const state: OipServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: [],
    open: { now: 0, most: 0 },
    down: null,
    reply: null,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return state;
};
