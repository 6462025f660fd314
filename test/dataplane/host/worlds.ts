/** Random directors with services, marks, ranges and snat, and packets that they may be about. */
import type { ServiceEntry } from '../../../src/control/api/api.js';
import { parseConfig } from '../../../src/control/config/config.js';
import { setAddresses } from '../../../src/control/engine/static-network.js';
import { InProcessDirector } from '../../../src/control/inprocess.js';
import { Link } from '../../../src/dataplane/table/link.js';
import type { InterceptRule } from '../../../src/device/intercept/rule.js';
import { loadRules } from '../../../src/ulvsadm/rules.js';
import { isTakenBy } from '../../device/xdp/reference.js';
import { type Packet, packet } from '../../support/packet.js';
import type { Random } from '../../support/seed.js';

export const MACS = ['02:00:00:00:0d:00', '02:00:00:00:0d:01'] as const;
const OWN = [
  ['10.0.0.254/24', '2001:db8::fe/64'],
  ['192.168.1.254/24', '2001:db8:1::fe/64'],
];
/** The second is the host's own. */
const VIPS4 = ['10.0.0.100', '10.0.0.254'];
const VIPS6 = ['2001:db8::100', '2001:db8::fe'];
const RIPS4 = ['192.168.1.11', '192.168.1.12'];
const RIPS6 = ['2001:db8:1::11', '2001:db8:1::12'];
const OTHERS4 = ['10.9.0.1', '10.0.0.200', '192.168.1.240', '192.168.1.254', '11.0.0.1'];
const OTHERS6 = ['2001:db8:9::1', '2001:db8::200', '2001:db8:1::fe', '2001:db8:b::1'];
const PORTS = [20, 21, 80, 1023, 1024, 2120, 2121, 5060, 8080, 40_000];
const SOME = (random: Random, all: readonly string[]) => all.filter(() => random.below(3) === 0);

const MARKS = [
  '-p tcp --dport 80 -j MARK --set-mark 7',
  '-d 10.9.0.0/16 -j MARK --set-mark 7',
  '-s 11.0.0.0/8 -p udp -j MARK --set-mark 8',
  '-d 2001:db8:9::/64 -j MARK --set-mark 7',
  '-i eth0 -p tcp -m multiport --dports 80,8080 -j MARK --set-mark 8',
  '-i eth+ -p udp --dport 5060 -j MARK --set-mark 7',
  '-p tcp --syn -j MARK --set-mark 7',
  '-m mark --mark 7 -j MARK --set-mark 9',
  '! -s 11.0.0.0/8 -p tcp --dport 21 -j MARK --set-mark 7',
  '-p icmp --icmp-type 8 -j MARK --set-mark 8',
  '-d 10.9.0.1 -j MARK --set-mark 0',
  '-p udp -j MARK --or-mark 0x8',
];

function configText(random: Random): string {
  // Some directors have nothing to balance: then nothing is intercepted.
  const isIdle = random.below(8) === 0;
  const ranges = SOME(random, isIdle ? [] : ['10.9.0.0/16', '10.0.0.0/24', '2001:db8:9::/64', '2001:db8::/64']);
  const sources = SOME(random, isIdle ? [] : ['192.168.1.240', '192.168.1.254']);
  const snat = SOME(
    random,
    isIdle
      ? []
      : [
          '{ from: 192.168.1.0/24, to: 10.0.0.200 }',
          '{ from: 192.168.1.12/32, to: 10.0.0.254, dev: eth0 }',
          '{ from: "2001:db8:1::/64", to: "2001:db8::200" }',
          '{ from: "2001:db8:1::12/128", to: "2001:db8::fe" }',
        ],
  );
  const list = (texts: readonly string[]) => `[${texts.map((text) => JSON.stringify(text)).join(', ')}]`;
  const shared = random.below(4) === 0 ? ', forwardShared: [eth1]' : '';
  return `
devices:
${MACS.map((mac, i) => `  - { name: eth${i}, mac: ${mac}, addresses: ${list(OWN[i]!)} }`).join('\n')}
accept: { ranges: ${list(ranges)}, sources: ${list(sources)}, arp: ${random.bool()}${shared} }
snat: [ ${snat.join(', ')} ]
helpers: { ftp: ${random.bool() ? '[21]' : '[21, 2121]'} }
marks: ${list(random.below(3) === 0 ? [] : random.shuffle(MARKS).slice(0, 4))}
${isIdle || random.below(8) === 0 ? '' : `rules: |\n  ${rules(random).join('\n  ')}`}
`;
}

