/** Parses what ip(8), ss(8), nft(8), ethtool(8) and /proc/sys print into facts. */
import { network } from './address.js';
import type { AddressFact, LinkFact, ListenerFact, PolicyFact, RouteFact } from './facts.js';
import type { Chain, Rule } from './firewall.js';

interface IpLink {
  ifname: string;
  address?: string;
  mtu: number;
  flags: string[];
  linkinfo?: { info_kind?: string };
  xdp?: object;
  addr_info: { local: string; prefixlen: number }[];
}

/** Parses `ip -d -j address`. */
export function parseLinks(text: string): { links: LinkFact[]; addresses: AddressFact[] } {
  const all = JSON.parse(text || '[]') as IpLink[];
  const links = all.map(({ ifname, address = '', mtu, flags, linkinfo, xdp }) => ({
    dev: ifname,
    mac: address,
    mtu,
    up: flags.includes('UP'),
    kind: linkinfo?.info_kind ?? '',
    xdp: xdp !== undefined,
  }));
  const addresses = all.flatMap(({ ifname, addr_info }) =>
    addr_info.map(({ local, prefixlen }) => ({ dev: ifname, address: local, length: prefixlen })),
  );
  return { links, addresses };
}

interface IpRoute {
  type?: string;
  dst: string;
  gateway?: string;
  dev?: string;
  table?: string | number;
  metric?: number;
}

/** Parses `ip -j -4 route show table all`, or with -6 if `six`. */
export function parseRoutes(text: string, six = false): RouteFact[] {
  return (JSON.parse(text || '[]') as IpRoute[]).map(({ type, dst, gateway, dev, table, metric }) => ({
    ...network(dst, six),
    type: type ?? 'unicast',
    table: String(table ?? 'main'),
    metric: metric ?? 0,
    ...(gateway !== undefined && { via: gateway }),
    ...(dev !== undefined && { dev }),
  }));
}

interface IpRule {
  priority: number;
  src: string;
  srclen?: number;
  table: string | number;
  fwmark?: string;
  iif?: string;
  dst?: string;
}

/** Parses `ip -j -4 rule`, or with -6 if `six`. */
export function parsePolicy(text: string, six = false): PolicyFact[] {
  return (JSON.parse(text || '[]') as IpRule[]).map(({ priority, src, srclen, table, fwmark, iif, dst }) => ({
    six,
    priority,
    table: String(table),
    from: src === 'all' ? '' : src,
    length: srclen ?? (six ? 128 : 32),
    more: fwmark !== undefined || iif !== undefined || dst !== undefined,
  }));
}

/** Parses `ss -Hltunw`: protocol, state, two queue lengths, local address and port. */
export function parseListeners(text: string): ListenerFact[] {
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((words) => words.length >= 5)
    .map(([protocol = '', , , , local = '']) => {
      const colon = local.lastIndexOf(':');
      const address = local.slice(0, colon).replace(/%.*|[[\]]/g, '');
      return {
        protocol,
        address,
        port: local.slice(colon + 1),
      };
    });
}

/** Parses `grep -H . FILES` of files below /proc/sys/net/ipv4 and /proc/sys/net/ipv6. */
export function parseSysctls(text: string): Record<string, number> {
  const rows = text.split('\n').map((line) => /^\/proc\/sys\/net\/(?:ipv4\/)?(.*):(-?\d+)$/.exec(line));
  return Object.fromEntries(rows.flatMap((row) => (row ? [[row[1]!, Number(row[2])]] : [])));
}

/** Parses lines of `DEV on|off`: tx-checksumming by device. */
export function parseChecksums(text: string): ReadonlyMap<string, boolean> {
  return new Map(text.split('\n').flatMap((line) => (line ? [[line.split(' ')[0]!, line.endsWith(' on')]] : [])));
}

type Named = { family: string; table: string };
interface NftItem {
  chain?: Named & { name: string; hook?: string; policy?: string };
  rule?: Named & { chain: string } & Rule;
}

/** Parses `nft -j list ruleset`. */
export function parseFirewall(text: string): Chain[] {
  if (text.trim() === '') return [];
  const { nftables } = JSON.parse(text) as { nftables: NftItem[] };
  const rules = nftables.flatMap(({ rule }) => (rule ? [rule] : []));
  return nftables.flatMap(({ chain }) => {
    if (!chain) return [];
    const { family, table, name, hook = '', policy = 'accept' } = chain;
    const mine = rules.filter((rule) => rule.family === family && rule.table === table && rule.chain === name);
    return [{ family, table, name, hook, policy, rules: mine.map(({ handle, expr }) => ({ handle, expr })) }];
  });
}
