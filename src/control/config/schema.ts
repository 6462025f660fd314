/** The shape of director.yaml: one zod schema for each top-level key, defaults included. */
import { z } from 'zod';
import {
  defaultSysctls,
  isSysctlName,
  SYSCTL_NAMES,
  type Sysctls,
  syncThresholdFault,
  sysctlFault,
} from '../../service/sysctl.js';
import { parseMarkRule } from '../mark/rule.js';
import { MarkRuleError, parseMarkValue } from '../mark/words.js';
import { didYouMean } from '../text/did-you-mean.js';
import {
  deviceName,
  flag,
  hostAddress,
  hostAddress4,
  mac,
  network,
  notA,
  ownAddress,
  shown,
  text,
  Wrong,
  whole,
} from './scalars.js';

type Context = z.core.$RefinementCtx<unknown>;

/** A value read by a function that returns it in canonical form or throws Wrong or MarkRuleError with the sentence. */
function value<T>(read: (raw: unknown) => T) {
  return z.unknown().transform((raw, context): T => attempt(() => read(raw), context, []));
}

function attempt<T>(read: () => T, context: Context, path: PropertyKey[]): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Wrong || error instanceof MarkRuleError)) throw error;
    context.addIssue({ code: 'custom', message: error.message, path });
    return z.NEVER;
  }
}

/** A mapping of known keys only. For an unknown one the message is the list of those: sections.ts makes a line of it. */
function mapping<S extends z.ZodRawShape>(right: string, shape: S) {
  const keys = Object.keys(shape).join(' ');
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? keys : notA(issue.input, right).message),
  });
}

function list<T extends z.ZodType>(right: string, item: T) {
  return z.array(item, { error: (issue) => notA(issue.input, `a list such as [ ${right} ]`).message });
}

function oneOf<T extends string>(words: readonly T[]) {
  return value((raw): T => {
    const found = words.find((word) => word === raw);
    if (found !== undefined) return found;
    const { message } = notA(raw, `one of ${words.join(', ')}`);
    throw new Wrong(`${message}${typeof raw === 'string' ? didYouMean(raw, words) : ''}`);
  });
}

const MAIN_TABLE = 254;
const TABLES: Readonly<Record<string, number>> = { main: MAIN_TABLE, default: 253, local: 255 };

function table(raw: unknown): number {
  if (typeof raw === 'string' && Object.hasOwn(TABLES, raw)) return TABLES[raw]!;
  return whole(1, 0xffff_ffff, 'main or a table number')(raw);
}

const device = mapping('a mapping such as { name: eth0 }', {
  name: value(deviceName),
  kind: oneOf(['xdp', 'packet', 'tap', 'cap', 'auto']).prefault('auto'),
  mac: value(mac).optional(),
  addresses: list('10.0.0.254/24', value(ownAddress)).default([]),
  mtu: value(whole(68, 65_535)).prefault(1500),
  promiscuous: value(flag).prefault(false),
});

const route = mapping('a mapping such as { to: 0.0.0.0/0, via: 10.0.0.1, dev: eth0 }', {
  to: value((raw) => (raw === 'default' ? raw : network(raw))),
  via: value(hostAddress).optional(),
  dev: value(deviceName),
  src: value(hostAddress).optional(),
  table: value(table).prefault(MAIN_TABLE),
  mtu: value(whole(68, 65_535)).optional(),
  onlink: value(flag).prefault(false),
}).transform((entry) => ({ ...entry, to: entry.to === 'default' ? defaultOf(entry.via ?? entry.src) : entry.to }));

function defaultOf(address = ''): string {
  return address.includes(':') ? '::/0' : '0.0.0.0/0';
}

function markAndMask(raw: unknown): { value: number; mask: number } {
  const mark = typeof raw === 'number' || typeof raw === 'string' ? parseMarkValue(String(raw)) : undefined;
  if (!mark) throw notA(raw, 'a mark such as 1 or 0x10/0xf0');
  return { value: mark[0], mask: mark[1] ?? 0xffff_ffff };
}

const policy = mapping('a mapping such as { priority: 100, from: 10.0.0.100, table: 100 }', {
  priority: value(whole(0, 0xffff_ffff)),
  table: value(table),
  from: value(network).optional(),
  to: value(network).optional(),
  iif: value(deviceName).optional(),
  mark: value(markAndMask).optional(),
});

const neighbour = mapping('a mapping such as { ip: 10.0.0.1, dev: eth0, mac: 02:00:00:00:0a:01 }', {
  ip: value(hostAddress),
  dev: value(deviceName),
  mac: value(mac),
});

const snat = mapping('a mapping such as { from: 192.168.1.0/24, to: 10.0.0.100, dev: eth0 }', {
  from: value(network),
  to: value(hostAddress),
  dev: value(deviceName).optional(),
});

