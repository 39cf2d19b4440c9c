/** What is kept between rounds to make a fleet shrink slowly. */
export interface Hold {
  /** Workers asked for last. */
  readonly workers: number;
  /** When fewer were first wanted; null while they are all wanted. */
  readonly since: number | null;
  /** The most that was wanted since then. */
  readonly peak: number;
}

export const nothingHeld: Hold = { workers: 0, since: null, peak: 0 };

export interface Wish {
  readonly now: number;
  /** Workers wanted in this round. */
  readonly wanted: number;
  /** Workers that could have something to do; more than that are let go at once: it is certain that they idle. */
  readonly usable: number;
  /** Workers that are kept in any case. */
  readonly min: number;
  /** Seconds below the target before it falls. */
  readonly seconds: number;
}

/**
 * Grows at once, and shrinks after `seconds` below the target, to the most that was wanted meanwhile. Not enough work to
 * keep the workers busy is the one reason to shrink earlier.
 */
export const hold = (held: Hold, { now, wanted, usable, min, seconds }: Wish): Hold => {
  if (wanted >= held.workers) return { workers: wanted, since: null, peak: wanted };
  const occupied = Math.max(wanted, min, Math.min(held.workers, usable));
  if (occupied <= wanted) return { workers: occupied, since: null, peak: occupied };
  // A clock that went backwards starts the wait again.
  if (held.since === null || held.since > now) return { workers: occupied, since: now, peak: wanted };
  const peak = Math.max(held.peak, wanted);
  if (now - held.since < seconds) return { workers: occupied, since: held.since, peak };
  return { workers: Math.min(occupied, Math.max(peak, min)), since: null, peak };
};
