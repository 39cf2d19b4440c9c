import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The reply that NVIDIA's own client recorded of a protein alone; with a ligand, the affinities of its documentation. */
export const recorded = JSON.parse(
  readFileSync(new URL('../../src/executors/http/fixtures/nim_response_protein65.json', import.meta.url), 'utf8'),
) as Record<string, unknown>;
const affinities = (ligand: string) => ({
  [ligand]: {
    affinity_pred_value: [2.028],
    affinity_probability_binary: [0.229],
    affinity_pic50: [5.418],
    model_1_affinity_pred_value: [2.1],
    model_1_affinity_probability_binary: [0.2],
    model_2_affinity_pred_value: [1.956],
    model_2_affinity_probability_binary: [0.258],
  },
});

/** A call that the server has been asked for. */
export interface NimCall {
  id: string;
  body: { ligands?: { id: string; smiles: string }[]; polymers: { sequence: string }[] } & Record<string, unknown>;
  callback: string | undefined;
  done: boolean;
  gone?: boolean;
  asked: number;
}

/** A server with the API of the NIM: what a ligand's SMILES says, it does. */
export class Nim implements AsyncDisposable {
  readonly calls: NimCall[] = [];
  readonly server: Server = createServer((request, response) => void this.#answer(request, response));
  /** Resolves when a call has been asked after. */
  onAsked: (call: NimCall) => void = () => {};

  static async open(): Promise<Nim> {
    const nim = new Nim();
    nim.server.listen(0, '127.0.0.1');
    await once(nim.server, 'listening');
    return nim;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const send = (status: number, body: unknown, headers: Record<string, string> = {}) =>
      void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
    const reply = ({ body }: NimCall) => ({ ...recorded, ...(body.ligands && { affinities: affinities(body.ligands[0]!.id) }) });
    if (request.headers.authorization !== 'Bearer nim-key') return send(401, { detail: 'no key' });
    if (request.method === 'GET') {
      const found = this.calls.find(({ id }) => request.url === `/status/${id}`);
      if (!found || found.gone) return send(404, { detail: 'unknown call' });
      found.asked++;
      this.onAsked(found);
      return found.done ? send(200, reply(found)) : send(202, {}, { 'nvcf-reqid': found.id });
    }
    let text = '';
    for await (const part of request) text += String(part);
    const body = JSON.parse(text) as NimCall['body'];
    const smiles = body.ligands?.[0]?.smiles ?? '';
    const made: NimCall = {
      id: `req-${this.calls.length + 1}`,
      body,
      callback: request.headers['x-sluice-callback'] as string | undefined,
      done: false,
      asked: 0,
    };
    this.calls.push(made);
    if (smiles === 'refused') return send(422, { detail: 'Invalid SMILES' });
    if (smiles === 'garbled') return send(200, { structures: [] });
    if (smiles.startsWith('later')) return send(202, {}, { 'nvcf-reqid': made.id });
    return send(200, reply(made));
  }
}

/** A report that a call has ended, signed as Standard Webhooks has it. */
export const reportTo = (
  url: string,
  key: Buffer,
  { id = 'msg_1', at = Math.floor(Date.now() / 1_000), body = '{"status": "done"}' }: { id?: string; at?: number; body?: string } = {},
): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(at),
      'webhook-signature': `v1,AAAA v1,${createHmac('sha256', key).update(`${id}.${at}.${body}`).digest('base64')}`,
    },
    body,
  });
