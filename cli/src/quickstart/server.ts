import { spawn } from 'node:child_process';
import { createWriteStream, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

const isFree = async (port: number): Promise<number | null> => {
  const probe = createServer();
  try {
    probe.listen(port, '127.0.0.1');
    await once(probe, 'listening');
    const address = probe.address();
    return typeof address === 'object' && address ? address.port : null;
  } catch {
    return null;
  } finally {
    probe.close();
  }
};

export interface Server {
  url: string;
  key: string;
  log: string;
  /** Resolves when the server ends by itself. */
  ended: Promise<string>;
  stop(): Promise<void>;
}

/** `sluice start` with the models of the examples, on 8080 or a free port; its log goes to a file. */
export const startServer = async (dataDir: string, folder: string): Promise<Server> => {
  const port = (await isFree(8080)) ?? (await isFree(0));
  const url = `http://127.0.0.1:${port}`;
  const log = join(folder, 'server.log');
  const child = spawn(process.execPath, [join(root, 'server/src/main.ts'), 'start', '--port', String(port), '--host', '127.0.0.1'], {
    cwd: root,
    env: {
      ...process.env,
      SLUICE_CONFIG: process.env['SLUICE_CONFIG'] ?? join(root, 'examples/sluice.yaml'),
      SLUICE_DATA_DIR: dataDir,
      SLUICE_LOG__PRETTY: 'false',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
    // Its own process group: Ctrl-C reaches this program, which then tells the server once.
    detached: true,
  });
  const file = createWriteStream(log, { mode: 0o600 });
  const said: string[] = [];
  const lines = createInterface({ input: child.stderr });
  lines.on('line', (line) => {
    // What is no log line is meant for a terminal: the new API key is, and does not belong into a file.
    if (line.startsWith('{')) file.write(`${line}\n`);
    said.push(wordsOf(line));
    if (said.length > 20) said.shift();
  });
  const exited = once(child, 'exit');
  const drained = once(lines, 'close');
  const ended = exited.then(() => drained).then(() => said.filter(Boolean).slice(-5).join('\n'));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const force = setTimeout(() => child.kill('SIGKILL'), 30_000);
    await exited;
    clearTimeout(force);
  };
  // However this program ends, it leaves nothing behind.
  process.once('exit', () => child.kill('SIGTERM'));

  await Promise.race([
    untilReady(url),
    ended.then((words) => {
      throw new Error(`The server did not start:\n${words}`);
    }),
  ]);
  const key = process.env['SLUICE_API_KEY'] ?? readFileSync(join(dataDir, 'api-key'), 'utf8').trim();
  return { url, key, log, ended, stop };
};

const wordsOf = (line: string): string => {
  try {
    const { level, msg } = JSON.parse(line) as { level?: number; msg?: string };
    return (level ?? 0) >= 40 ? (msg ?? '') : '';
  } catch {
    return line.trim();
  }
};

const untilReady = async (url: string): Promise<void> => {
  const deadline = Date.now() + 120_000;
  while (Date.now() < deadline) {
    const reply = await fetch(`${url}/health/ready`).catch(() => null);
    await reply?.body?.cancel();
    if (reply?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`The server did not become ready within two minutes.`);
};
