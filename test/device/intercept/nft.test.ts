/** Intercept rules in the syntax of nft, and NftIntercept in the kernel. */
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NftIntercept } from '../../../src/device/intercept/nft.js';
import { ruleText } from '../../../src/device/intercept/nft-text.js';
import type { InterceptRule } from '../../../src/device/intercept/rule.js';
import { PacketDevice } from '../../../src/device/packet/packet.js';
import { Umem } from '../../../src/device/umem.js';
import { collect, send } from '../../support/frames.js';
import { isRoot, Namespaces } from '../../support/netns.js';

const DIST = path.resolve(process.env.ULVS_DIST ?? `${import.meta.dirname}/../../../dist`);
const service: InterceptRule = {
  kind: 'packet',
  family: 4,
  daddr: '10.9.0.2',
  protocol: 6,
  dport: [
    [80, 80],
    [8000, 8010],
  ],
};

describe('ruleText', () => {
  it.each<[InterceptRule, string]>([
    [service, 'meta protocol ip ip daddr 10.9.0.2 meta l4proto 6 th dport { 80, 8000-8010 } counter drop'],
    [
      { kind: 'packet', family: 6, iif: 'eth0', saddr: 'fd00::/64', protocol: 17, sport: [[53, 53]] },
      'iifname "eth0" meta protocol ip6 ip6 saddr fd00::/64 meta l4proto 17 th sport 53 counter drop',
    ],
    [{ kind: 'arp', target: '10.9.0.0/24' }, 'arp operation request arp daddr ip 10.9.0.0/24 counter drop'],
    [
      { kind: 'icmpError', about: { family: 4, daddr: '10.9.0.2-10.9.0.5', protocol: 6, dport: [[80, 80]] } },
      'meta protocol ip meta l4proto 1 @th,0,8 { 3, 4, 11, 12 } @th,136,8 6 @th,192,32 0x0a090002-0x0a090005 @th,240,16 80 counter drop',
    ],
  ])('%#', (rule, text) => expect(ruleText(rule)).toBe(text));

  it.each<[InterceptRule, string]>([
    [{ kind: 'packet', family: 4, daddr: '10.9.0.256' }, "'10.9.0.256' is not an IPv4 address, prefix or range"],
    [{ kind: 'packet', family: 6, saddr: '10.9.0.1' }, "'10.9.0.1' is not an IPv6 address, prefix or range"],
    [{ kind: 'packet', family: 4, saddr: '10.0.0.0/33' }, "'10.0.0.0/33' is not"],
    [{ kind: 'packet', family: 4, saddr: '10.0.0.9-10.0.0.1' }, "'10.0.0.9-10.0.0.1' is not"],
    [{ kind: 'packet', family: 4, dport: [[80, 80]] }, 'ports given for protocol any; name tcp, udp or sctp'],
    [{ kind: 'packet', family: 4, protocol: 6, dport: [[80, 70000]] }, 'bad port range 80-70000'],
    [{ kind: 'icmpError', about: { family: 4 }, iif: 'a"; flush ruleset' }, 'not an interface name'],
  ])('refuses %#', (rule, text) => expect(() => ruleText(rule)).toThrow(text));
});

if (!isRoot) console.log('nft intercept: skipped, needs root for namespaces');

