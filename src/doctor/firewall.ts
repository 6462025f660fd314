/** nft's JSON as chains of rules, and whether one of them drops a given packet. */
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

/** What rules may ask of a packet; `fields` by nft's names: `ip saddr`, `tcp sport`, `icmp type`, `icmpv6 type`. */
export interface Probe {
  readonly six: boolean;
  readonly words: string;
  readonly fields: Readonly<Record<string, string | number>>;
  readonly protocol: string;
  readonly iif?: string;
  readonly oif?: string;
}

export interface Dropped {
  readonly chain: Chain;
  /** Absent: by the chain's policy. */
  readonly rule?: Rule;
}

/** The first rule on `hook` that drops it, of any base chain. A match this does not know counts as one that fails. */
export function dropper(chains: readonly Chain[], hook: string, probe: Probe): Dropped | undefined {
  for (const chain of chains.filter((one) => one.hook === hook && sees(one, probe))) {
    const dropped = verdict(chain, probe);
    if (dropped) return dropped;
  }
  return undefined;
}

/** `inet` sees both families. */
function sees({ family }: Chain, { six }: Probe): boolean {
  return family === 'inet' || family === (six ? 'ip6' : 'ip');
}

function verdict(chain: Chain, probe: Probe): Dropped | undefined {
  for (const rule of chain.rules) {
    if (!matches(rule, probe)) continue;
    const words = rule.expr.flatMap((one) => Object.keys(one));
    if (words.includes('drop') || words.includes('reject')) return { chain, rule };
    if (words.includes('accept')) return undefined;
  }
  return chain.policy === 'drop' ? { chain } : undefined;
}

interface Match {
  op: string;
  left: { payload?: { protocol: string; field: string }; meta?: { key: string } };
  right: unknown;
}

function matches({ expr }: Rule, probe: Probe): boolean {
  return expr.every((one) => !('match' in one) || holds(one.match as Match, probe));
}

function holds({ op, left, right }: Match, probe: Probe): boolean {
  const value = fieldOf(left, probe);
  if (value === undefined) return false;
  const same = equals(value, right);
  return op === '!=' ? !same : same;
}

function fieldOf({ payload, meta }: Match['left'], probe: Probe): string | number | undefined {
  if (payload) return probe.fields[`${payload.protocol} ${payload.field}`];
  if (meta?.key === 'l4proto') return probe.protocol;
  if (meta?.key === 'nfproto') return probe.six ? 'ipv6' : 'ipv4';
  if (meta?.key === 'iifname') return probe.iif;
  if (meta?.key === 'oifname') return probe.oif;
  return undefined;
}

function equals(value: string | number, right: unknown): boolean {
  if (typeof right !== 'object' || right === null) return value === right;
  const { set, range, prefix } = right as {
    set?: unknown[];
    range?: [number, number];
    prefix?: { addr: string; len: number };
  };
  if (set) return set.some((one) => equals(value, one));
  if (range) return Number(value) >= range[0] && Number(value) <= range[1];
  return prefix !== undefined && within(String(value), prefix.addr, prefix.len);
}

/** The command that takes it away, without the namespace. */
export function removal({ chain, rule }: Dropped): string {
  const where = `${chain.family} ${chain.table} ${chain.name}`;
  if (rule) return `nft delete rule ${where} handle ${rule.handle}`;
  return `nft chain ${where} '{ policy accept; }'`;
}

/** Redirects or hands packets to a local socket, so that an address need not be the host's. */
export function redirects(chains: readonly Chain[]): boolean {
  const words = chains.flatMap(({ rules }) => rules.flatMap(({ expr }) => expr.flatMap((one) => Object.keys(one))));
  return ['redirect', 'tproxy', 'dnat'].some((word) => words.includes(word));
}