function rules(random: Random): string[] {
  const lines: string[] = [];
  for (const [vips, rips, six] of [
    [VIPS4, RIPS4, ''],
    [VIPS6, RIPS6, ' -6'],
  ] as const)
    for (const key of random.shuffle(keysOf(vips, six)).slice(0, random.below(5))) {
      lines.push(`-A ${key} -s rr${key.includes(':0') || random.bool() ? ' -p 60' : ''}`);
      const port = key.includes(':0') ? 0 : random.pick([80, 8080, 21]);
      for (const rip of SOME(random, rips))
        lines.push(`-a ${key} -r ${rip.includes(':') ? `[${rip}]` : rip}:${port}${method(random)}`);
    }
  return lines;
}

function keysOf(vips: readonly string[], six: string): string[] {
  const bare = (vip: string) => (vip.includes(':') ? `[${vip}]` : vip);
  const ports = ['-t 80', '-t 21', '-t 2121', '-t 0', '-u 5060', '-u 0', '--sctp-service 80'];
  const named = vips.flatMap((vip) => ports.map((one) => one.replace(' ', ` ${bare(vip)}:`)));
  return [...named, `-f 7${six}`, `-f 8${six}`];
}

function method(random: Random): string {
  return random.pick([' -m', ' -m', ' -g']);
}

/** A director whose two devices the host's stack shares, as kind `packet` does. */
export async function world(random: Random) {
  const config = parseConfig(configText(random), 'test.yaml');
  const box = new InProcessDirector(config, () => {});
  const d = box.director;
  for (const link of [...d.links]) {
    const { index, name, mac, mtu, forwardsShared } = link;
    d.links[index] = new Link(index, name, mac, mtu, true, true);
    d.links[index].forwardsShared = forwardsShared;
  }
  setAddresses(d, OWN);
  await loadRules(config, box);
  const listed = await box.request({ op: 'list' });
  const services = listed.ok ? (listed.services ?? []) : [];
  return { d, config, services };
}

export function input({
  config,
  services,
}: {
  config: ReturnType<typeof parseConfig>;
  services: readonly ServiceEntry[];
}) {
  const { marks, accept, snat, helpers } = config;
  const own = OWN.flat().map((text) => text.split('/')[0]);
  return { services, marks, accept, snat, ftp: helpers.ftp, has: (address: string) => own.includes(address) };
}

export function anyPacket(random: Random, device: number): Uint8Array {
  const eth = packet().eth('02:00:00:00:c0:01', MACS[device]!);
  const all = random.bool() ? [...VIPS4, ...RIPS4, ...OTHERS4] : [...VIPS6, ...RIPS6, ...OTHERS6];
  const [src, dst] = [random.pick(all), random.pick(all)];
  const six = src.includes(':');
  return transport(random, six ? eth.ipv6({ src, dst }) : eth.ipv4({ src, dst }), six)
    .payload(random.below(9))
    .bytes();
}

function transport(random: Random, ip: Packet, six: boolean): Packet {
  const ports = { sport: random.pick(PORTS), dport: random.pick(PORTS) };
  switch (random.below(6)) {
    case 0:
      return ip.udp(ports);
    case 1:
      return ip.sctp({ ...ports, chunks: [{ type: 1 }] });
    case 2: {
      const type = random.pick(six ? [0, 1, 2, 3, 4, 5, 128, 129] : [0, 3, 4, 5, 8, 11, 12, 13]);
      return six ? ip.icmp6({ type, code: 0 }) : ip.icmp({ type, code: 0 });
    }
    case 3:
      return six ? ip.extension(60, new Uint8Array(6)).tcp(ports) : ip.ipv4({ src: '1.2.3.4', dst: '1.2.3.5' });
    default:
      return ip.tcp({ ...ports, flags: random.pick(['S', 'A', 'R']) });
  }
}

/** `rules` take a frame that comes in by a device. */
export const matches = (rules: readonly InterceptRule[], device: number, bytes: Uint8Array) =>
  isTakenBy(rules, `eth${device}`, MACS[device]!.replaceAll(':', ''), Buffer.from(bytes));
