import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry, type MetricObjectWithValues, type MetricValue } from 'prom-client';

/** What a process measures, as plain data that travels between processes. */
export type Figures = MetricObjectWithValues<MetricValue<string>>[];

/** Figures of one process: `role` and `process` become labels. */
export interface Source {
  role: string;
  /** `worker-2` where several run. */
  process: string;
  figures: Figures;
}

/** Every metric of Sluice. No ids among the labels: each value of a label is a time series for ever. */
export const createMetrics = ({ version, role }: { version: string; role?: 'api' | 'scheduler' | 'worker' }) => {
  const registry = new Registry();
  const registers = [registry];
  // A sample is a wake-up, and its interval is the least delay it can tell of: the default of 10 ms costs a process that
  // has nothing to do half a percent of a core. Only the API's delay is what somebody waits for.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: role === 'api' ? 25 : 200 });
  const build = new Gauge({
    name: 'sluice_build_info',
    help: 'Always 1; the version is a label.',
    labelNames: ['version', 'node'],
    registers,
  });
  build.set({ version, node: process.version }, 1);
  const metrics = {
    registry,
    batches: new Counter({
      name: 'sluice_batches_total',
      help: 'Batches that reached a terminal status.',
      labelNames: ['status'],
      registers,
    }),
    requests: new Counter({
      name: 'sluice_requests_total',
      help: 'Requests settled (completed, failed), and attempts that will be repeated (retried).',
      labelNames: ['model', 'outcome'],
      registers,
    }),
    dedupHits: new Counter({
      name: 'sluice_dedup_hits_total',
      help: 'Requests that got the answer of another one: of the same batch (batch), of another (cache), of a similar one (semantic).',
      labelNames: ['model', 'kind'],
      registers,
    }),
    duration: new Histogram({
      name: 'sluice_request_duration_seconds',
      help: 'How long the last attempt of a settled request took.',
      labelNames: ['model'],
      buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800],
      registers,
    }),
    tokens: new Counter({
      name: 'sluice_tokens_total',
      help: 'Tokens that models read and wrote.',
      labelNames: ['model', 'direction'],
      registers,
    }),
    tokensPerSecond: new Gauge({
      name: 'sluice_tokens_per_second',
      help: 'Tokens a second over the last minute, read and written.',
      labelNames: ['model'],
      registers,
    }),
    leases: new Gauge({ name: 'sluice_worker_leases', help: 'Chunks this worker holds.', registers }),
    fenced: new Counter({ name: 'sluice_fenced_writes_total', help: 'Writes refused because the lease was lost.', registers }),
    rescued: new Counter({ name: 'sluice_rescued_leases_total', help: 'Leases that ran out and were taken back.', registers }),
    intakeLines: new Counter({ name: 'sluice_intake_lines_total', help: 'Lines validated.', registers }),
    intakeSeconds: new Counter({ name: 'sluice_intake_seconds_total', help: 'Seconds spent on validating.', registers }),
    finalizedBytes: new Counter({ name: 'sluice_finalized_bytes_total', help: 'Bytes of output and error files written.', registers }),
    finalizeSeconds: new Counter({ name: 'sluice_finalize_seconds_total', help: 'Seconds spent on writing them.', registers }),
    queueDepth: new Gauge({
      name: 'sluice_queue_depth',
      help: 'Requests that wait for a worker; pool: the kind of workers that is to take them.',
      labelNames: ['pool', 'model', 'priority'],
      registers,
    }),
    queueAge: new Gauge({
      name: 'sluice_queue_oldest_age_seconds',
      help: 'Age of the oldest batch with waiting requests; 0 where none waits.',
      labelNames: ['pool'],
      registers,
    }),
    deadlineNearest: new Gauge({
      name: 'sluice_batch_sla_seconds_remaining_min',
      help: 'Seconds to the nearest deadline of a batch that has not ended; absent where there is none.',
      registers,
    }),
    queueWait: new Histogram({
      name: 'sluice_queue_wait_seconds',
      help: 'How long a chunk of requests had waited when a worker took it, since its batch was ready to run.',
      labelNames: ['pool'],
      buckets: [0.05, 0.25, 1, 5, 15, 60, 300, 900, 3_600, 14_400, 43_200, 86_400],
      registers,
    }),
    desired: new Gauge({
      name: 'sluice_pool_desired_workers',
      help: 'Workers the scheduler wants in a pool.',
      labelNames: ['pool'],
      registers,
    }),
    actual: new Gauge({ name: 'sluice_pool_actual_workers', help: 'Workers a pool has at work.', labelNames: ['pool'], registers }),
    desiredSpot: new Gauge({
      name: 'autoscaler_desired_spot_replicas',
      help: 'Workers the scheduler wants in all pools that may be taken away.',
      registers,
    }),
    desiredDedicated: new Gauge({
      name: 'autoscaler_desired_dedicated_replicas',
      help: 'Workers the scheduler wants in all other pools.',
      registers,
    }),
    escalations: new Counter({
      name: 'sluice_escalations_total',
      help: 'Batches whose work moved to dedicated workers.',
      registers,
    }),
    slaMet: new Counter({
      name: 'requests_sla_met_total',
      help: 'Requests of batches that have ended that were answered by the deadline.',
      registers,
    }),
    slaViolated: new Counter({
      name: 'requests_sla_violated_total',
      help: 'Requests of batches that have ended that were not; cancelled ones count as neither.',
      registers,
    }),
    deadLetters: new Gauge({
      name: 'sluice_dead_letters',
      help: 'Requests that used up their attempts, and that nobody has discarded.',
      labelNames: ['model'],
      registers,
    }),
    interruptions: new Counter({
      name: 'sluice_worker_interruptions_total',
      help: 'Workers that were told to end, and by whom (signal, file, endpoint, api), or that were lost.',
      labelNames: ['pool', 'by'],
      registers,
    }),
    bulkOperations: new Counter({
      name: 'sluice_portal_bulk_operations_total',
      help: 'Bulk operations that have ended: completed, stopped or failed.',
      labelNames: ['action', 'outcome'],
      registers,
    }),
    streams: new Gauge({ name: 'sluice_sse_connections', help: 'Streams of events that somebody reads.', registers }),
    dequeued: new Counter({ name: 'worker_dequeue_total', help: 'Requests leased.', labelNames: ['pool'], registers }),
    completed: new Counter({ name: 'worker_completed_total', help: 'Requests completed.', labelNames: ['pool'], registers }),
    failed: new Counter({ name: 'worker_failed_total', help: 'Requests that failed for good.', labelNames: ['pool'], registers }),
    idleSeconds: new Counter({ name: 'worker_idle_seconds', help: 'Seconds without a lease.', labelNames: ['pool'], registers }),
  };
  metrics.deadlineNearest.remove();
  // A series that never moves, from a process that cannot move it, is noise on a page and a trap in a `max()`.
  for (const [name, owner] of Object.entries(owners)) if (role && owner !== role) registry.removeSingleMetric(name);
  return metrics;
};

