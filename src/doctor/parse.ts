/** Parses what ip(8), ss(8), nft(8), ethtool(8) and /proc/sys print into facts. */
import { z } from 'zod';
import { CommandError } from '../sys/command.js';
import { network } from './address.js';
import type { AddressFact, LinkFact, ListenerFact, PolicyFact, RouteFact } from './facts.js';
import type { Chain } from './firewall.js';

/** The value of a program's JSON. Throws a CommandError when the program printed something else. */
function read<T>(program: string, text: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text || '[]');
  } catch (error) {
    throw new CommandError(`${program}: not JSON (${(error as Error).message.split('\n')[0]})`);
  }
  const { data, error } = schema.safeParse(value);
  if (data !== undefined) return data;
  const issue = error?.issues[0];
  throw new CommandError(`${program}: its JSON has another form: ${issue?.path.join('.')}: ${issue?.message}`);
}

const number = z.number().int().min(0);
const id = z.union([z.string(), number]);
const prefixLength = number.max(128);

const ipLinks = z.array(
  z.object({
    ifname: z.string(),
    address: z.string().prefault(''),
    mtu: number,
    flags: z.array(z.string()),
    linkinfo: z.object({ info_kind: z.string().optional() }).optional(),
    xdp: z.unknown().optional(),
    addr_info: z.array(z.object({ local: z.string(), prefixlen: prefixLength })),
  }),
);

/** Parses `ip -d -j address`. Throws a CommandError. */
export function parseLinks(text: string): { links: LinkFact[]; addresses: AddressFact[] } {
  const all = read('ip -d -j address', text, ipLinks);
  const links = all.map(({ ifname, address, mtu, flags, linkinfo, xdp }) => ({
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

const ipRoutes = z.array(
  z.object({
    type: z.string().prefault('unicast'),
    dst: z.string(),
    gateway: z.string().optional(),
    dev: z.string().optional(),
    table: id.prefault('main'),
    metric: number.prefault(0),
  }),
);

/** Parses `ip -j -4 route show table all`, or with -6 if `six`. Throws a CommandError. */
export function parseRoutes(text: string, six = false): RouteFact[] {
  return read('ip -j route', text, ipRoutes).map(({ type, dst, gateway, dev, table, metric }) => ({
    ...network(dst, six),
    type,
    table: String(table),
    metric,
    ...(gateway !== undefined && { via: gateway }),
    ...(dev !== undefined && { dev }),
  }));
}

const ipRules = z.array(
  z.object({
    priority: number,
    src: z.string(),
    srclen: prefixLength.optional(),
    table: id,
    fwmark: z.unknown().optional(),
    iif: z.unknown().optional(),
    dst: z.unknown().optional(),
  }),
);

/** Parses `ip -j -4 rule`, or with -6 if `six`. Throws a CommandError. */
export function parsePolicy(text: string, six = false): PolicyFact[] {
  return read('ip -j rule', text, ipRules).map(({ priority, src, srclen, table, fwmark, iif, dst }) => ({
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

const named = { family: z.string(), table: z.string() };
const ruleset = z.object({
  nftables: z.array(
    z.object({
      chain: z
        .object({ ...named, name: z.string(), hook: z.string().prefault(''), policy: z.string().prefault('accept') })
        .optional(),
      rule: z
        .object({ ...named, chain: z.string(), handle: number, expr: z.array(z.record(z.string(), z.unknown())) })
        .optional(),
    }),
  ),
});

/** Parses `nft -j list ruleset`. Throws a CommandError. */
export function parseFirewall(text: string): Chain[] {
  if (text.trim() === '') return [];
  const { nftables } = read('nft -j list ruleset', text, ruleset);
  const rules = nftables.flatMap(({ rule }) => (rule ? [rule] : []));
  return nftables.flatMap(({ chain }) => {
    if (!chain) return [];
    const { family, table, name, hook, policy } = chain;
    const mine = rules.filter((rule) => rule.family === family && rule.table === table && rule.chain === name);
    return [{ family, table, name, hook, policy, rules: mine.map(({ handle, expr }) => ({ handle, expr })) }];
  });
}
