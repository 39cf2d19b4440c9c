import { observeWorker } from '../telemetry/observe.ts';
import { Vetter } from '../vetting/vetter.ts';
import { NoticeFile } from '../workers/notice.ts';
import { Worker } from '../workers/worker.ts';
import type { Role } from './role.ts';

export const worker: Role = {
  name: 'worker',
  channels: ['chunks', 'coming', 'jobs', 'control', 'models'],
  connections: 6,
  // A heartbeat that hangs must have failed, and another have been tried, before the leases run out.
  statementTimeout: (lease) => Math.max(1_000, Math.round(lease / 3)),
  indexed: true,
  serves: false,
  async start(parts) {
    const worker = new Worker(parts);
    observeWorker(worker, parts.metrics, parts.config.worker.pool);
    const ended = new Promise<void>((resolve) => {
      worker.once('drained', resolve);
      if (parts.config.worker.once) worker.once('idle', resolve);
    });
    await worker.start();
    // A worker that ends when nothing is left to do is there for batches.
    const vetter =
      parts.config.worker.vetting && !parts.config.worker.once
        ? new Vetter({ ...parts, leaseSeconds: parts.config.timing.leaseSeconds, limits: { bytes: parts.config.registry.maxBytes } })
        : null;
    vetter?.start();
    const { noticeFile } = parts.config.worker;
    const told = (by: 'file' | 'endpoint', seconds: number | null): void => {
      parts.log.info({ by, seconds }, 'notice: this worker will be taken away');
      worker.drain(by, seconds ?? undefined);
    };
    parts.health.notice = (seconds) => told('endpoint', seconds);
    const notice =
      noticeFile === null
        ? null
        : new NoticeFile({
            file: noticeFile,
            everyMs: parts.config.timing.heartbeatSeconds * 1_000,
            onNotice: (seconds) => told('file', seconds),
          });
    notice?.start();
    return {
      ended,
      async stop() {
        await notice?.stop();
        await Promise.all([vetter?.stop(), worker.stop()]);
      },
    };
  },
};
