/** A model that a route recommends. */
export interface Recommended {
  /** `name`, `name@version` or `name@alias`. */
  model: string;
  /** How much its answer counts beside those of the others; the heaviest is named first. */
  weight: number;
  /** Seconds since the epoch; null: always has been. */
  valid_from: number | null;
  /** Not included; null: without an end. */
  valid_until: number | null;
}

/** A route of the configuration: seen by every tenant. */
export interface DeclaredRoute {
  target: string;
  /** Null: of every series that has no route of its own. */
  series: string | null;
  models: readonly Recommended[];
  note: string | null;
}

/** A word that follows `/v1/routes/` otherwise. */
const taken = 'options';

/** What is wrong with a target or series, to follow its word; null where nothing is. */
export const routeNameProblem = (name: string): string | null => {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name))
    return `must be 1 to 64 letters, digits, '.', '_' or '-', with a letter or digit first.`;
  return name === taken ? `must not be '${name}': its address would be another one.` : null;
};

/** Those that hold at a time, the heaviest first; of the same weight in the order in which they are named. */
export const validAt = (models: readonly Recommended[], now: number): Recommended[] =>
  models
    .filter(({ valid_from, valid_until }) => (valid_from === null || valid_from <= now) && (valid_until === null || now < valid_until))
    .sort((a, b) => b.weight - a.weight);
