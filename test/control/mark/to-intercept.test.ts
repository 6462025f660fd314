/**
 * Mark rules as intercept rules and as nft words, and three evaluations of a rule against each other: Marks, the plain
 * reference, and nft in the kernel.
 *
 *     ns a: p0 p1 p2 ─── veth ─── eth0 eth1 wan0 :ns b, whose ingress chain counts the packets of each mark
 */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseMarkRule } from '../../../src/control/mark/rule.js';
import { toIntercept } from '../../../src/control/mark/to-intercept.js';
import type { PacketInfo } from '../../../src/dataplane/parse/packet.js';
import { Marks } from '../../../src/dataplane/table/marks.js';
import { PacketDevice } from '../../../src/device/packet/packet.js';
import { Umem } from '../../../src/device/umem.js';
import type { MarkRule } from '../../../src/service/mark.js';
import { format4, format6 } from '../../../src/wire/address.js';
import { send } from '../../support/frames.js';
import { isRoot, Namespaces } from '../../support/netns.js';
import { type Packet, packet } from '../../support/packet.js';
import { Random } from '../../support/seed.js';
import { nftMark, toNft } from './nft-words.js';
import { DEVICES, randomPacket, randomRule } from './random-rule.js';
import { slowMark } from './reference.js';

const MARK = '-j MARK --set-mark 1';

describe('toNft', () => {
  it.each([
    ['ip6tables -i eth+ -p tcp', 'meta protocol ip6 iifname "eth*" meta l4proto 6'],
    [
      '! -i eth0 -s 10.0.0.0/8 ! -d 10.9.0.0/16 -p tcp --dport 80:90',
      'meta protocol ip iifname != "eth0" ip saddr 10.0.0.0/8 ip daddr != 10.9.0.0/16 meta l4proto 6 ip frag-off & 0x1fff == 0 th dport 80-90',
    ],
    [
      '-s 10.0.0.1 -p udp -m multiport ! --sports 80,443,440:450',
      'meta protocol ip ip saddr 10.0.0.1/32 meta l4proto 17 ip frag-off & 0x1fff == 0 th sport != { 80, 440-450 }',
    ],
    ['iptables -p tcp --syn', 'meta protocol ip meta l4proto 6 ip frag-off & 0x1fff == 0 tcp flags & 0x17 == 0x2'],
    ['-p icmp ! --icmp-type 3/4', 'meta protocol ip meta l4proto 1 ip frag-off & 0x1fff == 0 @th,0,16 != 772'],
    ['iptables -m mark --mark 1/3', 'meta protocol ip meta mark & 0x3 == 0x1'],
  ])('%s', (words, nft) => {
    expect(toNft(parseMarkRule(`${words} ${MARK}`))).toEqual([nft]);
  });

  it('a line for each family, and for IPv6 with and without a fragment header where ports are asked for', () => {
    expect(toNft(parseMarkRule(MARK))).toEqual(['meta protocol ip', 'meta protocol ip6']);
    expect(toNft(parseMarkRule(`-d 2001:db8::/32 -p udp --dport 53 ${MARK}`))).toEqual([
      'meta protocol ip6 ip6 daddr 2001:db8::/32 meta l4proto 17 exthdr frag missing th dport 53',
      'meta protocol ip6 ip6 daddr 2001:db8::/32 meta l4proto 17 frag frag-off 0 th dport 53',
    ]);
  });

  it('with the statement', () => {
    const rule = (words: string) => nftMark(parseMarkRule(`iptables -j MARK ${words}`));
    expect(rule('--set-mark 16')).toEqual(['meta protocol ip meta mark set 0x10']);
    expect(rule('--or-mark 1')).toEqual(['meta protocol ip meta mark set meta mark and 0xfffffffe xor 0x1']);
  });
});

describe('toIntercept', () => {
  it('has the same matches', () => {
    expect(toIntercept(parseMarkRule(`-i eth0 -d 10.9.0.0/16 -p tcp -m multiport --dports 443,80 ${MARK}`))).toEqual([
      {
        kind: 'packet',
        family: 4,
        iif: 'eth0',
        daddr: '10.9.0.0/16',
        protocol: 6,
        dport: [
          [80, 80],
          [443, 443],
        ],
      },
    ]);
    expect(toIntercept(parseMarkRule(`-p udp ${MARK}`))?.map((rule) => rule.kind === 'packet' && rule.family)).toEqual([
      4, 6,
    ]);
  });

  it.each(['! -d 10.0.0.1', '-p tcp --syn', '-m mark --mark 1', '-i eth+', '-p icmp --icmp-type 8'])(
    'cannot express %s',
    (words) => expect(toIntercept(parseMarkRule(`${words} ${MARK}`))).toBeUndefined(),
  );
});

