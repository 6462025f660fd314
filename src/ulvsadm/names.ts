/** Names of hosts and ports. */
import { lookup, lookupService } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { SCTP, TCP, UDP } from '../service/config.js';

/**
 * Looks up names of hosts and ports, in both directions. Hosts may take time; ports come from a
 * file.
 */
export interface Names {
  /**
   * The IPv4 address of a host, in dotted notation. As in ipvsadm, names have IPv4 addresses only.
   */
  hostAddress(name: string): Promise<string | undefined>;
  hostName(address: string): Promise<string | undefined>;
  portNumber(name: string, protocol: number): number | undefined;
  portName(port: number, protocol: number): string | undefined;
}

const DEADLINE_MS = 1000;
const PROTOCOLS: Readonly<Record<number, string>> = { [TCP]: 'tcp', [UDP]: 'udp', [SCTP]: 'sctp' };

/** A table in the format of services(5). */
export class PortNames {
  private readonly numbers = new Map<string, number>();
  private readonly names = new Map<string, string>();

  constructor(services: string) {
    for (const line of services.split('\n')) this.addLine(line.replace(/#.*/, '').trim().split(/\s+/));
  }

  static ofThisHost(): PortNames {
    try {
      return new PortNames(readFileSync('/etc/services', 'latin1'));
    } catch {
      return new PortNames('');
    }
  }

  number(name: string, protocol: number): number | undefined {
    return this.numbers.get(`${name}/${PROTOCOLS[protocol]}`);
  }

  name(port: number, protocol: number): string | undefined {
    return this.names.get(`${port}/${PROTOCOLS[protocol]}`);
  }

  private addLine([name, place, ...aliases]: string[]): void {
    const [port, protocol] = place?.split('/') ?? [];
    if (!name || !protocol) return;
    if (!this.names.has(place!)) this.names.set(place!, name);
    for (const one of [name, ...aliases]) {
      const key = `${one}/${protocol}`;
      if (!this.numbers.has(key)) this.numbers.set(key, Number(port));
    }
  }
}

/** Names without a resolver: /etc/services and `localhost`. For a replay. */
export function offlineNames(ports: PortNames = PortNames.ofThisHost()): Names {
  return {
    hostAddress: async (name) => (name === 'localhost' ? '127.0.0.1' : undefined),
    hostName: async (address) => (address === '127.0.0.1' ? 'localhost' : undefined),
    portNumber: (name, protocol) => ports.number(name, protocol),
    portName: (port, protocol) => ports.name(port, protocol),
  };
}

/** Names of the host's resolver. What it does not resolve within one second stays a number. */
export function systemNames(): Names {
  return {
    ...offlineNames(),
    hostAddress: (name) => inTime(lookup(name, { family: 4 }).then(({ address }) => address)),
    hostName: (address) => inTime(lookupService(address, 0).then(({ hostname }) => hostname)),
  };
}

async function inTime(answer: Promise<string>): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, DEADLINE_MS, undefined);
  });
  try {
    return await Promise.race([answer.catch(() => undefined), deadline]);
  } finally {
    clearTimeout(timer);
  }
}