function markRule(raw: unknown) {
  if (typeof raw !== 'string') throw notA(raw, 'a text such as "-d 10.9.0.0/16 -j MARK --set-mark 1"');
  return parseMarkRule(raw);
}

function sysctls(raw: unknown, context: Context): Sysctls {
  const all = defaultSysctls();
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    return attempt(
      () => {
        throw notA(raw, 'a mapping such as { conn_reuse_mode: 1 }');
      },
      context,
      [],
    );
  }
  for (const [name, number] of Object.entries(raw)) {
    attempt(() => Object.assign(all, sysctl(name, number)), context, [name]);
  }
  return all;
}

/** `sync_threshold` is written as the kernel does: `3 50`, or a list of two; one number keeps the period. */
function sysctl(name: string, raw: unknown): Partial<Sysctls> {
  if (!isSysctlName(name)) throw new Wrong(`no such sysctl${didYouMean(name, SYSCTL_NAMES)}`);
  if (name === 'sync_threshold' && typeof raw !== 'number') return syncThreshold(raw);
  const fault = typeof raw === 'number' ? sysctlFault(name, raw) : 'is not a number';
  if (fault !== undefined) throw new Wrong(`${shown(raw)} ${fault}`);
  return { [name]: raw };
}

function syncThreshold(raw: unknown): Partial<Sysctls> {
  const two = typeof raw === 'string' ? raw.trim().split(/\s+/).map(Number) : raw;
  const right =
    Array.isArray(two) && two.length === 2 && two.every((n) => Number.isInteger(n) && n >= 0 && n < 2 ** 31);
  if (!right) throw notA(raw, 'two numbers such as "3 50"');
  const [sync_threshold, sync_period] = two as [number, number];
  const fault = syncThresholdFault({ sync_threshold, sync_period });
  if (fault !== undefined) throw new Wrong(`${shown(raw)}: ${fault}`);
  return { sync_threshold, sync_period };
}

function ruleText(raw: unknown): string {
  if (typeof raw !== 'string') throw notA(raw, 'lines such as -A -t 10.0.0.100:80 -s rr, under "rules: |"');
  return raw;
}

/** 31 days, the most that ipvsadm --set takes. */
const seconds = whole(1, 2_678_400, 'a number of seconds');
const PORTS_OF_HELPER = 8;

/** A missing mapping is an empty one, whose keys have their defaults. */
export const schema = {
  devices: list('{ name: eth0 }', device).refine((all) => all.length > 0, {
    error: 'the list is empty; name a device',
  }),
  routes: list('{ to: 0.0.0.0/0, via: 10.0.0.1, dev: eth0 }', route).optional(),
  policy: list('{ priority: 100, from: 10.0.0.100, table: 100 }', policy).default([]),
  neighbours: list('{ ip: 10.0.0.1, dev: eth0, mac: 02:00:00:00:0a:01 }', neighbour).default([]),
  marks: list('"-d 10.9.0.0/16 -j MARK --set-mark 1"', value(markRule)).default([]),
  accept: mapping('a mapping such as { arp: true, ranges: [10.9.0.0/16] }', {
    arp: value(flag).prefault(false),
    icmp: value(flag).prefault(true),
    ranges: list('10.9.0.0/16', value(network)).default([]),
    forwardShared: list('eth1', value(deviceName)).default([]),
    sources: list('192.168.1.240', value(hostAddress4)).default([]),
    toa: value(flag).prefault(true),
  }).prefault({}),
  sysctl: z.unknown().transform(sysctls).prefault({}),
  timeouts: mapping('a mapping such as { tcp: 900, tcpfin: 120, udp: 300 }', {
    tcp: value(seconds).prefault(900),
    tcpfin: value(seconds).prefault(120),
    udp: value(seconds).prefault(300),
  }).prefault({}),
  helpers: mapping('a mapping such as { ftp: [21] }', {
    ftp: list('21', value(whole(1, 65_535, 'a port')))
      .max(PORTS_OF_HELPER, { error: `more than ${PORTS_OF_HELPER} ports` })
      .default([21]),
  }).prefault({}),
  snat: list('{ from: 192.168.1.0/24, to: 10.0.0.100 }', snat).default([]),
  rules: value(ruleText).optional(),
  rulesFile: value(text('the path of a file')).optional(),
  socket: value(text('the path of the control socket')).prefault('/run/ulvs/ulvs.sock'),
  connections: mapping('a mapping such as { max: 1048576 }', {
    max: value(whole(1, 2 ** 26)).prefault(2 ** 20),
  }).prefault({}),
  workers: value(whole(1, 64)).prefault(1),
};
