/** Lookups of a model after which its hits are judged. */
const judged = 512;
/** Below this share of hits looking up costs more than it saves; above `back` it is worth it again. */
const least = 0.02;
const back = 0.05;
/** Of the keys of a model that is bypassed, one in so many is still looked up, always the same ones: their hits tell. */
const probes = 16;

/** A number made of some of a question's bytes, or characters: cheap, where a digest costs more than a small model takes. */
export const sampleOf = (question: string | Uint8Array): number => {
  let sample = question.length;
  const step = Math.max(1, question.length >> 5);
  for (let i = 0; i < question.length; i += step)
    sample = (Math.imul(sample, 31) + (typeof question === 'string' ? question.charCodeAt(i) : question[i]!)) >>> 0;
  // The low bits of a sum of few values say little.
  return (Math.imul(sample, 2_654_435_761) >>> 8) & 0xffff;
};

interface Tally {
  asked: number;
  hits: number;
  bypassed: boolean;
}

/**
 * Whether a model's answers are worth looking up. Where all requests differ, a cache only takes time and pushes other
 * models' answers out (Triton lost five sixths of its throughput that way, triton#4379).
 */
export class Worth {
  readonly #tallies = new Map<string, Tally>();

  /** @param sample a number that is the same for the same question */
  looksUp(model: string, sample: number): boolean {
    const tally = this.#tallies.get(model);
    return tally === undefined || !tally.bypassed || sample % probes === 0;
  }

  saw(model: string, hit: boolean): void {
    let tally = this.#tallies.get(model);
    if (tally === undefined) this.#tallies.set(model, (tally = { asked: 0, hits: 0, bypassed: false }));
    tally.asked++;
    if (hit) tally.hits++;
    if (tally.asked < (tally.bypassed ? judged / 4 : judged)) return;
    const share = tally.hits / tally.asked;
    tally.bypassed = share < (tally.bypassed ? back : least);
    tally.asked = 0;
    tally.hits = 0;
  }

  bypassed(model: string): boolean {
    return this.#tallies.get(model)?.bypassed ?? false;
  }
}
