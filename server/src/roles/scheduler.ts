import { Scheduler } from '../scheduler/scheduler.ts';
import { observeScheduler } from '../telemetry/observe.ts';
import { keepKubernetes } from './kubernetes.ts';
import type { Role } from './role.ts';
import { openTables } from './tables.ts';

export const scheduler: Role = {
  name: 'scheduler',
  channels: ['batches', 'turns', 'models'],
  connections: 8,
  // Its statements move thousands of chunks at once.
  statementTimeout: (lease) => Math.min(30_000, Math.max(5_000, lease)),
  serves: false,
  async start(parts) {
    const tables = await openTables({ ...parts, keepFeatures: true });
    const scheduler = new Scheduler({ ...parts, tables });
    observeScheduler(scheduler, parts.metrics, parts.db);
    scheduler.start();
    const scaling = await keepKubernetes(parts);
    return {
      async stop() {
        await scaling?.stop();
        await scheduler.stop();
        await tables[Symbol.asyncDispose]();
      },
    };
  },
};