/** ns a: a0 10.9.0.1/24 ─── veth ─── b0 10.9.0.2/24 :ns b, whose kernel we keep from answering. */
describe.skipIf(!isRoot)('NftIntercept', () => {
  let spaces: Namespaces;
  let a: string;
  let b: string;
  let intercept: NftIntercept;

  beforeEach(() => {
    spaces = new Namespaces('nftint');
    a = spaces.add('a');
    b = spaces.add('b');
    spaces.veth(a, 'a0', b, 'b0');
    spaces.run(a, 'ip addr add 10.9.0.1/24 dev a0');
    spaces.run(b, 'ip addr add 10.9.0.2/24 dev b0');
    intercept = new NftIntercept(`t${process.pid}`);
  });
  afterEach(() => spaces.remove());

  const inB = (work: () => void): void => spaces.inside(b, work);
  /** 'refused' when b's kernel answered the SYN with a RST, 'silence' when nothing came. */
  const knock = (port: number): string =>
    spaces
      .run(
        a,
        `timeout 5 ${process.execPath} -e "const c=require('net').connect(${port},'10.9.0.2');
      c.on('error',()=>console.log('refused'));setTimeout(()=>process.exit(console.log('')),250)"`,
      )
      .trim() || 'silence';

  /** Packets that rules have dropped: first those of sets that dropped any, then the others. */
  const counts = (): number[] => {
    const listed = spaces.run(b, `nft list chain ${intercept.table} intercept`).split('\n');
    const found = listed.flatMap((line) => {
      const packets = /counter packets (\d+)/.exec(line)?.[1];
      return packets === undefined || (line.includes('@') && packets === '0' && !line.includes('@th'))
        ? []
        : [Number(packets)];
    });
    return found;
  };

  it('keeps the kernel from answering what is taken, while the packet device sees it', async () => {
    const umem = new Umem(64);
    const device = spaces.inside(b, () => new PacketDevice(umem, 'b0'));
    expect(knock(80)).toBe('refused');
    inB(() => intercept.install(['b0'], [service]));
    expect([knock(80), knock(81)]).toEqual(['silence', 'refused']);
    const isSyn = (f: Uint8Array) => f[23] === 6 && f[36]! * 256 + f[37]! === 80 && f[47] === 2;
    const seen = await collect(device, umem, (all) => all.filter(isSyn).length >= 2, 500);
    expect(seen.filter(isSyn).length).toBeGreaterThanOrEqual(2);
    expect(counts()[0]).toBeGreaterThan(0);
    inB(() => intercept.change([{ ...service, dport: [[81, 81]] } as InterceptRule], [service]));
    expect([knock(80), knock(81)]).toEqual(['refused', 'silence']);
    inB(() => intercept.remove());
    expect(knock(81)).toBe('refused');
    expect(spaces.run(b, 'nft list ruleset')).toBe('');
    inB(() => intercept.remove());
    device.close();
  });

  it('removes what a crashed run left, and changes nothing when it fails', () => {
    spaces.run(b, `nft 'table ${intercept.table} { chain old { meta l4proto tcp drop; }; }'`);
    inB(() => intercept.install(['b0'], []));
    expect(spaces.run(b, 'nft list ruleset')).not.toContain('chain old');
    const before = spaces.run(b, 'nft list ruleset');
    inB(() => expect(() => intercept.install(['nope0'], [service])).toThrow(/^nope0: no such network interface/));
    inB(() => expect(() => intercept.change([{ kind: 'arp', target: 'x' }], [])).toThrow("'x' is not"));
    expect(spaces.run(b, 'nft list ruleset')).toBe(before);
  });

  it('follows many rules by sets, and drops what the elements say', () => {
    const umem = new Umem(64);
    const from = spaces.inside(a, () => new PacketDevice(umem, 'a0'));
    const replies = (i: number): InterceptRule => {
      const saddr = `10.7.${i >> 8}.${i & 255}`;
      return { kind: 'packet', family: 4, saddr, protocol: 17, sport: [[9, 9]] };
    };
    const many = Array.from({ length: 3000 }, (_, i) => replies(i));
    inB(() => intercept.install(['b0'], []));
    inB(() => intercept.change(many, []));
    inB(() => intercept.change([], many.slice(0, 1)));
    expect(spaces.run(b, `nft list chain ${intercept.table} intercept`).split('counter').length).toBeLessThan(20);
    const datagram = (saddr: string, sport: number) => ip4(17, saddr, [0, sport, 0, 9, 0, 8, 0, 0]);
    send(from, umem, [
      datagram('10.7.0.0', 9),
      datagram('10.7.0.1', 9),
      datagram('10.7.11.183', 9),
      datagram('10.7.0.2', 8),
    ]);
    expect(counts()).toEqual([2]);
    const others: InterceptRule[] = [
      { kind: 'packet', family: 6, saddr: 'fd09::1', protocol: 17 },
      { kind: 'arp', target: '10.9.0.70' },
      { kind: 'packet', family: 4, daddr: '10.9.0.2', protocol: 132, dport: [[9, 9]] },
    ];
    inB(() => intercept.change(others, many.slice(1)));
    send(from, umem, [
      ip6(17, 'fd09::98', [0, 9, 0, 9, 0, 8, 0, 0]),
      ip6(58, 'fd09::98', [128, 0, 0, 0]),
      arp('10.9.0.70'),
      arp('10.9.0.71'),
      ip4(132, '10.9.0.1', [0, 1, 0, 9]),
      ip4(132, '10.9.0.1', [0, 1, 0, 8]),
      datagram('10.7.0.1', 9),
    ]);
    expect(counts().toSorted()).toEqual([1, 1, 1, 2]);
    from.close();
  });

  it('cannot be flushed by others, and ends with the process that made it', () => {
    const script = `import('${DIST}/device/intercept/nft.js').then(({ NftIntercept }) => {
      new NftIntercept('other').install(['b0'], []);
      console.log(require('node:child_process').execSync('nft flush ruleset; nft list ruleset', { encoding: 'utf8' }));
      process.kill(process.pid, 'SIGKILL');
    })`;
    const shown = spaces.run(b, `${process.execPath} -e "${script.replaceAll('\n', ' ')}" || true`);
    expect(shown).toMatch(/table netdev ulvs_other \{.*flags owner.*chain intercept/s);
    expect(spaces.run(b, 'nft list ruleset')).toBe('');
  });

  it('drops what each kind of rule says, and nothing else', () => {
    const umem = new Umem(64);
    const from = spaces.inside(a, () => new PacketDevice(umem, 'a0'));
    const rules: InterceptRule[] = [
      { kind: 'arp', target: '10.9.0.64/26' },
      { kind: 'icmpError', about: { family: 4, daddr: '10.9.0.77', protocol: 6, dport: [[80, 80]] } },
      { kind: 'icmpError', about: { family: 6, saddr: 'fd09::70-fd09::7f', protocol: 17, sport: [[53, 60]] } },
      { kind: 'packet', family: 4, iif: 'b0', saddr: '192.168.0.0/16', daddr: '10.0.0.0/8', protocol: 17 },
      { kind: 'packet', family: 4, iif: 'other', saddr: '192.168.0.0/16' },
      { kind: 'packet', family: 6, daddr: 'fd09::99' },
    ];
    inB(() => intercept.install(['b0'], rules));
    send(from, umem, [
      arp('10.9.0.65'),
      arp('10.9.0.63'),
      arp('10.9.0.128'),
      ip4(1, '10.9.0.9', [3, 1, 0, 0, 0, 0, 0, 0, ...quoted4(6, '10.9.0.1', '10.9.0.77', 1000, 80)]),
      ip4(1, '10.9.0.9', [8, 0, 0, 0, 0, 0, 0, 0, ...quoted4(6, '10.9.0.1', '10.9.0.77', 1000, 80)]),
      ip4(1, '10.9.0.9', [3, 1, 0, 0, 0, 0, 0, 0, ...quoted4(6, '10.9.0.1', '10.9.0.77', 1000, 81)]),
      ip6(58, 'fd09::2', [1, 4, 0, 0, 0, 0, 0, 0, ...quoted6(17, 0x75, 53)]),
      ip6(58, 'fd09::2', [1, 4, 0, 0, 0, 0, 0, 0, ...quoted6(17, 0x80, 53)]),
      ip4(17, '192.168.4.4', [0, 9, 0, 9, 0, 8, 0, 0]),
      ip4(17, '192.168.4.4', [0, 9, 0, 9, 0, 8, 0, 0]),
      ip4(6, '192.168.4.4', [0, 9, 0, 9, 0, 8, 0, 0]),
      ip6(17, 'fd09::99', [0, 9, 0, 9, 0, 8, 0, 0]),
      ip6(17, 'fd09::98', [0, 9, 0, 9, 0, 8, 0, 0]),
    ]);
    expect(counts()).toEqual([1, 1, 1, 1, 2, 0]);
    from.close();
  });
});

const four = (text: string): number[] => text.split('.').map(Number);
const ETHERNET = [2, 0, 0, 0, 0, 0xb0, 2, 0, 0, 0, 0, 0xa0];
const six = (last: number): number[] => [0xfd, 9, ...Array<number>(13).fill(0), last];

function arp(target: string): Uint8Array {
  const head = [...ETHERNET, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 0xa0, ...four('10.9.0.1')];
  return Uint8Array.from([...head, 0, 0, 0, 0, 0, 0, ...four(target)]);
}
function ip4(protocol: number, source: string, body: number[]): Uint8Array {
  const head = [0x45, 0, 0, 20 + body.length, 0, 0, 0, 0, 64, protocol, 0, 0, ...four(source), ...four('10.9.0.2')];
  return Uint8Array.from([...ETHERNET, 8, 0, ...head, ...body]);
}
function quoted4(protocol: number, source: string, target: string, sport: number, dport: number): number[] {
  const ports = [sport >> 8, sport & 255, dport >> 8, dport & 255];
  return [0x45, 0, 0, 40, 0, 0, 0, 0, 64, protocol, 0, 0, ...four(source), ...four(target), ...ports, 0, 0, 0, 0];
}
function ip6(next: number, target: string, body: number[]): Uint8Array {
  const last = Number.parseInt(target.slice(6), 16);
  return Uint8Array.from([
    ...ETHERNET,
    0x86,
    0xdd,
    0x60,
    0,
    0,
    0,
    0,
    body.length,
    next,
    64,
    ...six(1),
    ...six(last),
    ...body,
  ]);
}
function quoted6(next: number, source: number, sport: number): number[] {
  return [0x60, 0, 0, 0, 0, 8, next, 64, ...six(source), ...six(1), sport >> 8, sport & 255, 0, 9, 0, 8, 0, 0];
}
