import type { Fleet } from './fleet.ts';
import type { Ledger } from './ledger.ts';

/**
 * What breaks an invariant at this moment, in its own words and not by the policy's code: S3 (no ready worker idles while
 * it could run something), S6 (nobody above a limit), and that no request is lost or doubled.
 */
export const inspect = (ledger: Ledger, fleet: Fleet, now: number): string[] => {
  const { backlog, tail } = ledger.desk;
  const broken: string[] = [];
  const runs = (tenant: string): number => backlog.reduce((sum, entry) => sum + (entry.tenant === tenant ? entry.running : 0), 0);
  const full = (tenant: string): boolean => runs(tenant) >= (ledger.accounts.get(tenant)?.cap ?? Infinity);
  for (const { kind, ready, draining, running } of fleet.workers) {
    if (!ready || draining || running) continue;
    const left = backlog.find(
      (entry) =>
        entry.chunks > 0 &&
        entry.running < (entry.width ?? Infinity) &&
        !full(entry.tenant) &&
        (kind === 'dedicated' || entry.deadline! - now >= tail),
    );
    if (left) broken.push(`${now}: a ${kind} worker idles while ${left.batch} waits`);
  }
  for (const [tenant, { running, cap }] of ledger.accounts)
    if (running !== runs(tenant) || running > (cap ?? Infinity)) broken.push(`${now}: ${tenant} runs ${running} of ${cap}`);
  for (const { batch, running, width } of backlog)
    if (running > (width ?? Infinity)) broken.push(`${now}: ${batch} runs ${running} of ${width}`);
  const held = new Map<number, number>();
  for (const { running } of fleet.workers) if (running) held.set(running.batch, (held.get(running.batch) ?? 0) + running.requests);
  for (const index of ledger.live) {
    const { arrival, queued, settled } = ledger.items[index]!;
    const known = queued + settled + (held.get(index) ?? 0);
    // Fewer are known only while a vanished worker's lease runs.
    if (known > arrival.requests) broken.push(`${now}: ${arrival.batch} counts ${known} of ${arrival.requests}`);
  }
  return broken;
};
