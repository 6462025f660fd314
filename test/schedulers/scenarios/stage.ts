/**
 * The test network of the scheduler scenes. From one description it makes the kernel's setup.sh and
 * the director.yaml of ulvs. The method is direct routing, so the MAC address of each sent frame
 * names the chosen server.
 *
 *     clients 10.9.x.y ── router .1 ── 10.0.0.0/24 ── eth0 [director .254, VIP .100] eth1 ── 192.168.1.0/24 ── servers .11 … .18
 *        2001:db8:98::x:y   ::1         2001:db8::/64                                     2001:db8:1::/64       ::11 … ::18
 *
 * With `marked` no interface has the VIPs. Packets to 203.0.113.0/24 (2001:db8:9::/64) get mark 1.
 */
import { type Packet, packet } from '../../support/packet.js';
import { frameIn, type ScriptRow, writeScenario } from '../../support/scenario-files.js';

const DIRECTOR = ['02:00:00:00:0d:00', '02:00:00:00:0d:01'] as const;
const ROUTER = '02:00:00:00:c0:01';
/** Number of servers, destinations or not. A scene may have more. */
const SERVERS = 8;
const NET = '203.0.113.0/24';
const NET6 = '2001:db8:9::/64';
/** Time between two frames, and the longest time of a command in the emulated kernel. */
const FRAME_MS = 5;
const COMMAND_MS = 400;

export interface Scene {
  readonly name: string;
  readonly about: string;
  /** The text after `-s`: the scheduler and its options. */
  readonly scheduler: string;
  /** The texts after `-r`, one for each destination, in the order in which they are added. */
  readonly servers: readonly string[];
  readonly six?: boolean;
  readonly marked?: boolean;
  readonly udp?: boolean;
  readonly sysctl?: Readonly<Record<string, number>>;
  play(play: Play): void;
}

export interface Client {
  readonly address: string;
  readonly port: number;
  readonly vip: string;
}

export class Play {
  readonly rows: ScriptRow[] = [];
  private now = 0;

  constructor(private readonly scene: Scene) {}

  get service(): string {
    return serviceOf(this.scene);
  }
  /** The n-th client; `vip` numbers the marked addresses. */
  client(n: number, port = 1024 + n, vip = 0): Client {
    const [x, y] = [1 + (Math.imul(n, 7919) & 0x3f), 1 + (Math.imul(n, 31) % 250)];
    return { address: this.scene.six ? `2001:db8:98::${x}:${y}` : `10.9.${x}.${y}`, port, vip: vipOf(this.scene, vip) };
  }
  server(n: number): string {
    return serverOf(this.scene, n);
  }
  /** A packet of the client; `flags` as in TCP, ignored for UDP. */
  send({ address, port, vip }: Client, flags = 'S'): void {
    const eth = packet().eth(ROUTER, DIRECTOR[0]);
    const ip = this.scene.six ? eth.ipv6({ src: address, dst: vip }) : eth.ipv4({ src: address, dst: vip });
    const whole = this.scene.udp
      ? ip.udp({ sport: port, dport: 80 }).payload('?')
      : ip.tcp({ sport: port, dport: 80, flags, seq: 1, ack: flags.includes('A') ? 1 : 0 });
    this.push(whole);
  }
  run(words: string): void {
    this.rows.push({ t: this.now, cmd: `ipvsadm ${words} 2>&1` });
    this.now += COMMAND_MS;
  }
  edit(words: string): void {
    this.run(`-e ${this.service} -r ${words}`);
  }
  wait(ms: number): void {
    this.now += ms;
  }
  listings(): void {
    this.run('-Ln');
    this.rows.push({ t: this.now, cmd: 'ipvsadm -Lnc | sort' });
    this.now += COMMAND_MS;
  }

  private push(whole: Packet): void {
    this.rows.push(frameIn(this.now, 'eth0', whole));
    this.now += FRAME_MS;
  }
}

function serviceOf({ marked, six, udp }: Scene): string {
  if (marked) return six ? '-f 1 -6' : '-f 1';
  return `${udp ? '-u' : '-t'} ${six ? '[2001:db8::100]' : '10.0.0.100'}:80`;
}
function vipOf({ marked, six }: Scene, n: number): string {
  if (!marked) return six ? '2001:db8::100' : '10.0.0.100';
  return six ? `2001:db8:9::${(n * 37 + 1).toString(16)}` : `203.0.113.${1 + ((n * 37) % 250)}`;
}
function serverOf({ marked, six }: Scene, n: number): string {
  if (six) return marked ? `2001:db8:1::${10 + n}` : `[2001:db8:1::${10 + n}]:80`;
  return marked ? `192.168.1.${10 + n}` : `192.168.1.${10 + n}:80`;
}

function serversOf({ servers }: Scene): number[] {
  return Array.from({ length: Math.max(SERVERS, servers.length) }, (_, i) => i + 1);
}
/**
 * The MAC address of a server, 02:00:00:00:a0:11 and so on. It ends in the last digits of the IP
 * address.
 */
