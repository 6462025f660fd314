/**
 * The test network of the conformance scenes. From one description it makes the kernel's setup.sh
 * and the director.yaml of ulvs.
 *
 *     clients .1 .2, router .3 ── 10.0.0.0/24 ── eth0 [director .254, VIP .100] eth1 ── 192.168.1.0/24 ── real servers .11 .12, router .1
 *                               2001:db8::/64                                         2001:db8:1::/64
 *                                                                     eth2 ── 172.16.0.0/24 ── router .1 ── 10.20.0.0/16
 */
import { parse4, parse6 } from '../../../src/wire/address.js';
import { type Packet, packet } from '../../support/packet.js';
import type { Ipv4Words, Ipv6Words } from '../../support/packet-words.js';
import { frameIn, type ScriptRow, writeScenario } from '../../support/scenario-files.js';

export const VIP = '10.0.0.100';
export const VIP6 = '2001:db8::100';
const DIRECTOR = ['02:00:00:00:0d:00', '02:00:00:00:0d:01', '02:00:00:00:0d:02'] as const;
const HOSTS = [
  ['10.0.0.1', 'eth0', '02:00:00:00:c0:01'],
  ['10.0.0.2', 'eth0', '02:00:00:00:c0:02'],
  ['10.0.0.3', 'eth0', '02:00:00:00:c0:03'],
  ['192.168.1.11', 'eth1', '02:00:00:00:a0:11'],
  ['192.168.1.12', 'eth1', '02:00:00:00:a0:12'],
  ['192.168.1.1', 'eth1', '02:00:00:00:a0:01'],
  ['172.16.0.1', 'eth2', '02:00:00:00:b0:01'],
  ['2001:db8::1', 'eth0', '02:00:00:00:c0:01'],
  ['2001:db8::3', 'eth0', '02:00:00:00:c0:03'],
  ['2001:db8:1::11', 'eth1', '02:00:00:00:a0:11'],
  ['2001:db8:1::12', 'eth1', '02:00:00:00:a0:12'],
  ['2001:db8:1::1', 'eth1', '02:00:00:00:a0:01'],
] as const;
const ADDRESSES = [
  ['10.0.0.254/24', '2001:db8::254/64'],
  ['192.168.1.254/24', '2001:db8:1::254/64'],
  ['172.16.0.254/24', '2001:db8:2::254/64'],
] as const;

const VIPS = [`${VIP}/32`, `${VIP6}/128`] as const;

/** Commands of setup.sh that load or unload the kernel's FTP helper. */
const FTP_HELPER = { loaded: 'modprobe ip_vs_ftp', absent: 'modprobe -r ip_vs_ftp' } as const;
/**
 * An nft rule that turns on connection tracking, which the kernel's FTP helper needs. Without a
 * service of port 21 nothing else turns it on.
 */
const TRACKING =
  "nft 'add table ip f; add chain ip f c { type filter hook forward priority 0; }; add rule ip f c ct state new counter'";

export interface Scene {
  readonly name: string;
  /** What it asks, for the head of both files. */
  readonly about: string;
  readonly rules: readonly string[];
  readonly sysctl?: Readonly<Record<string, number>>;
  /** Ours knows too that an interface has the VIP, services or not. */
  readonly ownVip?: true;
  /** IPv6 is set up too. */
  readonly six?: boolean;
  /**
   * What setup.sh does about the kernel's FTP helper. Undefined leaves it as the scenario before
   * left it.
   */
  readonly ftpHelper?: keyof typeof FTP_HELPER;
  /**
   * Packets to this network get this mark. The director accepts them although no interface has the
   * address.
   */
  readonly mark?: {
    readonly words: string;
    readonly nft: string;
    readonly mark: number;
    /** An interface has it all the same: nothing but the mark is new. */
    readonly besideVip?: true;
  };
  play(play: Play): void;
}

/** Collects the frames and commands of one scenario. Time goes on by 10 ms with each frame. */
export class Play {
  readonly rows: ScriptRow[] = [];
  private now = 0;

  /** When the next line comes. */
  get time(): number {
    return this.now;
  }

  /** A frame of the host with this address comes in by eth0, 1 or 2. */
  from(host: string, what: (eth: Packet) => Packet): void {
    const known = HOSTS.find(([ip]) => ip === host);
    if (known === undefined) throw new Error(`no host ${host} on the stage`);
    const [, device, mac] = known;
    const eth = packet().eth(mac, DIRECTOR[Number(device.at(-1))]!);
    this.rows.push(frameIn(this.now, device, what(eth)));
    this.now += 10;
  }
  /** A multicast datagram of the host with this address comes in. */
  cast(host: string, group: string, port: number, bytes: Uint8Array): void {
    const [, device, mac] = HOSTS.find(([ip]) => ip === host)!;
    const tail = group.includes(':') ? parse6(group)!.at(-1)! : (parse4(group)! & 0x7fffff) | 0;
    const low = group.includes(':') ? '33:33' : '01:00:5e';
    const bytesOf = [tail >>> 24, (tail >>> 16) & 255, (tail >>> 8) & 255, tail & 255];
    const suffix = (group.includes(':') ? bytesOf : bytesOf.slice(1)).map((b) => b.toString(16).padStart(2, '0'));
    const eth = packet().eth(mac, [low, ...suffix].join(':'));
    this.rows.push(
      frameIn(
        this.now,
        device,
        ip(eth, host, group, { ttl: 1, df: false }).udp({ sport: 40000, dport: port }).payload(bytes),
      ),
    );
    this.now += 10;
  }
  run(cmd: string): void {
    this.rows.push({ t: this.now, cmd });
    this.now += 300;
  }
  at(ms: number): void {
    this.now = ms;
  }
  /** So many ms later than the last line. */
  after(ms: number): void {
    this.now += ms;
  }
  end(ms: number): void {
    this.rows.push({ t: ms, end: 1 });
  }
}

