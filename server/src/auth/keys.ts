import { hash } from 'node:crypto';
import { ApiError } from '../lib/errors.ts';
import type { ApiKey, Identity } from './identity.ts';

/** Who an `Authorization` header speaks for; throws `invalid_api_key`. */
export type Authenticate = (authorization: string | undefined) => Identity;

// What is compared is a digest: how long a look-up takes then says nothing about how much of a guess was right.
const digest = (key: string): string => hash('sha256', key, 'hex');

const refuse = (message: string): ApiError => new ApiError('invalid_api_key', message, { headers: { 'www-authenticate': 'Bearer' } });

/** Not told of a key: whose it is, and that it is one. */
export const unknownKey = 'Incorrect API key provided. This server does not know it.';

/** @param used told of each key that is used, each time */
export const authenticateWith = (keys: readonly ApiKey[], used: (key: ApiKey) => void = () => {}): Authenticate => {
  const entries = new Map(
    keys.map((key): [string, { key: ApiKey; identity: Identity }] => {
      const { key: text, ...identity } = key;
      return [digest(text), { key, identity: Object.freeze(identity) }];
    }),
  );
  // A header that was right once need not be digested again. A map asks for the hash first, with a seed of this process's
  // own: how long it takes says nothing about a header that is not in it.
  const known = new Map<string, { key: ApiKey; identity: Identity }>();
  return (authorization = '') => {
    let entry = known.get(authorization);
    if (entry === undefined) {
      const key = authorization && /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
      if (!key) throw refuse('No API key was provided. Send it in the Authorization header: `Authorization: Bearer <key>`.');
      entry = entries.get(digest(key));
      if (!entry) throw refuse(unknownKey);
      if (known.size >= 1000) known.clear();
      known.set(authorization, entry);
    }
    used(entry.key);
    return entry.identity;
  };
};
