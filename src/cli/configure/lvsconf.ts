/**
 * The configuration file of the HOWTO's configure script (chapters 5.3, 5.5, 7.1, 26.4), one
 * setting a line:
 *
 *     LVS_TYPE=VS_DR                      VS_NAT, VS_DR or VS_TUN; default: VS_NAT if servers name a port, else VS_DR
 *     VIP=eth0:110 lvs [netmask …]        device of the VIP on the director (TP: no device has it), VIP
 *     DIP=eth1 dip [network netmask …]    device towards the realservers, DIP
 *     DIRECTOR_GW=router
 *     SERVICE=t telnet rr rs1[:port][,weight] rs2 …       t or u, port or name, scheduler
 *     SERVER_VIP_DEVICE=lo:0  SERVER_NET_DEVICE=eth0  SERVER_GW=router
 */

import { SCHEDULER_NAMES } from '../../schedulers/index.js';
import { PortNames } from '../../ulvsadm/names.js';
import type { HostNames } from './names.js';

export type LvsType = 'nat' | 'dr' | 'tun';

export interface Place {
  /** The device without an alias (`eth0`, not `eth0:110`); `TP` for transparent proxy. */
  readonly device: string;
  readonly address: string;
  /** The prefix length, if a netmask was given. */
  readonly prefix: number | undefined;
}
export interface Server {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly weight: number;
}
export interface Service {
  readonly line: number;
  readonly protocol: 't' | 'u';
  readonly port: number;
  readonly scheduler: string;
  readonly servers: readonly Server[];
}
export interface LvsConf {
  readonly type: LvsType;
  /** The file has LVS_TYPE; otherwise the type follows from the ports. */
  readonly isTypeGiven: boolean;
  readonly vips: readonly Place[];
  readonly dip: Place | undefined;
  readonly directorGateway: string | undefined;
  readonly services: readonly Service[];
  readonly serverVipDevice: string;
  readonly serverDevice: string;
  readonly serverGateway: string | undefined;
}

export class LvsConfError extends Error {
  override readonly name = 'LvsConfError';
}

const TYPES: Readonly<Record<string, LvsType>> = { VS_NAT: 'nat', VS_DR: 'dr', VS_TUN: 'tun' };
/** Settings of the old script that have no meaning for a director in user space. */
const IGNORED = ['LVSCONF_FORMAT', 'INITIAL_STATE', 'CLEAR_IPVS_TABLES', 'DIRECTOR_NET_DEVICE', 'SERVER_NETMASK'];

interface Line {
  readonly key: string;
  readonly words: readonly string[];
  readonly number: number;
}

/** Parses an lvs.conf. Throws an LvsConfError with one line for each mistake: `file:line: …`. */
export function parseLvsConf(text: string, file: string, hosts: HostNames, ports = PortNames.ofThisHost()): LvsConf {
  return new Reader(file, hosts, ports).read(text);
}

class Reader {
  private readonly problems: string[] = [];
  private type: LvsType | undefined;
  private readonly vips: Place[] = [];
  private dip: Place | undefined;
  private readonly services: Service[] = [];
  private namesPorts = false;
  private readonly words = new Map<string, string>();

  constructor(
    private readonly file: string,
    private readonly hosts: HostNames,
    private readonly ports: PortNames,
  ) {}

  read(text: string): LvsConf {
    for (const line of this.lines(text)) this.setting(line);
    if (this.services.length === 0) this.problems.push(`${this.file}: no SERVICE= line: name at least one service`);
    if (this.vips.length === 0) this.problems.push(`${this.file}: no VIP= line: name the device and the virtual IP`);
    if (this.problems.length > 0) throw new LvsConfError(this.problems.join('\n'));
    return {
      type: this.type ?? (this.namesPorts ? 'nat' : 'dr'),
      isTypeGiven: this.type !== undefined,
      vips: this.vips,
      dip: this.dip,
      directorGateway: this.words.get('DIRECTOR_GW') ?? this.words.get('DIRECTOR_DEFAULT_GW'),
      services: this.services,
      serverVipDevice: bare(this.words.get('SERVER_VIP_DEVICE') ?? 'lo'),
      serverDevice: this.words.get('SERVER_NET_DEVICE') ?? 'eth0',
      serverGateway: this.words.get('SERVER_GW') ?? this.words.get('SERVER_DEFAULT_GW'),
    };
  }

