import type { Held, UsageReport } from '@sluice/contract';
import type { Context } from '../context.ts';
import { count, printJson, printTable } from '../output.ts';

const rows = [
  ['batches', 'batches'],
  ['queued requests', 'queued_requests'],
  ['in flight', 'in_flight'],
  ['queued bytes', 'queued_bytes'],
] as const;

const shown = (held: Held, field: keyof Held): string => {
  const { used, limit } = held[field];
  return limit === null ? count(used) : `${count(used)} of ${count(limit)}`;
};

/** What of the quotas is in use. */
export const usage = async ({ client, terminal, fields }: Context): Promise<void> => {
  const found = await client.get<UsageReport>('/v1/usage');
  if (fields) return printJson(terminal, found, fields);
  printTable(terminal, rows, {
    '': ([name]) => name,
    [`user ${found.user.name}`]: ([, field]) => shown(found.user, field),
    [`tenant ${found.tenant.name}`]: ([, field]) => shown(found.tenant, field),
    all: ([, field]) => shown(found.global, field),
  });
};
