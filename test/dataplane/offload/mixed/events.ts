/**
 * What happens to the directors of the mixed load between frames: changes of rules, sysctls,
 * neighbours, routes and MTUs; readings of counters and connections. An event returns false when
 * the two directors differ after it.
 */
import { Announcements } from '../../../../src/control/engine/announcing.js';
import { HostFacts } from '../../../../src/control/engine/host-facts.js';
import type { Message } from '../../../../src/control/engine/messages.js';
import { staticRoutes } from '../../../../src/control/engine/static-network.js';
import { compileRoutes } from '../../../../src/dataplane/table/compiled-routes.js';
import type { Random } from '../../../support/seed.js';
import { MACS } from '../../fastpath/network.js';
import { arriving } from '../../fastpath/traffic.js';
import { keyOf, SERVICES, serverOf } from './network.js';
import type { Pair } from './pair.js';

type Event = () => boolean | Promise<boolean>;

export class Events {
  /** The rules that were removed. The next removal adds one of them again instead. */
  private readonly undo: string[] = [];
  /** Last byte of the MAC addresses of 192.168.1.21 and .22. */
  private readonly macs = new Map([
    ['192.168.1.21', 0x21],
    ['192.168.1.22', 0x22],
  ]);
  private isTraced = false;

  constructor(
    private readonly pair: Pair,
    private readonly random: Random,
  ) {}

  /** One event. */
  any(): boolean | Promise<boolean> {
    return this.random.pick(this.all)();
  }

  private readonly all: readonly Event[] = [
    () => this.weight(),
    () => this.removal(),
    () => this.removal(),
    () => this.service(),
    () => this.sysctl(this.random.pick(['expire_nodest_conn', 'expire_quiescent_template', 'nat_icmp_send']), 2),
    () => this.sysctl('secure_tcp', 4),
    () => this.sysctl('drop_entry', 4),
    () => this.request({ op: 'setTimeouts', timeouts: { tcp: 30 + this.random.below(60), tcpfin: 8, udp: 0 } }),
    () => this.neighbour(),
    () => this.route(),
    () => this.mtu(),
    () => this.trace(),
    () => this.request({ op: 'zero' }),
    () => this.listing(),
    () => this.listing(),
    () => this.connections(),
  ];

  private weight(): boolean | Promise<boolean> {
    const { random } = this;
    const service = random.pick(SERVICES);
    return this.pair
      .edit(`-e ${serverOf(service, random.below(service.servers.length))} -w ${random.pick([0, 0, 1, 3])}`)
      .catch(isGone);
  }

  private removal(): boolean | Promise<boolean> {
    const { random } = this;
    const again = this.undo.pop();
    if (again !== undefined) return this.pair.edit(again);
    const service = random.pick(SERVICES);
    const server = random.below(service.servers.length);
    this.undo.push(`-a ${serverOf(service, server)}`);
    return this.pair.edit(`-d ${keyOf(service)} -r ${service.servers[server]}`);
  }

  /** A service goes, and comes again. */
  private async service(): Promise<boolean> {
    const service = this.random.pick(SERVICES);
    if (this.undo.length > 0) return true;
    const lines = [`-D ${keyOf(service)}`, `-A ${keyOf(service)} ${service.options}`];
    for (const line of [...lines, ...service.servers.map((_, i) => `-a ${serverOf(service, i)}`)])
      if (!(await this.pair.edit(line))) return false;
    return true;
  }

  private sysctl(name: string, below: number) {
    return this.request({ op: 'setSysctl', name, value: this.random.below(below) });
  }

  private async request(request: Parameters<Pair['on']['request']>[0]): Promise<boolean> {
    const [on, off] = [await this.pair.on.request(request), await this.pair.off.request(request)];
    return on.ok && JSON.stringify(on) === JSON.stringify(off);
  }

  /** Reads the counters. Rates are left out: they depend on what was read before. */
  private async listing(): Promise<boolean> {
    const [on, off] = [await this.pair.on.request({ op: 'list' }), await this.pair.off.request({ op: 'list' })];
    const exact = (key: string, value: unknown) =>
      ['cps', 'inpps', 'outpps', 'inbps', 'outbps'].includes(key) ? 0 : value;
    return JSON.stringify(on, exact) === JSON.stringify(off, exact);
  }

  /** The first page of them. */
  private connections(): Promise<boolean> {
    return this.request({ op: 'connections' });
  }

  /** A realserver has another MAC address: its ARP reply or the kernel says so. */
  private neighbour(): boolean {
    const [ip] = this.random.pick([...this.macs]);
    this.macs.set(ip, this.random.below(256));
    if (this.random.bool()) return this.pair.receive(1, this.arp(ip, ip));
    const message: Message = { kind: 'neighbours', facts: [{ device: 1, ip, mac: this.macOf(ip), failed: false }] };
    return this.pair.tell(message, (d) => {
      for (const fact of message.facts) new HostFacts(d, new Announcements(d), () => {}).learn(fact);
    });
  }

  /** Answers ARP requests that left. */
  answer(): boolean {
    for (const { device, bytes } of this.pair.left) {
      if (device !== 1 || bytes[12] !== 8 || bytes[13] !== 6 || bytes[21] !== 1) continue;
      const ip = bytes.subarray(38, 42).join('.');
      if (this.macs.has(ip) && !this.pair.receive(1, this.arp(ip, '192.168.1.254'))) return false;
    }
    return true;
  }

  private arp(ip: string, targetIp: string): Uint8Array {
    const senderMac = this.macOf(ip);
    return arriving(1).arp({ op: 'reply', senderMac, senderIp: ip, targetMac: MACS[1], targetIp }).bytes();
  }

  private macOf(ip: string): string {
    return `02:00:00:00:b0:${this.macs.get(ip)!.toString(16).padStart(2, '0')}`;
  }

  /** Clients are behind the other router, or behind a path with a smaller MTU. */
  private route(): boolean {
    const { config } = this.pair.on;
    const via = this.random.pick(['10.0.0.1', '10.0.0.2']);
    const mtu = this.random.pick([1500, 1500, 580]);
    const routes = config.routes!.map((route, i) => (i === 0 ? { ...route, via, mtu } : route));
    const compiled = compileRoutes(staticRoutes({ ...config, routes }));
    return this.pair.tell({ kind: 'routes', ...compiled }, (d) => d.router.replace(compiled));
  }

  private mtu(): boolean {
    const mtu = this.random.pick([600, 580, 560]);
    const links = MACS.map((mac, i) => ({ mac, mtu: i === 0 ? 1500 : mtu, running: true }));
    return this.pair.tell({ kind: 'links', links }, (d) =>
      new HostFacts(d, new Announcements(d), () => {}).setLinks(links),
    );
  }

  /** While a trace runs, every packet comes to the director. */
  private trace(): boolean {
    this.isTraced = !this.isTraced;
    this.pair.kernel.offload.setOff(this.isTraced);
    return true;
  }
}

/** The destination was removed. */
function isGone(error: unknown): boolean {
  return error instanceof Error && error.message.includes('No such destination');
}
