import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';

/**
 * Addresses that models registered through the API may be served from, as the operator lists them: names
 * (`vllm.internal`, `*.models.internal`, either with a port) and ranges (`10.0.0.0/8`, `fd00::/8`, one address). A name
 * is trusted as such, so that what it resolves to later needs no second look; an address must lie in a range.
 */
export interface Upstreams {
  names: readonly { host: string; port: string | null }[];
  ranges: BlockList;
  any: boolean;
}

const family = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** Reads the list, entries with commas or spaces between; `problems` says what is wrong with it. */
export const parseUpstreams = (text: string): { upstreams: Upstreams; problems: string[] } => {
  const ranges = new BlockList();
  const names: { host: string; port: string | null }[] = [];
  const problems: string[] = [];
  const entries = text.split(/[\s,]+/).filter(Boolean);
  for (const entry of entries) {
    const [address, bits, more] = entry.split('/');
    const name = /^(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:\d{1,5})?$/i.exec(entry);
    if (isIP(address!) !== 0 && more === undefined) {
      const most = isIP(address!) === 6 ? 128 : 32;
      if (bits === undefined) ranges.addAddress(address!, family(address!));
      else if (/^\d{1,3}$/.test(bits) && Number(bits) <= most) ranges.addSubnet(address!, Number(bits), family(address!));
      else problems.push(`'${entry}' is no range of addresses; write it like 10.0.0.0/8.`);
    } else if (name && !/^[\d.]+(:\d+)?$/.test(entry)) {
      const [host, port] = entry.toLowerCase().split(':');
      names.push({ host: host!, port: port ?? null });
    } else problems.push(`'${entry}' is neither a host name, such as vllm.internal, nor a range of addresses, such as 10.0.0.0/8.`);
  }
  return { upstreams: { names, ranges, any: entries.length > 0 }, problems };
};

/** Nothing is served from these, whatever resolves to them: unspecified, link-local (where clouds keep credentials), multicast. */
const never = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 3],
] as const)
  never.addSubnet(net, bits, 'ipv4');
for (const [net, bits] of [
  ['::', 128],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  never.addSubnet(net, bits, 'ipv6');

/** `::ffff:10.0.0.1` is 10.0.0.1. */
const plain = (address: string): string => /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;

const within = (list: BlockList, address: string): boolean => list.check(plain(address), family(plain(address)));

const matches = ({ host, port }: Upstreams['names'][number], url: URL, hostname: string): boolean => {
  const actual = url.port || (url.protocol === 'https:' ? '443' : '80');
  if (port !== null && port !== actual) return false;
  return host.startsWith('*.') ? hostname.endsWith(host.slice(1)) && hostname.length > host.length - 1 : hostname === host;
};

export type Resolve = (hostname: string) => Promise<readonly string[]>;

const resolveAll: Resolve = async (hostname) => (await lookup(hostname, { all: true })).map(({ address }) => address);

/** What forbids `text` as an upstream's address, to follow "options.base_url "; null where nothing does. */
export const upstreamProblem = async (text: string, upstreams: Upstreams, resolve: Resolve = resolveAll): Promise<string | null> => {
  if (!URL.canParse(text)) return 'is no URL.';
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'must begin with http:// or https://.';
  if (url.username !== '' || url.password !== '') return 'must not hold a user name or password.';
  if (!upstreams.any) return 'is not allowed: the operator of this server has listed no addresses (registry.upstreams).';
  // The URL parser has turned other ways to write an address (0x7f.1, 2130706433) into the plain one.
  const hostname = url.hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
  const refused = `is not allowed: '${hostname}' is not among the addresses that the operator of this server has listed (registry.upstreams).`;
  if (isIP(hostname) !== 0) return within(upstreams.ranges, hostname) ? null : refused;
  if (!upstreams.names.some((name) => matches(name, url, hostname))) return refused;
  let addresses: readonly string[];
  try {
    addresses = await resolve(hostname);
  } catch {
    addresses = [];
  }
  if (addresses.length === 0) return `cannot be reached: '${hostname}' does not resolve.`;
  const wrong = addresses.some((address) => within(never, address) && !within(upstreams.ranges, address));
  return wrong ? `is not allowed: '${hostname}' resolves to an address that serves nobody.` : null;
};
