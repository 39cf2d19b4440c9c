/**
 * Virtual token counters: what each tenant has been served, divided by its weight. The tenant with the least is next.
 * Two tenants that both always have work differ by at most twice what is in flight.
 * Source: Sheng et al., "Fairness in Serving Large Language Models" (VTC), OSDI 2024, algorithm 2.
 */
export interface Account {
  /** Work served so far, over the weight, in worker-seconds. */
  counter: number;
  /** Its share relative to others; 1 unless configured. */
  weight: number;
  /** Requests in flight now. */
  running: number;
  /** Requests it may have in flight; null: any number. */
  cap: number | null;
}

/**
 * The counter of a tenant that comes back with work after having had none: nobody saves up turns while idle.
 *
 * @param backlogged the counters of the others who have work waiting
 * @param lastServed the counter of who was served last, used when nobody has
 */
export const lift = (counter: number, backlogged: readonly number[], lastServed: number): number =>
  Math.max(counter, backlogged.length > 0 ? Math.min(...backlogged) : lastServed);

/** The counter after work was claimed: charged at once by its estimate, or two workers would be given the same turn. */
export const charge = (counter: number, weight: number, work: number): number => counter + work / Math.max(weight, Number.EPSILON);

/** The counter once it is known what the claimed work really took. Work that came back unstarted is corrected to 0. */
export const correct = (counter: number, weight: number, estimated: number, actual: number): number =>
  charge(counter, weight, actual - estimated);
