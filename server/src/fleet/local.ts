import { backoff } from '../lib/backoff.ts';
import type { Fleet, Member } from './fleet.ts';

/** A worker process that was started. */
export interface Spawned {
  readonly pid: number | undefined;
  /** Resolves when it is at work; never where it ends before. */
  readonly ready: Promise<unknown>;
  readonly ended: Promise<unknown>;
  /** Asks it to drain and end. */
  stop(): void;
}

export interface LocalOptions {
  spawn: (pool: string, name: string) => Spawned;
  /** Chunks each of these processes holds; those that are not in it hold none. Idle ones are let go first. */
  heldBy: () => Promise<ReadonlyMap<number, number>>;
  /** Told when one ended that nobody had asked to. */
  onDeath?: (name: string) => void;
}

interface Own extends Member {
  process: Spawned;
  since: number;
}

/** Seconds a process must live for its death not to count as one in a row. */
const steady = 30;

/** Worker processes on this machine. */
export class LocalFleet implements Fleet {
  readonly #options: LocalOptions;
  readonly #members = new Map<string, Own>();
  /** Deaths in a row of each pool, and until when nothing is started for it. */
  readonly #deaths = new Map<string, { count: number; until: number }>();
  #count = 0;
  #ending = false;

  constructor(options: LocalOptions) {
    this.#options = options;
  }

  async setTarget(pool: string, workers: number): Promise<void> {
    const alive = this.#alive(pool);
    if (alive.length < workers) {
      if ((this.#deaths.get(pool)?.until ?? 0) > performance.now()) return;
      for (let i = alive.length; i < workers && !this.#ending; i++) this.#start(pool);
      return;
    }
    if (alive.length === workers) return;
    const held = await this.#options.heldBy().catch(() => new Map<number, number>());
    const load = ({ process, state }: Own): number => (state === 'starting' ? -1 : (held.get(process.pid ?? 0) ?? 0));
    // Asked again: some may have ended meanwhile.
    const surplus = this.#alive(pool).sort((a, b) => load(a) - load(b) || b.since - a.since);
    for (const member of surplus.slice(0, Math.max(0, surplus.length - workers))) this.#stop(member);
  }

  async drain(name: string): Promise<void> {
    const member = this.#members.get(name);
    if (member) this.#stop(member);
  }

  async list(): Promise<Member[]> {
    return [...this.#members.values()].map(({ name, pool, state }) => ({ name, pool, state }));
  }

  /** Drains all of them, and waits until they have ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending = true;
    const all = [...this.#members.values()];
    for (const member of all) this.#stop(member);
    await Promise.all(all.map(({ process }) => process.ended));
  }

  #alive(pool: string): Own[] {
    return [...this.#members.values()].filter((member) => member.pool === pool && member.state !== 'stopping');
  }

  #stop(member: Own): void {
    if (member.state === 'stopping') return;
    member.state = 'stopping';
    member.process.stop();
  }

  #start(pool: string): void {
    const name = `${pool}-${++this.#count}`;
    const process = this.#options.spawn(pool, name);
    const member: Own = { name, pool, state: 'starting', process, since: performance.now() };
    this.#members.set(name, member);
    void process.ready.then(
      () => {
        if (member.state === 'starting') member.state = 'running';
      },
      () => {},
    );
    void process.ended.then(() => {
      this.#members.delete(name);
      if (member.state === 'stopping') return;
      const count = performance.now() - member.since > steady * 1_000 ? 1 : (this.#deaths.get(pool)?.count ?? 0) + 1;
      this.#deaths.set(pool, { count, until: performance.now() + backoff(count, { base: 200, cap: 10_000 }) });
      this.#options.onDeath?.(name);
    });
  }
}
