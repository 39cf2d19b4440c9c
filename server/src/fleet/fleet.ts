/** A worker as the fleet sees it: a process, a pod. */
export interface Member {
  /** The fleet's own name for it. */
  name: string;
  pool: string;
  /** `starting`: asked for, and not yet at work. `stopping`: asked to end, and not yet gone. */
  state: 'starting' | 'running' | 'stopping';
}

/**
 * A way to have more or fewer workers. `setTarget` says how many a pool should have and comes back at once; it may be
 * repeated, and each time what is missing is started again. Fewer means that some drain: what they have not started
 * goes back to the queue, what runs is finished within the notice. Implementations pass `conformance.ts`.
 */
export interface Fleet extends AsyncDisposable {
  setTarget(pool: string, workers: number): Promise<void>;
  /** Drains one member; the pool's target stays, so that another takes its place. One that is gone is no error. */
  drain(member: string): Promise<void>;
  list(): Promise<Member[]>;
}
