import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Call {
  customId: string;
  /** How often this request has been asked for, this time included. */
  number: number;
  /** Answers as a model would: with what was said. */
  answer: () => Promise<void>;
  reply: ServerResponse;
}

export interface ModelServer extends AsyncDisposable {
  url: string;
  /** How often each request was asked for. */
  calls: Map<string, number>;
  /** Requests that were answered in full. */
  answered: string[];
  /** What to do with a call; answers at once unless told otherwise. */
  on: (call: Call) => void;
  /** The text of a `sluice.yaml` with the model `llm` behind this server. */
  yaml: (options?: Record<string, number>) => string;
}

/** An OpenAI-compatible model server of the test's own, outside every process that is killed: it knows what was asked and what was answered. */
export const startModelServer = async (): Promise<ModelServer> => {
  const server = createServer((request, reply) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { messages } = JSON.parse(Buffer.concat(parts).toString()) as { messages: { content: string }[] };
      const content = messages.at(-1)!.content;
      const customId = content.replace(/^say /, '');
      const number = (model.calls.get(customId) ?? 0) + 1;
      model.calls.set(customId, number);
      const answer = async (): Promise<void> => {
        if (reply.destroyed) return;
        const body = { id: customId, object: 'chat.completion', created: 1, model: 'llm', choices: [{ message: { content } }] };
        reply.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
        await once(reply, 'finish');
        model.answered.push(customId);
      };
      model.on({ customId, number, answer, reply });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const model: ModelServer = {
    url,
    calls: new Map(),
    answered: [],
    on: ({ answer }) => void answer(),
    yaml: (options = {}) => {
      const own = Object.entries(options).map(([name, value]) => `, ${name}: ${value}`);
      return `models:\n  - { name: llm, version: 1.0.0, executor: openai, options: { base_url: "${url}"${own.join('')} } }\n`;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return model;
};
