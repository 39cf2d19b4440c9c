import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/**
 * A wire between Sluice and PostgreSQL that can be cut at the worst places. It reads the messages of the protocol as
 * they pass, so that a fault hits one statement and not a moment.
 */
export type Fate =
  /** Goes through. */
  | 'pass'
  /** The connection ends before the statement reaches the server. */
  | 'lose request'
  /** The server carries it out; the connection ends before the answer is back. */
  | 'lose reply';

export interface Proxy extends AsyncDisposable {
  url: string;
  /** Asked for each statement; may count, and choose. */
  fate: (statement: string) => Fate;
  /** Whether notifications get through. */
  notify: boolean;
  /** Notifications that did not. */
  lost: number;
  /** Leaves every connection there is open and carries nothing over it ever again, as a router that forgot it does. */
  strand(): void;
  /** Ends every connection. */
  cut(): void;
}

export const isWrite = (statement: string): boolean => /^\s*(update|insert|delete|with|commit)/i.test(statement);

/** Messages as they are on the wire, whole ones only. `skip`: the first has no type (a client's startup). */
class Messages {
  #rest: Buffer = Buffer.alloc(0);
  #untyped: boolean;

  constructor(untyped: boolean) {
    this.#untyped = untyped;
  }

  push(part: Buffer): { type: string; bytes: Buffer }[] {
    this.#rest = Buffer.concat([this.#rest, part]);
    const whole: { type: string; bytes: Buffer }[] = [];
    for (;;) {
      const head = this.#untyped ? 0 : 1;
      if (this.#rest.length < head + 4) return whole;
      const length = head + this.#rest.readUInt32BE(head);
      if (this.#rest.length < length) return whole;
      const bytes = this.#rest.subarray(0, length);
      whole.push({ type: this.#untyped ? '' : String.fromCharCode(bytes[0]!), bytes });
      this.#rest = this.#rest.subarray(length);
      this.#untyped = false;
    }
  }
}

const text = (bytes: Buffer, from: number): string => bytes.toString('utf8', from, bytes.indexOf(0, from));

/** The SQL of a message that brings some: Query, or Parse (after the name of the prepared statement). */
const statementIn = ({ type, bytes }: { type: string; bytes: Buffer }): string | null => {
  if (type === 'Q') return text(bytes, 5);
  return type === 'P' ? text(bytes, bytes.indexOf(0, 5) + 1) : null;
};

export const openProxy = async (target: string): Promise<Proxy> => {
  const to = new URL(target);
  const pairs = new Set<() => void>();
  const sockets = new Set<Socket>();
  const proxy: Proxy = {
    url: '',
    fate: () => 'pass',
    notify: true,
    lost: 0,
    strand: () => sockets.forEach((socket) => socket.pause()),
    cut: () => pairs.forEach((end) => end()),
    async [Symbol.asyncDispose]() {
      proxy.cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  const server = createServer((client) => {
    const upstream = connect(Number(to.port || 5432), to.hostname);
    const end = (): void => {
      pairs.delete(end);
      for (const socket of [client, upstream]) {
        sockets.delete(socket);
        socket.destroy();
      }
    };
    pairs.add(end);
    const sent = new Messages(true);
    const answered = new Messages(false);
    let losing = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', end).on('close', end);
    }
    client.on('data', (part: Buffer) => {
      for (const message of sent.push(part)) {
        const statement = statementIn(message);
        const fate = statement === null ? 'pass' : proxy.fate(statement);
        if (fate === 'lose request') return end();
        if (fate === 'lose reply') losing = true;
        upstream.write(message.bytes);
      }
    });
    upstream.on('data', (part: Buffer) => {
      for (const { type, bytes } of answered.push(part)) {
        if (losing) {
          // Ready for query: the statement, and a transaction that it committed, are done.
          if (type === 'Z') end();
          continue;
        }
        if (type === 'A' && !proxy.notify) proxy.lost++;
        else client.write(bytes);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  proxy.url = url.href;
  return proxy;
};
