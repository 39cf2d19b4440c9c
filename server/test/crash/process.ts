import { spawn, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { bareEnvironment } from '../support/environment.ts';

const program = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** As short as the configuration allows: a lost lease is back in two seconds and a sweep. */
export const hasty: Record<string, string> = {
  SLUICE_TIMING__LEASE_SECONDS: '2',
  SLUICE_TIMING__HEARTBEAT_SECONDS: '1',
  SLUICE_TIMING__SWEEP_SECONDS: '1',
  SLUICE_TIMING__POLL_MIN_MS: '50',
  SLUICE_TIMING__POLL_MAX_MS: '500',
  SLUICE_TIMING__SETTLE_MS: '150',
  SLUICE_TIMING__CANCEL_GRACE_SECONDS: '2',
  SLUICE_RETRY__BASE_MS: '20',
  SLUICE_RETRY__CAP_MS: '200',
  SLUICE_LOG__LEVEL: 'info',
  SLUICE_LOG__PRETTY: 'false',
};

/** Below those that the system gives to outgoing connections, so that it is still free when a killed API comes back. */
export const freePort = async (): Promise<number> => {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
};

/** The children of a process, and theirs. */
export const descendants = (pid: number): number[] => {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It has just ended.
    }
  }
  const found = [pid];
  for (const parent of found) for (const [child, of] of parents) if (of === parent) found.push(child);
  return found.slice(1);
};

export type Role = 'api' | 'scheduler' | 'worker' | 'all';

/** One process of Sluice, started from its source as a user starts it. */
export class Process {
  readonly role: Role;
  readonly child: ChildProcess;
  /** All it has logged. */
  log = '';
  readonly ended: Promise<number | NodeJS.Signals | null>;
  /** Whether its end was asked for. */
  meant = false;
  #over = false;
  readonly #heard = new Set<() => void>();

  constructor(role: Role, env: Record<string, string>, cwd: string) {
    this.role = role;
    this.child = spawn(process.execPath, [program, role], {
      cwd,
      env: { ...bareEnvironment(), TZ: 'UTC', ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.child.stderr!.on('data', (part: Buffer) => {
      this.log += part.toString();
      for (const hear of this.#heard) hear();
    });
    this.ended = new Promise((resolve) =>
      this.child.once('exit', (code, signal) => {
        this.#over = true;
        resolve(signal ?? code);
        for (const hear of this.#heard) hear();
      }),
    );
  }

  get pid(): number {
    return this.child.pid!;
  }

  get over(): boolean {
    return this.#over;
  }

  /** Resolves when its log matches; rejects where it ends, or `ms` pass, before that. */
  said(pattern: RegExp, ms = 90_000): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        this.#heard.delete(hear);
      };
      const hear = (): void => {
        const found = pattern.exec(this.log);
        if (found) {
          stop();
          resolve(found);
        } else if (this.#over) {
          stop();
          reject(new Error(`${this.role} ended without saying ${pattern}:\n${this.log.slice(-3_000)}`));
        }
      };
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`${this.role} did not say ${pattern} within ${ms} ms:\n${this.log.slice(-3_000)}`));
      }, ms);
      this.#heard.add(hear);
      hear();
    });
  }

  signal(signal: NodeJS.Signals): void {
    if (signal === 'SIGKILL' || signal === 'SIGTERM') this.meant = true;
    if (!this.#over) this.child.kill(signal);
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }
}
