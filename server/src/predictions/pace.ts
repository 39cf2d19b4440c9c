/**
 * How long a run of n rows takes, in milliseconds: a + b·n by least squares over what was measured, older runs
 * counting less (each by 3 % for every one after it), so that it follows a machine that others use too.
 */
export class Pace {
  #weight = 0;
  #n = 0;
  #ms = 0;
  #nn = 0;
  #nms = 0;

  add(rows: number, ms: number): void {
    const keep = 0.97;
    this.#weight = keep * this.#weight + 1;
    this.#n = keep * this.#n + rows;
    this.#ms = keep * this.#ms + ms;
    this.#nn = keep * this.#nn + rows * rows;
    this.#nms = keep * this.#nms + rows * ms;
  }

  /** Null while nothing was measured. */
  of(rows: number): number | null {
    if (this.#weight === 0) return null;
    const [n, ms] = [this.#n / this.#weight, this.#ms / this.#weight];
    const spread = this.#nn / this.#weight - n * n;
    // Runs of one size say nothing about others: then all of it is taken as per row.
    if (spread < 1e-6 * n * n) return (ms * rows) / n;
    const b = Math.max(0, (this.#nms / this.#weight - n * ms) / spread);
    return Math.max(0, ms - b * n) + b * rows;
  }
}
