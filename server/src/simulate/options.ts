import type { AdmissionMode } from '../policy/admission.ts';
import { zones, type Availability } from './availability.ts';
import type { ControllerName } from './controllers.ts';
import type { Arrival } from './workload.ts';

/** One simulated pool pair; seconds, prices per worker-hour. */
export interface Pools {
  readonly spot: { readonly slots: number; readonly price: number; readonly rate: number };
  readonly dedicated: { readonly max: number; readonly min: number; readonly price: number; readonly rate: number };
}

export interface Options {
  readonly seed: number | string;
  readonly workload: readonly Arrival[];
  readonly policy: ControllerName;
  /** Safety factor on work. */
  readonly factor: number;
  readonly pools: Pools;
  readonly availability: Availability;
  /** Start of a worker of either kind. */
  readonly coldStart: number;
  /** Warning before a spot worker is taken; 0: none, and what it held comes back when its lease runs out. */
  readonly notice: number;
  readonly tick: number;
  readonly lease: number;
  /** Work of one chunk at most, in worker-seconds by estimate. */
  readonly chunk: number;
  readonly finalize: number;
  /** Deviation of the logarithm of each chunk's true cost; its mean stays. */
  readonly noise: number;
  readonly admission: AdmissionMode;
  /** Requests a tenant may have in flight; null: any number. */
  readonly tenantCap: number | null;
  /** Check the invariants at every tick, and report what broke them. */
  readonly check: boolean;
  /** The controller does nothing between these times (it died). */
  readonly dead?: { readonly from: number; readonly to: number };
}

/** 16 workers of either kind, spot at a third of the price: the setting of the published comparison. */
export const defaults: Omit<Options, 'workload'> = {
  seed: 1,
  policy: 'rho_0_7',
  factor: 1.25,
  pools: { spot: { slots: 16, price: 1, rate: 1 }, dedicated: { max: 16, min: 0, price: 3, rate: 1 } },
  availability: { kind: 'zone', zone: zones[3]!, correlated: 1 },
  coldStart: 300,
  notice: 120,
  tick: 30,
  lease: 60,
  chunk: 60,
  finalize: 30,
  noise: 0,
  admission: 'refuse',
  tenantCap: null,
  check: false,
};

/** The generator's availability for a seed: all nine zones in turn, slots together, half of them together, and each alone. */
export const availabilityOf = (seed: number): Availability => ({
  kind: 'zone',
  zone: zones[seed % zones.length]!,
  correlated: [1, 0.94, 0.5, 0][Math.floor(seed / zones.length) % 4]!,
});
