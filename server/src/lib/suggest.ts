import { distance } from 'fastest-levenshtein';

/** The known name that was probably meant, or null where none is near: at most a third of its letters differ. */
export const suggest = (name: string, known: readonly string[]): string | null => {
  let best: string | null = null;
  let least = Infinity;
  for (const candidate of known) {
    const far = distance(name.toLowerCase(), candidate.toLowerCase());
    if (far < least && far <= Math.max(2, candidate.length / 3)) [best, least] = [candidate, far];
  }
  return best;
};

/** ` Did you mean x?`, or nothing. */
export const didYouMean = (name: string, known: readonly string[]): string => {
  const found = suggest(name, known);
  return found === null ? '' : ` Did you mean ${found}?`;
};
