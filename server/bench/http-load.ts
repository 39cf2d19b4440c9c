/** Requests over plain sockets, in as little of this machine's time as it takes: the server is what is measured. */
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';

/** A request as the bytes of HTTP. */
export const requestBytes = (url: string, path: string, body: string): Buffer =>
  Buffer.from(
    `POST ${path} HTTP/1.1\r\nhost: ${new URL(url).host}\r\nauthorization: Bearer bench-key\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );

const end = Buffer.from('\r\n\r\n');

class Connection {
  readonly #socket: Socket;
  #have: Buffer | null = null;
  #need = -1;
  onReply: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (part: Buffer) => this.#take(part));
  }

  static async open(url: string): Promise<Connection> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return new Connection(socket);
  }

  send(request: Buffer): void {
    this.#socket.write(request);
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(part: Buffer): void {
    this.#have = this.#have ? Buffer.concat([this.#have, part]) : part;
    if (this.#need < 0) {
      const at = this.#have.indexOf(end);
      if (at < 0) return;
      const head = this.#have.toString('latin1', 0, at);
      if (!head.startsWith('HTTP/1.1 200')) throw new Error(this.#have.toString());
      this.#need = at + 4 + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    }
    if (this.#have.length < this.#need) return;
    this.#have = null;
    this.#need = -1;
    this.onReply();
  }
}

const connections = (url: string, count: number): Promise<Connection[]> =>
  Promise.all(Array.from({ length: count }, () => Connection.open(url)));

/** Requests a second that `count` connections get done, each sending its next when its last is answered. */
export const closedLoop = async (url: string, requests: readonly Buffer[], count: number, seconds: number): Promise<number> => {
  const open = await connections(url, count);
  const began = performance.now();
  const until = began + 1000 * seconds;
  let done = 0;
  let next = 0;
  await Promise.all(
    open.map(
      (connection) =>
        new Promise<void>((resolve) => {
          const send = () => connection.send(requests[next++ % requests.length]!);
          connection.onReply = () => {
            done++;
            if (performance.now() < until) send();
            else resolve();
          };
          send();
        }),
    ),
  );
  const rate = (1000 * done) / (performance.now() - began);
  for (const connection of open) connection.close();
  return rate;
};

/** Milliseconds from when each request was due to its answer, at a fixed rate whatever the server does; sorted. */
export const openLoop = async (
  url: string,
  requests: readonly Buffer[],
  count: number,
  rate: number,
  seconds: number,
): Promise<number[]> => {
  const free = await connections(url, count);
  const all = [...free];
  const waiting: number[] = [];
  const times: number[] = [];
  const total = Math.round(rate * seconds);
  let sent = 0;
  const began = performance.now();
  const { promise, resolve } = Promise.withResolvers<void>();
  const send = (connection: Connection, due: number) => {
    connection.onReply = () => {
      times.push(performance.now() - due);
      const next = waiting.shift();
      if (next === undefined) free.push(connection);
      else send(connection, next);
      if (times.length === total) resolve();
    };
    connection.send(requests[sent++ % requests.length]!);
  };
  let due = 0;
  const tick = setInterval(() => {
    for (const now = performance.now(); due < total && began + (1000 * due) / rate <= now; due++) {
      const connection = free.pop();
      if (connection) send(connection, began + (1000 * due) / rate);
      else waiting.push(began + (1000 * due) / rate);
    }
  }, 1);
  await promise;
  clearInterval(tick);
  for (const connection of all) connection.close();
  return times.sort((a, b) => a - b);
};
