import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { bareEnvironment } from '../lib/spawning.ts';
import { StorageFull } from '../storage/storage.ts';
import { BadTable, type Ask, type Told, type TableLimits } from './facts.ts';

const program = fileURLToPath(new URL('child.ts', import.meta.url));

/**
 * Node has no setrlimit: the shell sets limits and becomes the child. Data segments bound the memory; no core is left, and
 * no file grows beyond what a file may have.
 */
const shell = ({ memoryMb, bytes }: TableLimits): string =>
  [
    `(ulimit -d ${memoryMb * 1024}) 2>/dev/null && ulimit -d ${memoryMb * 1024}`,
    `ulimit -c 0; ulimit -f ${Math.ceil(bytes / 512)}`,
    'exec "$0" "$@"',
  ].join('; ');

/** A process that reads one table. */
export interface TableProcess extends AsyncDisposable {
  /** Rejects with `BadTable` where it is the table's fault. */
  ask<Result>(what: Ask): Promise<Result>;
}

/** Starts one in `folder`, which is all it sees. It ends with what is awaited of it, or when `signal` aborts. */
export const openTableProcess = async (folder: string, limits: TableLimits, signal: AbortSignal): Promise<TableProcess> => {
  signal.throwIfAborted();
  // A group of its own, so that all of it is killed.
  const child = spawn('/bin/sh', ['-c', shell(limits), process.execPath, '--no-warnings', '--max-old-space-size=512', program], {
    cwd: folder,
    env: { ...bareEnvironment(folder), TZ: 'UTC' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    detached: true,
  });
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => {});
  const closed = Promise.withResolvers<void>();
  let words = '';
  child.stderr!.on('data', (part: Buffer) => (words = (words + part.toString()).slice(-2_000)));
  const kill = (why: unknown): void => {
    ended.reject(why);
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It is gone already.
    }
  };
  const aborted = (): void => kill(signal.reason);
  signal.addEventListener('abort', aborted, { once: true });
  const late = setTimeout(() => kill(new BadTable(`Reading it took longer than ${limits.ms / 60_000} minutes.`)), limits.ms);
  child.once('error', (error) => ended.reject(error));
  child.once('close', (code, by) => {
    // The system's own killer may have had other reasons than this table: then it is tried again.
    const why = `The process that read the table ended (${by ?? code}).`;
    const { memoryMb, bytes } = limits;
    if (by === 'SIGKILL') ended.reject(new Error(why));
    else if (by === 'SIGXFSZ') ended.reject(new BadTable(`It becomes more than ${bytes.toLocaleString('en')} bytes.`));
    else ended.reject(new BadTable(`${why} It may need more than ${memoryMb} MB of memory.`, { cause: words }));
    closed.resolve();
  });
  const send = async (message: unknown): Promise<unknown> => {
    const told = Promise.withResolvers<Told>();
    const take = (message: unknown): void => told.resolve(message as Told);
    child.once('message', take);
    try {
      child.send(message as object);
      const said = await Promise.race([told.promise, ended.promise]);
      if (said.ok) return said.result;
      if (/No space left/.test(said.message)) throw new StorageFull(new Error(said.message));
      if (/File too large/.test(said.message)) throw new BadTable(`It becomes more than ${limits.bytes.toLocaleString('en')} bytes.`);
      if (said.message.startsWith('Out of Memory')) throw new BadTable(`Its values are too large to be read within ${limits.duckMb} MB.`);
      throw said.bad ? new BadTable(said.message.replaceAll(`${folder}/`, '')) : new Error(said.message);
    } finally {
      child.off('message', take);
    }
  };
  const stop = async (): Promise<void> => {
    clearTimeout(late);
    signal.removeEventListener('abort', aborted);
    kill(new Error('stopped'));
    await closed.promise;
  };
  try {
    await send({ folder, limits });
  } catch (error) {
    await stop();
    throw error;
  }
  return { ask: <Result>(what: Ask) => send(what) as Promise<Result>, [Symbol.asyncDispose]: stop };
};