  private *lines(text: string): Generator<Line> {
    for (const [i, raw] of text.split('\n').entries()) {
      const line = raw.replace(/#.*/, '').trim();
      if (line === '') continue;
      const at = line.indexOf('=');
      const number = i + 1;
      if (at < 1) this.bad(number, `"${line}" is not KEY=value`);
      else
        yield {
          key: line.slice(0, at).trim(),
          words: line
            .slice(at + 1)
            .trim()
            .split(/\s+/),
          number,
        };
    }
  }

  private setting(line: Line): void {
    const { key, words, number } = line;
    if (IGNORED.includes(key)) return;
    if (key === 'LVS_TYPE') this.setType(line);
    else if (key === 'VIP') this.addVip(line);
    else if (key === 'DIP' || key === 'DIRECTOR_INSIDEIP') this.dip = this.place(line) ?? this.dip;
    else if (key === 'SERVICE') this.addService(line);
    else if (key === 'SERVER_VIP_DEVICE' || key === 'SERVER_NET_DEVICE') this.words.set(key, words[0]!);
    else if (/^(DIRECTOR|SERVER)_(DEFAULT_)?GW$/.test(key)) this.words.set(key, this.host(words[0] ?? '', number));
    else
      this.bad(
        number,
        `${key} is not a setting of lvs.conf (VIP, DIP, SERVICE, LVS_TYPE, SERVER_GW, SERVER_VIP_DEVICE …)`,
      );
  }

  private setType({ words, number }: Line): void {
    this.type = TYPES[words[0]!];
    if (this.type === undefined) this.bad(number, `LVS_TYPE=${words[0]}: is not VS_NAT, VS_DR or VS_TUN`);
  }

  private addVip(line: Line): void {
    const place = this.place(line);
    if (place !== undefined) this.vips.push(place);
  }

  private place({ key, words, number }: Line): Place | undefined {
    const [device, name, ...rest] = words;
    if (device === undefined || name === undefined) {
      this.bad(number, `${key}= needs a device and an address, like ${key}=eth0 ${key.toLowerCase()}`);
      return undefined;
    }
    const mask = rest.map(prefixOf).find((length) => length !== undefined);
    return { device: bare(device), address: this.host(name, number), prefix: mask };
  }

  private addService({ words, number }: Line): void {
    const [protocol, port, scheduler, ...servers] = words;
    if (protocol !== 't' && protocol !== 'u') {
      this.bad(number, `SERVICE=${protocol ?? ''}: begins with t (TCP) or u (UDP)`);
      return;
    }
    if (scheduler === undefined || !SCHEDULER_NAMES.includes(scheduler)) {
      this.bad(number, `SERVICE=: "${scheduler ?? ''}" is not a scheduler (${SCHEDULER_NAMES.join(' ')})`);
      return;
    }
    if (servers.length === 0) this.bad(number, 'SERVICE=: names no realserver');
    const own = this.port(port ?? '', protocol, number);
    const list = servers.map((text) => this.server(text, protocol, own, number));
    this.services.push({ line: number, protocol, port: own, scheduler, servers: list });
  }

  /** Parses a server: `name` or `name:port`, either with `,weight`. */
  private server(text: string, protocol: 't' | 'u', servicePort: number, number: number): Server {
    const [place, weight = '1', ...more] = text.split(',');
    const [name, port] = place!.split(':');
    if (!/^\d{1,5}$/.test(weight) || more.length > 0)
      this.bad(number, `${text}: the weight after the comma is not a number from 0 to 65535`);
    if (port !== undefined) this.namesPorts = true;
    return {
      name: name!,
      address: this.host(name!, number),
      port: port === undefined ? servicePort : this.port(port, protocol, number),
      weight: Number(weight),
    };
  }

  private port(text: string, protocol: 't' | 'u', number: number): number {
    const port = /^\d{1,5}$/.test(text) ? Number(text) : (this.ports.number(text, protocol === 't' ? 6 : 17) ?? -1);
    if (port >= 0 && port <= 65535) return port;
    this.bad(number, `"${text}" is neither a port number nor a service of /etc/services`);
    return 0;
  }

  private host(name: string, number: number): string {
    const address = this.hosts.address(name);
    if (address !== undefined) return address;
    this.bad(number, `"${name}" is neither an address nor a name in the hosts file`);
    return '0.0.0.0';
  }

  private bad(number: number, text: string): void {
    this.problems.push(`${this.file}:${number}: ${text}`);
  }
}

/** `eth0:110` is eth0: the director needs no alias. */
function bare(device: string): string {
  return device.split(':')[0]!;
}

/**
 * The prefix length of a dotted netmask. That of a host counts as none: the script writes
 * 255.255.255.255 for VIPs.
 */
function prefixOf(text: string): number | undefined {
  const parts = text.split('.').map(Number);
  if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part <= 255)) || parts[0] !== 255) return undefined;
  const bits = parts.map((part) => part.toString(2).padStart(8, '0')).join('');
  return /^1*0*$/.test(bits) ? bits.indexOf('0') : undefined;
}