function macOf(n: number): string {
  const digits = String(10 + n).padStart(3, '0');
  return `02:00:00:00:a${digits[0]}:${digits.slice(1)}`;
}

/** Writes the scenario into ROOT/SUBJECT/NAME. */
export function save(root: string, scene: Scene): void {
  const play = new Play(scene);
  scene.play(play);
  writeScenario(root, scene.name, { rows: play.rows, setup: setup(scene), yaml: yaml(scene) });
}

function rules(scene: Scene): string[] {
  const service = serviceOf(scene);
  const servers = scene.servers.map((words) => {
    const [n, ...options] = words.split(' ');
    return `-a ${service} -r ${serverOf(scene, Number(n))} -g ${options.join(' ')}`.trimEnd();
  });
  return [`-A ${service} -s ${scene.scheduler}`, ...servers];
}

interface Net {
  readonly own: readonly string[];
  readonly vip: string;
  readonly router: string;
  readonly clients: string;
  readonly server: (n: number) => string;
}
function netOf({ six }: Scene): Net {
  return six
    ? {
        own: ['2001:db8::254/64', '2001:db8:1::254/64'],
        vip: '2001:db8::100/128',
        router: '2001:db8::1',
        clients: '2001:db8:98::/64',
        server: (n) => `2001:db8:1::${10 + n}`,
      }
    : {
        own: ['10.0.0.254/24', '192.168.1.254/24'],
        vip: '10.0.0.100/32',
        router: '10.0.0.1',
        clients: '10.9.0.0/16',
        server: (n) => `192.168.1.${10 + n}`,
      };
}

function setup(scene: Scene): string {
  const { own, vip, router, clients, server } = netOf(scene);
  const lines = [
    ...own.map((address, i) => `addr add ${address} dev eth${i}`),
    ...(scene.marked ? [] : [`addr add ${vip} dev eth0`]),
    ...serversOf(scene).map((n) => `neigh add ${server(n)} lladdr ${macOf(n)} dev eth1 nud permanent`),
    `neigh add ${router} lladdr ${ROUTER} dev eth0 nud permanent`,
    `route add ${clients} via ${router}`,
  ];
  const six = ['all', 'eth0', 'eth1'].map((name) => `net.ipv6.conf.${name}.disable_ipv6=0`);
  const forward = scene.six ? [...six, 'net.ipv6.conf.all.forwarding=1'] : ['net.ipv4.ip_forward=1'];
  // The sysctls come after the rules: some appear with the module of the scheduler.
  const sysctls = Object.entries(scene.sysctl ?? {}).map(([name, value]) => `sysctl -qw net.ipv4.vs.${name}=${value}`);
  return [
    `# ${scene.about}`,
    `sysctl -qw ${forward.join(' ')}`,
    `ip -batch - <<'I'\n${lines.join('\n')}\nI`,
    ...(scene.marked ? marking(scene) : []),
    `ipvsadm -R <<'R'\n${rules(scene).join('\n')}\nR`,
    ...sysctls,
    '',
  ].join('\n');
}

function marking({ six }: Scene): string[] {
  const [family, table, net] = six ? ['-6', 'ip6', NET6] : ['-4', 'ip', NET];
  return [
    `ip ${family} rule add fwmark 1 table 100`,
    `ip ${family} route add local ${six ? '::/0' : '0/0'} dev lo table 100`,
    `nft 'add table ${table} m; add chain ${table} m p { type filter hook prerouting priority mangle; }; add rule ${table} m p ${table} daddr ${net} meta mark set 1'`,
  ];
}

function yaml(scene: Scene): string {
  const { own, router, clients, server } = netOf(scene);
  const sysctl = Object.entries(scene.sysctl ?? {}).map(([name, value]) => `${name}: ${value}`);
  return [
    `# ${scene.about}`,
    'devices:',
    ...own.map((address, i) => `  - { name: eth${i}, mac: ${DIRECTOR[i]}, addresses: ["${address}"] }`),
    `routes: [{ to: "${clients}", via: "${router}", dev: eth0 }]`,
    'neighbours:',
    `  - { ip: "${router}", dev: eth0, mac: ${ROUTER} }`,
    ...serversOf(scene).map((n) => `  - { ip: "${server(n)}", dev: eth1, mac: ${macOf(n)} }`),
    ...(sysctl.length > 0 ? [`sysctl: { ${sysctl.join(', ')} }`] : []),
    ...(scene.marked ? acceptance(scene) : []),
    'rules: |',
    ...rules(scene).map((rule) => `  ${rule}`),
    '',
  ].join('\n');
}

/** The kernel has no IPv4 address from which to send its ICMP errors. */
function acceptance({ six }: Scene): string[] {
  const net = six ? NET6 : NET;
  return ['marks:', `  - "-d ${net} -j MARK --set-mark 1"`, `accept: { ranges: ["${net}"], icmp: ${six === true} }`];
}
