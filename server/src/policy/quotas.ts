/** What may be held at once; null: any number. */
export interface Quota {
  /** Batches that have not ended. */
  maxBatches: number | null;
  /** Requests that wait to be run. */
  maxQueuedRequests: number | null;
  /** Requests that run. */
  maxInFlight: number | null;
  /** Bytes of the inputs of batches that have not ended. */
  maxQueuedBytes: number | null;
}

export interface Quotas {
  /** All tenants together. */
  global: Quota;
  /** Each tenant, where `tenants` says nothing else. */
  tenant: Quota;
  /** Each user of a tenant. */
  user: Quota;
  /** Tenants of which some of it is otherwise. */
  tenants: Readonly<Record<string, Partial<Quota>>>;
}

const unlimited: Quota = { maxBatches: null, maxQueuedRequests: null, maxInFlight: null, maxQueuedBytes: null };
export const noQuotas: Quotas = { global: unlimited, tenant: unlimited, user: unlimited, tenants: {} };

export const scopes = ['user', 'tenant', 'global'] as const;
export type Scope = (typeof scopes)[number];

/** What holds for whom. */
export const quotasOf = (quotas: Quotas, tenant: string): Record<Scope, Quota> => ({
  user: quotas.user,
  tenant: { ...quotas.tenant, ...(Object.hasOwn(quotas.tenants, tenant) ? quotas.tenants[tenant] : undefined) },
  global: quotas.global,
});

/** Requests that one batch of a tenant may have in flight, were it alone; null: any number. */
export const capOf = (quotas: Quotas, tenant: string): number | null => {
  const caps = Object.values(quotasOf(quotas, tenant)).flatMap(({ maxInFlight }) => (maxInFlight === null ? [] : [maxInFlight]));
  return caps.length === 0 ? null : Math.min(...caps);
};

/** Whether any requests in flight are limited. */
export const limitsFlight = ({ global, tenant, user, tenants }: Quotas): boolean =>
  [global, tenant, user, ...Object.values(tenants)].some(({ maxInFlight }) => maxInFlight !== null && maxInFlight !== undefined);
