import type { ApiKey } from './auth/identity.ts';
import type { ModelSpec } from './models/models.ts';

export interface Limits {
  /** Lines a batch may have. */
  maxLines: number;
  /** Bytes a file may have. */
  maxFileBytes: number;
  /** Bytes a line may have. */
  maxLineBytes: number;
  /** Errors kept in a failed batch's `errors.data`; the whole list is a file. */
  maxErrors: number;
  /** OpenAI's own limits: 50,000 lines, 200 MB, one model a file, window 24h. */
  openai: boolean;
}

export interface Timing {
  /** Seconds a lease lasts without a heartbeat. */
  leaseSeconds: number;
  /** Seconds between two heartbeats. */
  heartbeatSeconds: number;
  /** Milliseconds between two polls while there is work, and the least when there is none. */
  pollMinMs: number;
  pollMaxMs: number;
  /** Seconds between two sweeps for expired leases, deadlines and batches whose events were lost. */
  sweepSeconds: number;
  /** Seconds that requests in flight get to finish after a cancel (mode `stop`). */
  cancelGraceSeconds: number;
  /** Milliseconds after which a chunk settles what it has. */
  settleMs: number;
}

export interface Config {
  host: string;
  port: number;
  dataDir: string;
  /** Absent: embedded PostgreSQL in the data directory. */
  databaseUrl: string | null;
  keys: readonly ApiKey[];
  models: readonly ModelSpec[];
  limits: Limits;
  timing: Timing;
  worker: {
    pool: string;
    /** Chunks one worker holds at once. */
    chunks: number;
    /** Bytes of memory its models may hold together. */
    modelMemory: number;
  };
  /** Worker processes that role `all` starts. */
  workers: number;
  retry: { maxAttempts: number; baseMs: number; capMs: number };
  log: { level: string; pretty: boolean };
}
