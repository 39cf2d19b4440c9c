import { lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, request, type Dispatcher } from 'undici';
import { isAllowed, isListed, type AllowedHosts } from './addresses.ts';
import { SourceError } from './facts.ts';

const mostRedirects = 3;
/** Ports that a host which nobody listed may be asked at. */
const publicPorts = new Set(['', '443', '8443']);

const nameOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '');

/** What forbids an address as it is written, before it is resolved; null where nothing does. */
export const httpsProblem = (url: URL, hosts: AllowedHosts): string | null => {
  if (url.username !== '' || url.password !== '') return 'The URL must not hold a user name or password.';
  const listed = isListed(hosts, url);
  const name = nameOf(url);
  // The URL parser has turned other ways to write an address (0x7f.1, 2130706433) into the plain one.
  const literal = isIP(name) !== 0;
  const ranged = literal && hosts.ranges.length > 0 && isAllowed(name, hosts) && !isAllowed(name, { names: [], ranges: [] });
  if (url.protocol === 'http:' && !listed && !ranged) return 'The URL must begin with https:// or s3://.';
  if (literal && !isAllowed(name, hosts)) return 'The URL leads to an address that is not public.';
  return publicPorts.has(url.port) || listed || ranged ? null : `Port ${url.port} is not allowed.`;
};

/**
 * Looks a name up and lets through what may be connected to. The connection is made to the very address that was looked
 * at: a name that resolves to another one a moment later gains nothing.
 */
const guarded =
  (hosts: AllowedHosts, trusted: boolean): LookupFunction =>
  (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return done(error, [], 0);
      const refused = found.find(({ address }) => !trusted && !isAllowed(address, hosts));
      if (refused !== undefined || found.length === 0)
        return done(new SourceError('The URL leads to an address that is not public.', true), [], 0);
      if (options.all) return done(null, found);
      return done(null, found[0]!.address, found[0]!.family);
    });
  };

const agentFor = (url: URL, hosts: AllowedHosts): Agent =>
  new Agent({
    connect: { lookup: guarded(hosts, isListed(hosts, url)), timeout: 10_000 },
    headersTimeout: 60_000,
    bodyTimeout: 60_000,
    maxResponseSize: -1,
  });

/** The bytes at a URL. Redirects are followed where they lead to what could have been named at first. */
export async function* fetchHttps(
  start: URL,
  hosts: AllowedHosts,
  { maxBytes, signal }: { maxBytes: number; signal: AbortSignal },
): AsyncGenerator<Buffer> {
  let url = start;
  for (let redirects = 0; ; redirects++) {
    const problem = httpsProblem(url, hosts);
    if (problem !== null) throw new SourceError(problem, true);
    const agent = agentFor(url, hosts);
    try {
      const reply: Dispatcher.ResponseData = await request(url.href, {
        dispatcher: agent,
        signal,
        headers: { accept: '*/*', 'user-agent': 'sluice' },
      });
      const location = reply.headers['location'];
      if (reply.statusCode >= 300 && reply.statusCode < 400 && typeof location === 'string') {
        if (redirects === mostRedirects) throw new SourceError('The URL redirects too often.', true);
        if (!URL.canParse(location, url.href)) throw new SourceError('The URL redirects to what is no URL.', true);
        await reply.body.dump({ limit: 65_536 });
        url = new URL(location, url.href);
        continue;
      }
      if (reply.statusCode !== 200)
        throw new SourceError(`The server of the URL answered ${reply.statusCode}.`, reply.statusCode < 500 && reply.statusCode !== 429);
      const announced = Number(reply.headers['content-length'] ?? 0);
      if (announced > maxBytes) throw new SourceError(`The source has ${announced} bytes; at most ${maxBytes} are allowed.`, true);
      for await (const piece of reply.body) yield piece as Buffer;
      return;
    } finally {
      await agent.destroy();
    }
  }
}
