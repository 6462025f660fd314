/**
 * Rules of what the director intercepts on devices that the host shares, for nft and XDP: services,
 * marks, ranges without a VIP, replies of masq destinations, ICMP errors.
 * dataplane/host/intercepted.ts asks the same of one packet.
 */

import { FIRST_CHECK_PORT } from '../../dataplane/table/check-ports.js';
import type { InterceptRule, PortRange } from '../../device/intercept/rule.js';
import { replyKey } from '../../device/xdp/reply-key.js';
import {
  type DestinationConfig,
  type Family,
  familyOf,
  isFwmark,
  SCTP,
  type ServiceKey,
  type ServiceRules,
  TCP,
  UDP,
} from '../../service/config.js';
import type { MarkRule } from '../../service/mark.js';
import { addressFamily, parse4 } from '../../wire/address.js';
import { ICMP } from '../../wire/ipv4.js';
import type { AcceptConfig, SnatConfig } from '../config/director-config.js';
import { toIntercept, toInterceptAtLeast } from '../mark/to-intercept.js';
import { isFtp } from '../rules/ftp-ports.js';

const WITH_PORTS: readonly number[] = [TCP, UDP, SCTP];
const LAST_PORT = 65_535;

/** Where answers to health checks come to. */
export interface CheckAnswers {
  /** Addresses of the director's devices. */
  readonly addresses: readonly string[];
  readonly protocols: readonly number[];
}

/** The settings and the host's addresses that the rules follow from. */
export interface InterceptSettings {
  readonly marks: readonly MarkRule[];
  readonly accept: AcceptConfig;
  readonly snat: readonly SnatConfig[];
  /** Ports of the FTP helper. */
  readonly ftp: readonly number[];
  /** Answers to health checks that go through the dataplane. */
  readonly checks?: CheckAnswers;
  /** An interface of the host has the address. */
  readonly has: (address: string) => boolean;
}

/** What the rules follow from. */
export interface InterceptInput extends InterceptSettings {
  readonly services: readonly ServiceRules[];
}

/**
 * The rules. Some mark rules have no exact intercept rule. They are left out: the host sees the
 * packets too. With `atLeast` they intercept more packets instead. XDP needs that, since the
 * director sees only what is intercepted, and passes the rest back.
 */
export function interceptRules(input: InterceptInput, atLeast = false): InterceptRule[] {
  const { services } = input;
  return unique([
    ...services.flatMap((service) => serviceRules(service, input)),
    ...services.flatMap(({ key, destinations }) =>
      destinations.flatMap((destination) => destinationRules(key, destination, input)),
    ),
    ...standingRules(services, input, atLeast),
  ]);
}

/** The rules that follow from the settings, and from all services together. */
export function standingRules(
  services: readonly Pick<ServiceRules, 'key'>[],
  settings: InterceptSettings,
  atLeast: boolean,
): InterceptRule[] {
  const { accept, snat } = settings;
  if (services.length === 0 && accept.ranges.length + accept.sources.length + snat.length === 0) return [];
  return [
    ...markRules(services, settings.marks, atLeast),
    ...accept.ranges.flatMap((range) => wholeAddress(range, accept)),
    ...accept.sources.flatMap((source) => wholeAddress(source, { arp: true })),
    ...snat.flatMap((rule) => snatRules(rule, settings)),
    ...(settings.checks === undefined ? [] : checkRules(settings.checks)),
    { kind: 'icmpError', about: { family: 4 } },
    { kind: 'icmpError', about: { family: 6 } },
  ];
}

/** The rules of a service, without those of its destinations. */
export function serviceRules(service: Pick<ServiceRules, 'key'>, settings: InterceptSettings): InterceptRule[] {
  return [...vipRules(service, settings), ...sharedRules(service, settings)];
}

/**
 * A VIP on an interface of the host is shared with it by port. A VIP on no interface is intercepted
 * whole.
 */
function vipRules({ key }: Pick<ServiceRules, 'key'>, { accept, has, ftp }: InterceptSettings): InterceptRule[] {
  if (isFwmark(key)) return [];
  if (!has(key.address)) return wholeAddress(key.address, accept);
  const { protocol, address: daddr, port } = key;
  const ports: PortRange[] = [[port, port], ...(isFtp(key, ftp) ? dataPorts(port) : [])];
  return [{ kind: 'packet', family: familyOf(key), daddr, protocol, ...(port !== 0 && { dport: ports }) }];
}

function dataPorts(port: number): PortRange[] {
  return [
    [port - 1, port - 1],
    [1024, 65535],
  ];
}

/**
 * Packets from an address of the host (accept.forwardShared): its stack would drop them as
 * martians.
 */
