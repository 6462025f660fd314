/** Facts made by hand: a healthy LVS of each kind, with no more than the checks need. */
import type { DirectorFacts, Facts, HostFacts, ListenerFact, RouteFact } from '../../src/doctor/facts.js';

const MAIN = [
  { six: false, priority: 0, table: 'local', from: '', length: 32, more: false },
  { six: false, priority: 1, table: 'main', from: '', length: 32, more: false },
  { six: true, priority: 0, table: 'local', from: '', length: 128, more: false },
  { six: true, priority: 1, table: 'main', from: '', length: 128, more: false },
];

/** Routes written as `10.0.0.0/24 eth0` or `0.0.0.0/0 eth0 10.0.0.254`; those on lo are local. */
export function routes(...lines: string[]): RouteFact[] {
  return lines.map((line) => {
    const [net = '', dev = '', via] = line.split(' ');
    const [to = '', length = ''] = net.split('/');
    const found = { to, length: Number(length), dev, type: dev === 'lo' ? 'local' : 'unicast', metric: 0 };
    return { ...found, table: dev === 'lo' ? 'local' : 'main', ...(via !== undefined && { via }) };
  });
}

export function host(name: string, role: HostFacts['role'], address: string, more: Partial<HostFacts> = {}): HostFacts {
  return {
    name,
    role,
    namespace: `ns-${name}`,
    links: [{ dev: 'eth0', mac: `02:00:00:00:00:${name.length}0`, mtu: 1500, up: true, kind: 'veth', segment: 'lan' }],
    addresses: [{ dev: 'eth0', address, length: address.includes(':') ? 64 : 24 }],
    routes: routes(`${address.replace(/\d+$/, '0')}/24 eth0`),
    policy: MAIN,
    sysctls: { ip_forward: 0, tcp_synack_retries: 5 },
    listeners: [],
    firewall: [],
    ...more,
  };
}

export function listener(address: string, port: number, protocol = 'tcp'): ListenerFact {
  return { protocol, address, port: String(port) };
}

const DEVICE = {
  name: 'eth0',
  kind: 'packet',
  shared: true,
  exclusive: false,
  mac: '02:00:00:00:0d:00',
  mtu: 1500,
  addresses: [],
};

export function directorFacts(
  method: string,
  address: string,
  more: Partial<DirectorFacts> = {},
  vip = '10.0.0.100',
): DirectorFacts {
  const port = method === 'masq' ? 8080 : 80;
  return {
    services: [
      {
        key: { protocol: 6, address: vip, port: 80 },
        scheduler: 'rr',
        persistent: false,
        destinations: [{ address, port, method, weight: 1, persistConns: 0 }],
      },
    ],
    pid: 42,
    devices: [DEVICE],
    expireQuiescentTemplate: false,
    refusesStrays: false,
    marks: [],
    ranges: [],
    forwardShared: [],
    routes: [],
    unheard: [],
    proxied: [],
    placement: { workerCpus: [], isRealtime: false },
    ...more,
  };
}

const client = host('client', 'client', '10.0.0.1');

export function nat(rs: Partial<HostFacts> = {}, says: Partial<DirectorFacts> = {}): Facts {
  const box = host('director', 'director', '10.0.0.254', {
    addresses: [
      { dev: 'eth0', address: '10.0.0.254', length: 24 },
      { dev: 'eth1', address: '192.168.1.254', length: 24 },
    ],
    routes: routes('10.0.0.0/24 eth0', '192.168.1.0/24 eth1'),
  });
  const healthy = {
    routes: routes('192.168.1.0/24 eth0', '0.0.0.0/0 eth0 192.168.1.254'),
    listeners: [listener('*', 8080)],
  };
  const rs1 = host('rs1', 'realserver', '192.168.1.11', { ...healthy, ...rs });
  return factsOf([client, box, rs1], directorFacts('masq', '192.168.1.11', says));
}

export function dr(rs: Partial<HostFacts> = {}, says: Partial<DirectorFacts> = {}): Facts {
  const healthy = {
    routes: routes('10.0.0.0/24 eth0', '10.0.0.100/32 lo'),
    listeners: [listener('10.0.0.100', 80)],
  };
  const rs1 = host('rs1', 'realserver', '10.0.0.11', { ...healthy, ...rs });
  return factsOf(
    [client, host('director', 'director', '10.0.0.254'), rs1],
    directorFacts('gatewaying', '10.0.0.11', says),
  );
}

export function tun(rs: Partial<HostFacts> = {}): Facts {
  const links = host('rs1', 'realserver', '10.0.0.11').links;
  const tunnel = { dev: 'tunl0', mac: '', mtu: 1480, up: true, kind: 'ipip' };
  const base = dr({ links: [...links, tunnel], ...rs });
  return { ...base, director: directorFacts('ipip', '10.0.0.11') };
}

export function factsOf(hosts: HostFacts[], director: DirectorFacts): Facts {
  return { hosts, director, arp: [], config: '/etc/director.yaml', socket: '/run/s' };
}
