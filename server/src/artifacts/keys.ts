import { requestId } from '../lib/ids.ts';

/**
 * Where files of requests and jobs lie. While a request runs, its files go to a folder of that attempt under that lease:
 * a worker that was fenced writes beside the one that holds the lease now, never over it.
 */
export const batchFolder = (tenant: string, batchId: string): string => `${tenant}/batches/${batchId}`;

export const requestFolder = (tenant: string, batchId: string, line: number): string =>
  `${batchFolder(tenant, batchId)}/jobs/${requestId(batchId, line)}`;

export const jobFolder = (tenant: string, id: string): string => `${tenant}/jobs/${id}`;

/** The folder of one attempt, inside that of its request or job. */
export const attemptFolder = (folder: string, token: number, attempt: number): string => `${folder}/${token}-${attempt}`;