/** Writes the scenario into ROOT/SUBJECT/NAME. */
export function save(root: string, scene: Scene): void {
  const play = new Play();
  scene.play(play);
  writeScenario(root, scene.name, { rows: play.rows, setup: setup(scene), yaml: yaml(scene) });
}

function setup(scene: Scene): string {
  const own = ADDRESSES.flatMap((pair, i) => usedOf(scene, pair).map((address) => `addr add ${address} dev eth${i}`));
  const vips = usedOf(scene, VIPS).map((address) => `addr add ${address} dev eth0`);
  const hosts = hostsOf(scene).map(([ip, dev, mac]) => `neigh add ${ip} lladdr ${mac} dev ${dev} nud permanent`);
  const sysctls = kernelSysctls(scene.sysctl ?? {});
  const six = ['all', 'eth0', 'eth1', 'eth2'].map((name) => `net.ipv6.conf.${name}.disable_ipv6=0`);
  const wanted = [
    'net.ipv4.ip_forward=1',
    ...(scene.six ? [...six, 'net.ipv6.conf.all.forwarding=1'] : []),
    ...sysctls,
  ];
  const vipless = scene.mark !== undefined && !scene.mark.besideVip;
  const lines = [...own, ...(vipless ? [] : vips), ...hosts, 'route add 10.20.0.0/16 via 172.16.0.1'];
  const taken = vipless
    ? [`ip rule add fwmark ${scene.mark.mark} table 100`, 'ip route add local 0/0 dev lo table 100']
    : [];
  const marks = scene.mark ? [...taken, nft(scene.mark)] : [];
  return [
    `# ${scene.about}`,
    ...(scene.ftpHelper ? [FTP_HELPER[scene.ftpHelper]] : []),
    `sysctl -qw ${wanted.join(' ')}`,
    `ip -batch - <<'I'\n${lines.join('\n')}\nI`,
    ...marks,
    ...(scene.ftpHelper === 'loaded' && scene.mark ? [TRACKING] : []),
    `ipvsadm -R <<'R'\n${scene.rules.join('\n')}\nR`,
    '',
  ].join('\n');
}

/** The kernel has sync_threshold and sync_period in one sysctl. */
function kernelSysctls({ sync_threshold, sync_period, ...others }: NonNullable<Scene['sysctl']>): string[] {
  const alone = Object.entries(others).map(([name, value]) => `net.ipv4.vs.${name}=${value}`);
  if (sync_threshold === undefined && sync_period === undefined) return alone;
  return [...alone, `net.ipv4.vs.sync_threshold='${sync_threshold ?? 3} ${sync_period ?? 50}'`];
}

function nft({ nft, mark }: NonNullable<Scene['mark']>): string {
  return `nft 'add table ip m; add chain ip m p { type filter hook prerouting priority mangle; }; add rule ip m p ${nft} meta mark set ${mark}'`;
}

function yaml(scene: Scene): string {
  const devices = ADDRESSES.map((pair, i) => {
    const all = [...usedOf(scene, pair), ...(scene.ownVip && i === 0 ? usedOf(scene, VIPS) : [])];
    return `  - { name: eth${i}, mac: ${DIRECTOR[i]}, addresses: [${all.map(quoted).join(', ')}] }`;
  });
  const hosts = hostsOf(scene).map(([ip, dev, mac]) => `  - { ip: ${quoted(ip)}, dev: ${dev}, mac: ${mac} }`);
  const sysctl = Object.entries(scene.sysctl ?? {}).map(([name, value]) => `${name}: ${value}`);
  return [
    `# ${scene.about}`,
    'devices:',
    ...devices,
    'routes:',
    '  - { to: 10.20.0.0/16, via: 172.16.0.1, dev: eth2 }',
    'neighbours:',
    ...hosts,
    ...(sysctl.length > 0 ? [`sysctl: { ${sysctl.join(', ')} }`] : []),
    // The kernel cannot speak as an address that no interface has; ours would.
    ...(scene.mark && !scene.mark.besideVip ? ['accept: { icmp: false }'] : []),
    ...(scene.mark ? ['marks:', `  - "${scene.mark.words} -j MARK --set-mark ${scene.mark.mark}"`] : []),
    ...(scene.ftpHelper === 'absent' ? ['helpers: { ftp: [] }'] : []),
    'rules: |',
    ...scene.rules.map((rule) => `  ${rule}`),
    '',
  ].join('\n');
}

function usedOf(scene: Scene, pair: readonly string[]): readonly string[] {
  return scene.six ? pair : pair.slice(0, 1);
}
function hostsOf(scene: Scene) {
  return HOSTS.filter(([ip]) => scene.six || !ip.includes(':'));
}
function quoted(address: string): string {
  return address.includes(':') ? `"${address}"` : address;
}

/** The IP layer of either family; `words` as for IPv4, TTL is the hop limit. */
export function ip(eth: Packet, src: string, dst: string, words: Partial<Ipv4Words & Ipv6Words> = {}): Packet {
  const { ttl, tos, df: _, ...rest } = words;
  if (!src.includes(':')) return eth.ipv4({ ...words, src, dst });
  return eth.ipv6({
    ...rest,
    src,
    dst,
    ...(ttl === undefined ? {} : { hopLimit: ttl }),
    ...(tos === undefined ? {} : { trafficClass: tos }),
  });
}