function sharedRules({ key }: Pick<ServiceRules, 'key'>, { accept, has }: InterceptSettings): InterceptRule[] {
  if (accept.forwardShared.length === 0 || isFwmark(key) || !has(key.address)) return [];
  return [{ kind: 'packet', family: familyOf(key), saddr: key.address }];
}

function wholeAddress(daddr: string, { arp }: Pick<AcceptConfig, 'arp'>): InterceptRule[] {
  const family: Family = addressFamily(daddr);
  const packets: InterceptRule = { kind: 'packet', family, daddr };
  return arp ? [packets, { kind: 'arp', target: daddr }] : [packets];
}

/** Packets from a destination of the service with this key. */
export function destinationRules(
  key: ServiceKey,
  { address: saddr, port, method }: DestinationConfig,
  { ftp }: InterceptSettings,
): InterceptRule[] {
  if (method !== 'masq') return [];
  const anyPort = isFwmark(key) || isFtp(key, ftp);
  // A fwmark service has no protocol. ICMP and neighbour discovery are left to the host.
  return (isFwmark(key) ? WITH_PORTS : [key.protocol]).map((protocol) => ({
    kind: 'packet',
    family: addressFamily(saddr),
    saddr,
    protocol,
    ...(!anyPort && port !== 0 && { sport: only(port) }),
  }));
}

/**
 * The key (reply-key.ts) of the rule that `destinationRules` makes, where it makes one only, about
 * replies by TCP, UDP or SCTP over IPv4 from one port. It is valid until the next call.
 */
export function soleReply(
  key: ServiceKey,
  { address, port, method }: DestinationConfig,
  { ftp }: InterceptSettings,
): Int32Array | undefined {
  if (method !== 'masq' || port === 0 || isFwmark(key) || isFtp(key, ftp)) return undefined;
  const ipv4 = parse4(address);
  return ipv4 === undefined ? undefined : replyKey(ipv4, port, key.protocol);
}

/** Ranges by port: those of many rules that wait together are one object. */
const single = new Map<number, readonly PortRange[]>();

function only(port: number): readonly PortRange[] {
  const known = single.get(port);
  if (known !== undefined) return known;
  const ranges: readonly PortRange[] = [[port, port]];
  single.set(port, ranges);
  return ranges;
}

/**
 * Packets of realservers by protocols with ports (ICMP and neighbour discovery are left to the
 * host), and the answers.
 */
function snatRules({ from, to }: SnatConfig, { has }: InterceptSettings): InterceptRule[] {
  const family: Family = addressFamily(to);
  const sent = WITH_PORTS.map((protocol) => ({ kind: 'packet', family, saddr: from, protocol }) as const);
  const answers: InterceptRule[] = has(to)
    ? WITH_PORTS.map((protocol) => ({ kind: 'packet', family, daddr: to, protocol, dport: [[1024, 65535]] }))
    : wholeAddress(to, { arp: true });
  return [...sent, ...answers];
}

/** Pings are checks by IPv4 only. */
function checkRules({ addresses, protocols }: CheckAnswers): InterceptRule[] {
  return addresses.flatMap((daddr) =>
    protocols
      .filter((protocol) => addressFamily(daddr) === 4 || protocol !== ICMP)
      .map((protocol): InterceptRule => {
        const rule = { kind: 'packet', family: addressFamily(daddr), daddr, protocol } as const;
        return WITH_PORTS.includes(protocol) ? { ...rule, dport: [[FIRST_CHECK_PORT, LAST_PORT]] } : rule;
      }),
  );
}

/**
 * Mark rules that set the mark of a service of the packet's family, or change some bits of a mark.
 */
function markRules(
  services: readonly Pick<ServiceRules, 'key'>[],
  marks: readonly MarkRule[],
  atLeast: boolean,
): InterceptRule[] {
  if (marks.length === 0) return [];
  const keys = services.flatMap(({ key }) => (isFwmark(key) ? [key] : []));
  const gives = ({ clear, flip }: MarkRule, family: Family) =>
    keys.some((key) => key.family === family && (clear !== 0xffffffff || key.fwmark === flip));
  return marks.flatMap((rule) =>
    (toIntercept(rule) ?? (atLeast ? toInterceptAtLeast(rule) : [])).filter(({ family }) => gives(rule, family)),
  );
}

/**
 * Mark rules without an exact intercept rule: the host's stack sees the packets that they match.
 */
export function inexactMarks(marks: readonly MarkRule[]): MarkRule[] {
  return marks.filter((rule) => toIntercept(rule) === undefined);
}

function unique(rules: InterceptRule[]): InterceptRule[] {
  return [...new Map(rules.map((rule) => [JSON.stringify(rule), rule])).values()];
}
