/** What is wrong with a request, with the place: `inputs.protein has …`. */
export class BadRequest extends Error {}

/** A path of JSON Schema as people write it: `/entities/0` → `.entities.0`. */
export const place = (path: string): string => path.replaceAll('/', '.');
