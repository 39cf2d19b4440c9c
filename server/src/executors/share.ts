/** Of the room of a model, what tasks that are not urgent are sure of, where nobody says. */
export const usualShare = 0.2;

/**
 * What tasks that are not urgent are owed of a room that they share with urgent ones, which go before them: so many turns for
 * each that an urgent one had while they waited. Nobody saves up: they are owed nothing once none of them waits, and what
 * they had beyond their share is forgotten.
 */
export class Share {
  /** Turns for each of an urgent task. */
  readonly #rate: number;
  #debt = 0;

  /** @param share of the room that the others are sure of, from 0 to 1 */
  constructor(share: number) {
    this.#rate = share / (1 - share);
  }

  /** Tasks of the others that go before the urgent ones now. */
  get owed(): number {
    return Math.floor(this.#debt + 1e-9);
  }

  /** @param waited whether others waited while urgent tasks went */
  urgent(tasks: number, waited: boolean): void {
    this.#debt = waited ? this.#debt + this.#rate * tasks : 0;
  }

  others(tasks: number): void {
    this.#debt = Math.max(0, this.#debt - tasks);
  }
}