if (!isRoot) console.log('skipped: the comparison with nft needs root for namespaces');

describe.skipIf(!isRoot)('the kernel marks as Marks does', () => {
  const spaces = new Namespaces('mark');
  const umem = new Umem(256);
  let b: string;
  let senders: PacketDevice[] = [];

  beforeAll(() => {
    const a = spaces.add('a');
    b = spaces.add('b');
    DEVICES.forEach((name, i) => {
      spaces.veth(a, `p${i}`, b, name);
    });
    senders = spaces.inside(a, () => DEVICES.map((_, i) => new PacketDevice(umem, `p${i}`)));
  });
  afterAll(() => {
    for (const device of senders) device.close();
    spaces.remove();
  });

  const nft = (args: string[], input = ''): string =>
    execFileSync('ip', ['netns', 'exec', b, 'nft', ...args], { input, encoding: 'utf8', timeout: 20_000 });

  /** How many packets each mark 0..15 has. */
  function kernelMarks(): number[] {
    const { nftables } = JSON.parse(nft(['-j', 'list', 'counters'])) as {
      nftables: { counter?: { name: string; packets: number } }[];
    };
    const counts = new Array<number>(16).fill(0);
    for (const { counter } of nftables) if (counter) counts[Number(counter.name.slice(1))] = counter.packets;
    return counts;
  }

  it('on random rules and packets', () => {
    const random = new Random();
    const seen = new Set<number>();
    for (let round = 0; round < 40; round++) {
      const rules = Array.from({ length: random.between(1, 6) }, () => parseMarkRule(randomRule(random)));
      const infos = Array.from({ length: 90 }, () => randomPacket(random));
      nft(['-f', '-'], ruleset(rules));
      const marks = new Marks(rules, DEVICES);
      const ours = new Array<number>(16).fill(0);
      const slow = new Array<number>(16).fill(0);
      for (const info of infos) {
        ours[marks.match(info)]!++;
        slow[slowMark(rules, info, DEVICES)]!++;
        seen.add(marks.match(info));
        expect(send(senders[info.device]!, umem, [frame(info)])).toBe(1);
      }
      const said = JSON.stringify({ seed: random.seed, round, rules: rules.map(({ text }) => text) });
      expect(ours, said).toEqual(slow);
      expect(kernelMarks(), said).toEqual(ours);
    }
    expect(seen.size).toBe(8);
  });
});

/** Only frames with our source MAC: the veth's own neighbour discovery stays out. */
function ruleset(rules: readonly MarkRule[]): string {
  const marks = Array.from({ length: 16 }, (_, mark) => mark);
  const hooks = DEVICES.map(
    (name) => `chain on_${name} { type filter hook ingress device "${name}" priority -500; ${FROM_US} jump marks; }`,
  );
  return `table netdev t {}
delete table netdev t
table netdev t {
${marks.map((mark) => `  counter m${mark} {}`).join('\n')}
  chain marks {
    meta mark set 0
${rules.flatMap(nftMark).join('\n')}
${marks.map((mark) => `    meta mark ${mark} counter name m${mark}`).join('\n')}
    meta mark set 0
    drop
  }
  ${hooks.join('\n  ')}
}
`;
}

const FROM_US = 'ether saddr 02:00:00:00:00:77';

function frame(info: PacketInfo): Uint8Array {
  const eth = packet().eth('02:00:00:00:00:77', '02:00:00:00:00:b0');
  const { protocol, fragmentOffset: offset, moreFragments: more } = info;
  if (info.family === 4) {
    const ip = { src: format4(info.src), dst: format4(info.dst), protocol, offset, mf: more };
    return transport(eth.ipv4(ip), info).bytes();
  }
  const ip = eth.ipv6({ src: format6(info.src6), dst: format6(info.dst6) });
  return transport(offset > 0 || more ? ip.fragment({ offset, more, protocol }) : ip, info).bytes();
}

function transport(
  ip: Packet,
  { protocol, sport, dport, tcpFlags, icmpType: type, icmpCode: code }: PacketInfo,
): Packet {
  const flags = [...'FSRPAU'].filter((_, bit) => tcpFlags & (1 << bit)).join('');
  if (protocol === 6) return ip.tcp({ sport, dport, flags });
  if (protocol === 17) return ip.udp({ sport, dport }).payload('hello');
  if (protocol === 132) return ip.sctp({ sport, dport });
  return protocol === 1 ? ip.icmp({ type, code }).payload('quoted') : ip.icmp6({ type, code }).payload('quoted');
}
