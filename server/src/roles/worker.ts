import { observeWorker } from '../telemetry/observe.ts';
import { Worker } from '../workers/worker.ts';
import type { Role } from './role.ts';

/** Milliseconds that requests under way get after a stop; what has not ended then goes back to the queue. */
const drain = 30_000;

export const worker: Role = {
  name: 'worker',
  channels: ['chunks', 'control'],
  connections: 6,
  // A heartbeat that hangs must have failed, and another have been tried, before the leases run out.
  statementTimeout: (lease) => Math.max(1_000, Math.round(lease / 3)),
  serves: false,
  async start(parts) {
    const worker = new Worker(parts);
    observeWorker(worker, parts.metrics);
    await worker.start();
    return {
      async stop() {
        const timer = setTimeout(() => worker.abort(), drain);
        await worker.stop();
        clearTimeout(timer);
      },
    };
  },
};
