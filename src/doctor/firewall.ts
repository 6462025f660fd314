/**
 * nft's JSON ruleset as chains of rules, and the question whether one of them drops a given packet.
 */
import { z } from 'zod';
import { within } from './address.js';

export interface Rule {
  readonly handle: number;
  readonly expr: readonly Expression[];
}

export type Expression = Readonly<Record<string, unknown>>;

export interface Chain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook: string;
  readonly policy: string;
  readonly rules: readonly Rule[];
}

/**
 * A packet as far as rules can match it. `fields` uses nft's names: `ip saddr`, `tcp sport`, `icmp
 * type`, `icmpv6 type`. `words` describes the packet in findings.
 */
export interface FirewallPacket {
  readonly six: boolean;
  readonly words: string;
  readonly fields: Readonly<Record<string, string | number>>;
  readonly protocol: string;
  readonly iif?: string;
  readonly oif?: string;
}

export interface Drop {
  readonly chain: Chain;
  /** Absent if the chain's policy dropped the packet. */
  readonly rule?: Rule;
}

/**
 * Returns the first rule of any base chain on `hook` that drops the packet. A match of a kind that
 * is not known here counts as not met.
 */
export function findDrop(chains: readonly Chain[], hook: string, packet: FirewallPacket): Drop | undefined {
  for (const chain of chains.filter((one) => one.hook === hook && appliesTo(one, packet))) {
    const dropped = verdict(chain, packet);
    if (dropped) return dropped;
  }
  return undefined;
}

/** Chains of the family `inet` apply to both IP versions. */
function appliesTo({ family }: Chain, { six }: FirewallPacket): boolean {
  return family === 'inet' || family === (six ? 'ip6' : 'ip');
}

function verdict(chain: Chain, packet: FirewallPacket): Drop | undefined {
  for (const rule of chain.rules) {
    if (!matches(rule, packet)) continue;
    const words = rule.expr.flatMap((one) => Object.keys(one));
    if (words.includes('drop') || words.includes('reject')) return { chain, rule };
    if (words.includes('accept')) return undefined;
  }
  return chain.policy === 'drop' ? { chain } : undefined;
}

const left = z.object({
  payload: z.object({ protocol: z.string(), field: z.string() }).optional().catch(undefined),
  meta: z.object({ key: z.string() }).optional().catch(undefined),
});
const match = z.object({ op: z.string(), left, right: z.unknown() });
const right = z.object({
  set: z.array(z.unknown()).optional(),
  range: z.tuple([z.number(), z.number()]).optional(),
  prefix: z.object({ addr: z.string(), len: z.number() }).optional(),
});

function matches({ expr }: Rule, packet: FirewallPacket): boolean {
  return expr.every((one) => !('match' in one) || matchesValue(one.match, packet));
}

function matchesValue(form: unknown, packet: FirewallPacket): boolean {
  const { data } = match.safeParse(form);
  if (data === undefined) return false;
  const { op, left, right } = data;
  const value = fieldOf(left, packet);
  if (value === undefined) return false;
  const same = equals(value, right);
  return op === '!=' ? !same : same;
}

function fieldOf({ payload, meta }: z.infer<typeof left>, packet: FirewallPacket): string | number | undefined {
  if (payload) return packet.fields[`${payload.protocol} ${payload.field}`];
  if (meta?.key === 'l4proto') return packet.protocol;
  if (meta?.key === 'nfproto') return packet.six ? 'ipv6' : 'ipv4';
  if (meta?.key === 'iifname') return packet.iif;
  if (meta?.key === 'oifname') return packet.oif;
  return undefined;
}

function equals(value: string | number, wanted: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null) return value === wanted;
  const { set, range, prefix } = right.safeParse(wanted).data ?? {};
  if (set) return set.some((one) => equals(value, one));
  if (range) return Number(value) >= range[0] && Number(value) <= range[1];
  return prefix !== undefined && within(String(value), prefix.addr, prefix.len);
}

/** The nft command that removes the rule, or sets the policy to accept. Without the namespace. */
export function removalCommand({ chain, rule }: Drop): string {
  const where = `${chain.family} ${chain.table} ${chain.name}`;
  if (rule) return `nft delete rule ${where} handle ${rule.handle}`;
  return `nft chain ${where} '{ policy accept; }'`;
}

/**
 * Whether a rule redirects packets or gives them to a local socket (redirect, tproxy, dnat). Then
 * the host need not have the destination address itself.
 */
export function redirects(chains: readonly Chain[]): boolean {
  const words = chains.flatMap(({ rules }) => rules.flatMap(({ expr }) => expr.flatMap((one) => Object.keys(one))));
  return ['redirect', 'tproxy', 'dnat'].some((word) => words.includes(word));
}
