/** The cookie of a browser that is signed in. */
const cookieName = 'sluice_session';

/** The secret in a `Cookie` header; null where there is none. What is no secret of ours is taken too, and found out. */
export const secretIn = (header = ''): string | null => new RegExp(`(?:^|; *)${cookieName}=([^;]+)`).exec(header)?.[1] ?? null;

/** Neither scripts nor other sites can read it or have it sent. */
const serialize = (value: string, seconds: number): string =>
  `${cookieName}=${value}; Max-Age=${seconds}; Path=/; HttpOnly; SameSite=Strict`;

/**
 * `secure` where the page came by https, as its origin or the proxy before us says: whoever lies there keeps the cookie
 * from nobody but himself.
 */
export const sessionCookie = (secret: string, { secure, seconds }: { secure: boolean; seconds: number }): string =>
  `${serialize(secret, seconds)}${secure ? '; Secure' : ''}`;

/** Has a browser forget it. */
export const noCookie = serialize('', 0);
