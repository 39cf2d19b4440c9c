import { tails } from './names.ts';

const prefixes = ['/v1/models/by-name/', '/v1/models/', '/v2/repository/models/', '/v2/models/'];
const ends = new Set<string>(tails);

/**
 * A path whose model has `/` in its name, with these written as `%2F`: the router then sees one part, as it does of any
 * other name, and routes are `/v1/models/:model/versions/:version`. A name has no word of `tails` behind a `/`, so the
 * first of those that comes ends it.
 */
export const foldModelName = (url: string): string => {
  const prefix = prefixes.find((each) => url.startsWith(each));
  if (prefix === undefined) return url;
  const query = url.search(/[?#]/);
  const path = url.slice(prefix.length, query < 0 ? undefined : query);
  const parts = path.split('/');
  const end = parts.findIndex((part, i) => i > 0 && (part === '' || ends.has(part)));
  const name = end < 0 ? parts : parts.slice(0, end);
  if (name.length < 2 || name[0] === '') return url;
  const rest = end < 0 ? '' : `/${parts.slice(end).join('/')}`;
  return `${prefix}${name.join('%2F')}${rest}${query < 0 ? '' : url.slice(query)}`;
};