/** Which role moves which metric; those not named are every process's. */
const owners: Record<string, 'api' | 'scheduler' | 'worker'> = {
  sluice_queue_depth: 'api',
  sluice_queue_oldest_age_seconds: 'api',
  sluice_batch_sla_seconds_remaining_min: 'api',
  sluice_sse_connections: 'api',
  sluice_pool_desired_workers: 'api',
  sluice_pool_actual_workers: 'api',
  autoscaler_desired_spot_replicas: 'api',
  autoscaler_desired_dedicated_replicas: 'api',
  sluice_batches_total: 'scheduler',
  sluice_escalations_total: 'scheduler',
  requests_sla_met_total: 'scheduler',
  requests_sla_violated_total: 'scheduler',
  sluice_rescued_leases_total: 'scheduler',
  sluice_portal_bulk_operations_total: 'scheduler',
  sluice_intake_lines_total: 'scheduler',
  sluice_intake_seconds_total: 'scheduler',
  sluice_finalized_bytes_total: 'scheduler',
  sluice_finalize_seconds_total: 'scheduler',
  sluice_requests_total: 'worker',
  sluice_request_duration_seconds: 'worker',
  sluice_dedup_hits_total: 'worker',
  sluice_tokens_per_second: 'worker',
  sluice_worker_leases: 'worker',
  sluice_fenced_writes_total: 'worker',
  sluice_queue_wait_seconds: 'worker',
  sluice_worker_interruptions_total: 'scheduler',
  sluice_dead_letters: 'api',
  worker_dequeue_total: 'worker',
  worker_completed_total: 'worker',
  worker_failed_total: 'worker',
  worker_idle_seconds: 'worker',
};

export type Metrics = ReturnType<typeof createMetrics>;

export const figuresOf = async ({ registry }: Metrics): Promise<Figures> => registry.getMetricsAsJSON();

export const contentType = Registry.PROMETHEUS_CONTENT_TYPE;

/**
 * Figures of several processes as one page. Each keeps its own series (labels `role` and `process`), so that a
 * process that starts anew looks like one, and not like a sum that falls.
 */
export const render = async (sources: readonly Source[]): Promise<string> => {
  const merged = new Map<string, Figures[number]>();
  for (const { role, process, figures } of sources)
    for (const figure of figures) {
      const values = figure.values.map((value) => ({ ...value, labels: { role, process, ...value.labels } }));
      const known = merged.get(figure.name);
      if (known) known.values.push(...values);
      else merged.set(figure.name, { ...figure, values });
    }
  const registry = new Registry();
  // Histograms come as their buckets, ready to print; `get` is all that printing asks of a metric.
  for (const figure of merged.values()) registry.registerMetric({ ...figure, get: async () => figure } as never);
  return registry.metrics();
};
