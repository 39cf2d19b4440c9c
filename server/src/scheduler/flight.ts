import type { Db } from '../db/db.ts';
import { capOf, limitsFlight, noQuotas, quotasOf, type Quotas } from '../policy/quotas.ts';
import { dropTurns, readFlight, writeCaps, type Waiting } from '../requests/turns.ts';

/** Requests in flight, and how many there may be. */
export interface Room {
  running: number;
  cap: number;
}

/** Requests in flight as quotas see them; only what has a cap is there. */
export interface Flight {
  capped: boolean;
  tenants: ReadonlyMap<string, Room>;
  /** By `userKey`. */
  users: ReadonlyMap<string, Room>;
  all: Room | null;
}

/** Users of two tenants may have the same name. */
export const userKey = (tenant: string, user: string): string => `${tenant} ${user}`;

const unlimited: Flight = { capped: false, tenants: new Map(), users: new Map(), all: null };

/**
 * Counts what is in flight, exactly: the last plan is dropped first, so that claims under way are waited for and
 * counted, and none comes in between. Only the turns of the new plan can put more in flight.
 */
export const openFlight = async (tx: Db, quotas: Quotas = noQuotas): Promise<Flight> => {
  if (!limitsFlight(quotas)) return unlimited;
  await dropTurns(tx);
  const rows = await readFlight(tx);
  const room = (cap: number | null, of: (row: (typeof rows)[number]) => boolean): Room | null =>
    cap === null ? null : { cap, running: rows.filter(of).reduce((sum, row) => sum + row.running, 0) };
  const known = <T>(entries: readonly (readonly [string, T | null])[]): Map<string, T> =>
    new Map(entries.filter((entry): entry is readonly [string, T] => entry[1] !== null));
  const owners = new Map(rows.map((row) => [userKey(row.tenant_id, row.user), row]));
  return {
    capped: true,
    tenants: known(
      [...new Set(rows.map((row) => row.tenant_id))].map((tenant) => [
        tenant,
        room(quotasOf(quotas, tenant).tenant.maxInFlight, (row) => row.tenant_id === tenant),
      ]),
    ),
    users: known(
      [...owners].map(([key, { tenant_id, user }]) => [
        key,
        room(quotas.user.maxInFlight, (row) => row.tenant_id === tenant_id && row.user === user),
      ]),
    ),
    all: room(quotas.global.maxInFlight, () => true),
  };
};

/** Those that have nothing in flight yet have room too. */
export const withWaiting = (flight: Flight, waiting: readonly Waiting[], quotas: Quotas = noQuotas): Flight => {
  if (!flight.capped) return flight;
  const [tenants, users] = [new Map(flight.tenants), new Map(flight.users)];
  for (const { tenant_id: tenant, user } of waiting) {
    const limits = quotasOf(quotas, tenant);
    if (limits.tenant.maxInFlight !== null && !tenants.has(tenant)) tenants.set(tenant, { running: 0, cap: limits.tenant.maxInFlight });
    const key = userKey(tenant, user);
    if (limits.user.maxInFlight !== null && !users.has(key)) users.set(key, { running: 0, cap: limits.user.maxInFlight });
  }
  return { ...flight, tenants, users };
};

/**
 * Each batch no wider than what quotas allow it alone: workers then run no more of a chunk at once, however large it is.
 * Its next chunk counts as the largest that may be it.
 */
export const capWaiting = async (tx: Db, waiting: readonly Waiting[], quotas: Quotas = noQuotas): Promise<Waiting[]> => {
  const caps = new Map(waiting.map((group) => [group.batch_no, capOf(quotas, group.tenant_id)]));
  await writeCaps(
    tx,
    [...new Map(waiting.map((group) => [group.batch_no, group])).values()]
      .filter((group) => group.cap !== caps.get(group.batch_no))
      .map(({ batch_no: batchNo }) => ({ batchNo, cap: caps.get(batchNo)! })),
  );
  return waiting.map((group) => {
    const cap = caps.get(group.batch_no)!;
    return cap === null ? group : { ...group, width: Math.min(group.width ?? cap, cap), takes: group.largest };
  });
};
