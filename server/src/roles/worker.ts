import { observeWorker } from '../telemetry/observe.ts';
import { Worker } from '../workers/worker.ts';
import type { Role } from './role.ts';

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
    const ended = new Promise<void>((resolve) => {
      worker.once('drained', resolve);
      if (parts.config.worker.once) worker.once('idle', resolve);
    });
    await worker.start();
    return {
      ended,
      async stop() {
        const timer = setTimeout(() => worker.abort(), parts.config.worker.noticeSeconds * 1_000);
        await worker.stop();
        clearTimeout(timer);
      },
    };
  },
};
