import { Scheduler } from '../scheduler/scheduler.ts';
import { observeScheduler } from '../telemetry/observe.ts';
import type { Role } from './role.ts';

export const scheduler: Role = {
  name: 'scheduler',
  channels: ['batches'],
  connections: 8,
  serves: false,
  async start(parts) {
    const scheduler = new Scheduler(parts);
    observeScheduler(scheduler, parts.metrics);
    scheduler.start();
    return { stop: () => scheduler.stop() };
  },
};
