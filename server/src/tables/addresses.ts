import ip from 'ipaddr.js';

/** Hosts that sources may be fetched from although they are private: names, with a port or without, and ranges of addresses. */
export interface AllowedHosts {
  names: readonly { host: string; port: string | null }[];
  ranges: readonly [ip.IPv4 | ip.IPv6, number][];
}

/** Reads the operator's list, entries with commas or spaces between; `problems` says what is wrong with it. */
export const parseHosts = (text: string): { hosts: AllowedHosts; problems: string[] } => {
  const ranges: [ip.IPv4 | ip.IPv6, number][] = [];
  const names: { host: string; port: string | null }[] = [];
  const problems: string[] = [];
  for (const entry of text.split(/[\s,]+/).filter(Boolean)) {
    const name = /^([a-z0-9.-]*[a-z][a-z0-9.-]*)(?::(\d{1,5}))?$/i.exec(entry);
    if (ip.isValidCIDR(entry)) ranges.push(ip.parseCIDR(entry));
    else if (ip.isValid(entry)) ranges.push([ip.parse(entry), ip.parse(entry).kind() === 'ipv6' ? 128 : 32]);
    else if (name) names.push({ host: name[1]!.toLowerCase(), port: name[2] ?? null });
    else problems.push(`'${entry}' is neither a host name, such as data.internal, nor a range of addresses, such as 10.0.0.0/8.`);
  }
  return { hosts: { names, ranges }, problems };
};

export const isListed = ({ names }: AllowedHosts, url: URL): boolean => {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return names.some((name) => name.host === url.hostname.toLowerCase() && (name.port === null || name.port === port));
};

/**
 * Whether an address may be connected to: the public internet's are, and those of the operator's ranges. `process` makes of
 * an IPv4 address in IPv6's clothes what it is; what else leads to one (NAT64, 6to4, Teredo) is not public.
 */
export const isAllowed = (address: string, { ranges }: AllowedHosts): boolean => {
  if (!ip.isValid(address)) return false;
  const parsed = ip.process(address);
  if (parsed.range() === 'unicast') return true;
  return ranges.some(([net, bits]) => net.kind() === parsed.kind() && parsed.match(net, bits));
};
