import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { bareEnvironment } from './environment.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export interface Program extends AsyncDisposable {
  pid: number;
  /** What it logged so far. */
  log(): { msg: string; role?: string; level: number; [field: string]: unknown }[];
  /** What it wrote beside its log. */
  text(): string;
  /** Resolves once a line of its log has this in its message, with the number of lines looked at before skipped. */
  logged(message: string | RegExp, options?: { role?: string; after?: number }): Promise<string>;
  kill(signal: NodeJS.Signals): void;
  /** The exit code, once it has ended. */
  ended: Promise<number | null>;
}

/** `sluice …` as a real process, in a folder of its own and with this environment only. */
export const runProgram = (args: string[], { cwd, env = {} }: { cwd: string; env?: Record<string, string> }): Program => {
  const child: ChildProcess = spawn(process.execPath, [main, ...args], {
    cwd,
    env: { ...bareEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: ReturnType<Program['log']> = [];
  let text = '';
  let rest = '';
  const listeners = new Set<() => void>();
  const wake = (): void => listeners.forEach((listener) => listener());
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding('utf8').on('data', (data: string) => {
      const found = (rest + data).split('\n');
      rest = found.pop()!;
      for (const line of found) {
        if (line.startsWith('{')) lines.push(JSON.parse(line) as (typeof lines)[number]);
        else text += `${line}\n`;
      }
      wake();
    });
  const ended = once(child, 'close').then(([code]) => {
    wake();
    return code as number | null;
  });
  const logged: Program['logged'] = (message, { role, after = 0 } = {}) =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = lines
          .slice(after)
          .find(
            (line) => (typeof message === 'string' ? line.msg.includes(message) : message.test(line.msg)) && (!role || line.role === role),
          );
        if (found) resolve(found.msg);
        else if (child.exitCode !== null || child.signalCode !== null)
          reject(new Error(`it ended without saying ${message}:\n${text}${lines.map((l) => l.msg).join('\n')}`));
        else return;
        listeners.delete(look);
      };
      listeners.add(look);
      look();
    });
  return {
    pid: child.pid!,
    log: () => lines,
    text: () => text,
    logged,
    kill: (signal) => void child.kill(signal),
    ended,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await ended;
    },
  };
};
