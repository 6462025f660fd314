/** Random mark rules, in words, and packets that have a fair chance to meet them. */
import { PacketInfo } from '../../../src/dataplane/parse/packet.js';
import { parse4, parse6 } from '../../../src/wire/address.js';
import type { Random } from '../../support/seed.js';

export const DEVICES = ['eth0', 'eth1', 'wan0'];

const FOUR = ['10.0.0.1', '10.0.0.2', '10.9.0.1', '10.9.3.4', '192.168.1.11', '203.0.113.7'];
const SIX = ['2001:db8::1', '2001:db8::2', '2001:db8:0:1::1', 'fd00::1', '2001:db9::1'];
const PORTS = [53, 80, 443, 8000, 8005, 40_000];
const FLAGS = ['SYN', 'ACK', 'SYN,ACK', 'FIN,ACK', 'ALL', 'NONE', 'RST'];

function maybe(random: Random, text: string, odds = 3): string {
  if (random.below(odds) !== 0) return '';
  return ` ${random.below(3) === 0 ? '! ' : ''}${text}`;
}

function prefix(random: Random, family: 4 | 6): string {
  const length = family === 4 ? random.pick([0, 8, 16, 24, 31, 32]) : random.pick([0, 31, 32, 63, 64, 100, 127, 128]);
  return `${random.pick(family === 4 ? FOUR : SIX)}/${length}`;
}

function port(random: Random): string {
  const one = random.pick(PORTS);
  return random.bool() ? `${one}` : `${one}:${one + random.below(500)}`;
}

function ports(random: Random): string {
  const many = Array.from({ length: random.between(1, 4) }, () => port(random)).join(',');
  const destination = random.bool()
    ? maybe(random, `--dport ${port(random)}`, 2)
    : ` -m multiport${` --dports ${many}`}`;
  return maybe(random, `--sport ${port(random)}`) + destination;
}

function transport(random: Random, family: 4 | 6): string {
  const protocol = random.pick(['tcp', 'udp', 'sctp', 'icmp', 'none']);
  if (protocol === 'none') return maybe(random, '-p tcp');
  if (protocol === 'icmp') {
    const type = `${random.below(5)}${random.bool() ? '' : `/${random.below(3)}`}`;
    return family === 4
      ? ` -p icmp${maybe(random, `--icmp-type ${type}`, 1)}`
      : ` -p icmpv6${maybe(random, `--icmpv6-type ${type}`, 1)}`;
  }
  const flags = protocol === 'tcp' ? maybe(random, `--tcp-flags ${random.pick(FLAGS)} ${random.pick(FLAGS)}`, 4) : '';
  return ` -p ${protocol}${ports(random)}${flags}`;
}

/** Marks of a few low bits, so that the rules after it may ask for them. */
function target(random: Random): string {
  const value = random.between(1, 7);
  const kind = random.pick(['--set-mark', '--set-mark', '--set-xmark', '--or-mark', '--and-mark', '--xor-mark']);
  const mask = kind.startsWith('--set') && random.bool() ? `/0x${random.between(1, 15).toString(16)}` : '';
  return ` -j MARK ${kind} ${value}${mask}`;
}

export function randomRule(random: Random): string {
  const family = random.bool() ? 4 : 6;
  const device = maybe(random, `-i ${random.pick(['eth0', 'eth+', 'wan0'])}`);
  const addresses = maybe(random, `-s ${prefix(random, family)}`) + maybe(random, `-d ${prefix(random, family)}`, 2);
  const mark = random.below(4) === 0 ? ` -m mark${maybe(random, `--mark ${random.below(8)}/7`, 1)}` : '';
  return (device + addresses + transport(random, family) + mark + target(random)).trim();
}

export function randomPacket(random: Random): PacketInfo {
  const info = new PacketInfo();
  info.device = random.below(DEVICES.length);
  info.family = random.bool() ? 4 : 6;
  info.protocol = random.pick([6, 6, 17, 132, info.family === 4 ? 1 : 58]);
  if (info.family === 4) [info.src, info.dst] = [parse4(random.pick(FOUR))!, parse4(random.pick(FOUR))!];
  info.src6.set(parse6(random.pick(SIX))!);
  info.dst6.set(parse6(random.pick(SIX))!);
  info.fragmentOffset = random.pick([0, 0, 0, 0, 0, 0, 8, 1480]);
  info.moreFragments = random.below(6) === 0;
  if (info.protocol === 1 || info.protocol === 58) [info.icmpType, info.icmpCode] = [random.below(5), random.below(3)];
  else [info.sport, info.dport] = [random.pick(PORTS) + random.below(3), random.pick(PORTS) + random.below(3)];
  if (info.protocol === 6) info.tcpFlags = random.pick([0, 2, 16, 18, 17, 4, 63]);
  return info;
}
