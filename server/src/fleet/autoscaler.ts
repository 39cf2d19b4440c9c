import type { Db } from '../db/db.ts';
import { sql } from '../db/sql.ts';
import { Loop } from '../lib/loop.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { hold, nothingHeld, type Hold } from '../policy/hold.ts';
import type { Fleet } from './fleet.ts';

export interface AutoscalerOptions {
  /** Asked at every round: the database may have moved. */
  db: () => Db;
  /** The pools it keeps, each with the fleet its workers are in. */
  fleets: ReadonlyMap<string, Fleet>;
  log: Logger;
  /** Seconds between two rounds. */
  everySeconds: number;
  /** Seconds for which fewer must have been wanted before there are fewer. */
  holdSeconds: number;
}

interface Wanted {
  name: string;
  desired: number;
  minimum: number;
  reason: string;
  now: number;
}

/** Seconds after which a decision is old: the scheduler is away, and nothing is given back. */
const old = 60;

/**
 * Brings the workers that there are to the workers that are wanted: reads what the controller wrote for each pool, and
 * tells the pool's fleet. It grows at once and shrinks slowly, and not at all while nobody decides.
 */
export class Autoscaler implements AsyncDisposable {
  readonly #options: AutoscalerOptions;
  readonly #loop: Loop;
  readonly #held = new Map<string, Hold>();

  constructor(options: AutoscalerOptions) {
    this.#options = options;
    const ms = options.everySeconds * 1_000;
    const onError = (error: unknown): void => options.log.warn({ reason: messageOf(error) }, 'the workers could not be counted');
    this.#loop = new Loop({ name: 'autoscaler', run: () => this.#round(), min: ms, max: ms, onError });
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #round(): Promise<boolean> {
    const { fleets, log, holdSeconds } = this.#options;
    for (const { name, desired, minimum, reason, now } of await this.#read()) {
      const before = this.#held.get(name) ?? nothingHeld;
      const held = hold(before, { now, wanted: desired, usable: Infinity, min: minimum, seconds: holdSeconds });
      this.#held.set(name, held);
      if (held.workers !== before.workers) log.info({ pool: name, from: before.workers, to: held.workers, reason }, 'workers wanted');
      try {
        await fleets.get(name)!.setTarget(name, held.workers);
      } catch (error) {
        // Of one pool; the others go on.
        log.error({ pool: name, reason: messageOf(error) }, 'a fleet could not be told how many workers are wanted');
      }
    }
    return false;
  }

  #read(): Promise<Wanted[]> {
    return this.#options.db().many<Wanted>(sql`
      select name, desired, minimum, reason, extract(epoch from now())::float8 as now from pools
      where name = any(${[...this.#options.fleets.keys()]}::text[]) and decided_at > now() - make_interval(secs => ${old})`);
  }
}
