import type { Analytics } from '@sluice/contract';
import type { Context } from '../context.ts';
import { count, duration, printFields, printJson, printTable, when } from '../output.ts';

export interface AnalyticsOptions {
  from?: number;
  to?: number;
}

export const analytics = async ({ client, terminal, fields }: Context, options: AnalyticsOptions): Promise<void> => {
  const found = await client.get<Analytics>('/v1/analytics', { ...options });
  if (fields) return printJson(terminal, found, fields);
  const { batches, requests } = found;
  const { p50, p95 } = batches.duration_seconds;
  printFields(terminal, {
    time: `${when(found.from)} to ${when(found.to)}`,
    batches: `${count(batches.total)} (${Object.entries(batches.by_status)
      .map(([status, n]) => `${count(n)} ${status}`)
      .join(', ')})`,
    requests: `${count(requests.total)}: ${count(requests.completed)} completed, ${count(requests.failed)} failed`,
    'took, median': p50 === null ? null : duration(p50),
    'took, 95 %': p95 === null ? null : duration(p95),
  });
  const part = <T>(items: readonly T[], columns: Parameters<typeof printTable<T>>[2]) => {
    if (items.length === 0) return;
    terminal.out.write('\n');
    printTable(terminal, items, columns);
  };
  part(found.models, {
    model: (row) => row.model,
    requests: (row) => row.requests,
    completed: (row) => row.completed,
    failed: (row) => row.failed,
    'tokens in': (row) => row.input_tokens,
    'tokens out': (row) => row.output_tokens,
  });
  part(found.failures, { failure: (row) => row.code, requests: (row) => row.requests });
  part(found.users, { user: (row) => row.user, batches: (row) => row.batches, requests: (row) => row.requests });
  part(found.days, { day: (row) => row.day, batches: (row) => row.batches, requests: (row) => row.requests, failed: (row) => row.failed });
};
