/**
 * Whether a request asks for chance in so many words: a temperature above 0 without a seed, or several answers. Such a
 * request wants an answer of its own each time. What says nothing is left to the model's defaults, and counts as a question
 * that one answer settles.
 */
export const asksForSampling = (body: Readonly<Record<string, unknown>>): boolean => {
  const { temperature, seed, n } = body;
  const free = typeof temperature === 'number' && temperature > 0 && (seed === undefined || seed === null);
  return free || (typeof n === 'number' && n > 1);
};
