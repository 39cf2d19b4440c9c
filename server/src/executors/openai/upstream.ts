import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonObject } from '../executor.ts';

export interface Upstream extends AsyncDisposable {
  url: string;
  /** What was asked: the path, the headers and the body. */
  calls: { url: string; headers: IncomingMessage['headers']; body: JsonObject }[];
  /** Calls under way now, and at the busiest moment. */
  open: { now: number; most: number };
  /** While set, every call gets this status, whatever it asks for. */
  down: number | null;
  /** Connections accepted so far. */
  connections: number;
  /** Bytes of streams that were written so far, and whether their reader holds them up. */
  stream: { bytes: number; held: boolean };
}

interface Called {
  body: JsonObject;
  headers: IncomingMessage['headers'];
  stream: Upstream['stream'];
}

type Mode = (reply: ServerResponse, call: Called) => void;

/** A stream as no client would write it: comments, CRLF, an event in two parts, no end of the last line. */
export const oddStream = [
  ': hello\r\n\r\n',
  'data: {"id":"c1","choices":[{"index":0,"delta":{"content":"h\u00e9"}}],"usage":null}\n\ndata: {"id":"c1","cho',
  'ices":[],"usage":{"prompt_tokens":7,"completion_tokens":5,"total_tokens":12,"prompt_tokens_details":{"cached_tokens":3}}}\n\n',
  'data: [DONE]',
];

const chat = { id: 'c1', object: 'chat.completion', created: 1, model: 'up', choices: [], big: 12345678901234567890n };
const usage = { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 };

/** Pretty-printed, with a number that no double holds: neither may be lost on the way. */
const pretty = () =>
  JSON.stringify(
    {
      ...chat,
      big: 0,
      usage: { ...usage, prompt_tokens_details: { cached_tokens: 3 }, completion_tokens_details: { reasoning_tokens: 2 } },
    },
    null,
    2,
  )
    .replace('"big": 0', `"big": ${chat.big}`)
    .replaceAll('\n', '\r\n');

const json = (reply: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) =>
  reply.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

const error = (message: string) => ({ error: { message, type: 'x', param: null, code: null } });

const modes: Record<string, Mode> = {
  ok: (reply) => reply.writeHead(200, { 'x-request-id': 'up-1' }).end(pretty()),
  slow: (reply, { body }) => setTimeout(() => reply.writeHead(200).end(pretty()), Number(body['wait'])),
  status: (reply, { body }) =>
    json(reply, Number(body['status']), error('no luck'), (body['headers'] as Record<string, string> | undefined) ?? {}),
  hang: () => {},
  trickle: (reply) => {
    reply.writeHead(200).write('{"id":');
    const timer = setInterval(() => reply.write(' '), 20);
    reply.on('close', () => clearInterval(timer));
  },
  cut: (reply) => {
    reply.writeHead(200, { 'content-length': '1000' }).write('{"id":');
    reply.destroy();
  },
  reset: (reply) => reply.destroy(),
  malformed: (reply) => reply.writeHead(200).end('{"id": oops'),
  scalar: (reply) => reply.writeHead(200).end('"fine"'),
  binary: (reply) => reply.writeHead(200).end(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])),
  html: (reply) => reply.writeHead(502).end('<html>\nBad gateway\n</html>'),
  huge: (reply) => reply.writeHead(200, { 'content-length': String(100 * 1024 * 1024) }).write('{'),
  endless: (reply) => {
    const part = Buffer.alloc(1024 * 1024, 0x20);
    const more = () => {
      while (!reply.destroyed && reply.write(part));
    };
    reply.on('drain', more).on('close', () => reply.off('drain', more));
    reply.writeHead(200);
    more();
  },
  stream: (reply) => {
    reply.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const part of oddStream) reply.write(part);
    reply.end();
  },
  cutStream: (reply) => {
    reply.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {"id":"c1","choices":[]}\n\n', () => reply.destroy());
  },
  endlessStream: (reply, { stream }) => {
    const part = Buffer.from(`data: {"id":"c1","choices":[{"index":0,"delta":{"content":"${'x'.repeat(65_000)}"}}]}\n\n`);
    const more = () => {
      stream.held = false;
      while (!reply.destroyed && !stream.held) {
        stream.bytes += part.length;
        stream.held = !reply.write(part);
      }
    };
    reply.on('drain', more).on('close', () => reply.off('drain', more));
    reply.writeHead(200, { 'content-type': 'text/event-stream' });
    more();
  },
  leak: (reply, { headers }) =>
    json(reply, 401, error(`Incorrect API key: ${headers.authorization} (${String(headers['x-token'])})`), {
      'x-request-id': String(headers.authorization),
    }),
  leakText: (reply, { headers }) => reply.writeHead(500).end(`trace: ${headers.authorization}`),
  leakAddress: (reply, { headers }) => json(reply, 502, error(`bad gateway http://${headers.host}/v1/x (${headers.host})`)),
  leakOk: (reply, { headers }) => json(reply, 200, { said: headers.authorization }),
};

/** A model server on this machine that behaves as each call's `mode` says. */
export const startUpstream = async (): Promise<Upstream> => {
  const server = createServer((request, reply) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(parts).toString()) as JsonObject;
      upstream.calls.push({ url: request.url!, headers: request.headers, body });
      upstream.open.most = Math.max(upstream.open.most, ++upstream.open.now);
      reply.on('close', () => upstream.open.now--);
      if (upstream.down !== null) return json(reply, upstream.down, error('down'));
      modes[(body['mode'] as string | undefined) ?? 'ok']!(reply, { body, headers: request.headers, stream: upstream.stream });
    });
  });
  server.on('connection', () => upstream.connections++);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const upstream: Upstream = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: [],
    open: { now: 0, most: 0 },
    connections: 0,
    down: null,
    stream: { bytes: 0, held: false },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return upstream;
};
