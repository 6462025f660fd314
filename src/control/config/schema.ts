/**
 * The schema of director.yaml: one zod schema for each top-level key, with default and words. The
 * type Config (director-config.ts), the reference (reference.ts) and what SIGHUP reloads
 * (restart-only.ts) come from here.
 */
import { z } from 'zod';
import { MAIN_SOCKET, SOCKET_DIRECTORY, SUN_PATH_MAX } from '../api/socket-path.js';
import { parseMarkRule } from '../mark/rule.js';
import { list, mapping, textOr, value, words } from './builders.js';
import { checks } from './checks-schema.js';
import { browserConsole } from './console-schema.js';
import { announce, rulesFromEtcd } from './fleet-schema.js';
import { metrics } from './metrics-schema.js';
import { accept, device, neighbour, policy, route, snat } from './network-schema.js';
import { autoOrOff, notA, text, whole } from './scalars.js';
import { serviceOptions } from './service-options-schema.js';
import { sync } from './sync-schema.js';
import { sysctls } from './sysctl-schema.js';
import { workersSchema } from './workers-schema.js';

function markRule(raw: unknown) {
  if (typeof raw !== 'string') throw notA(raw, 'a text such as "-d 10.9.0.0/16 -j MARK --set-mark 1"');
  return parseMarkRule(raw);
}

function ruleText(raw: unknown): string {
  if (typeof raw !== 'string')
    throw notA(
      raw,
      'lines such as -A -t 10.0.0.100:80 -s rr, under "rules: |", or a mapping such as { etcd: { endpoints: [https://10.0.0.2:2379] } }',
    );
  return raw;
}

/** 31 days, the largest value that ipvsadm --set takes. */
const seconds = whole(1, 2_678_400, 'a number of seconds');
/**
 * Ports that one FTP helper may have; the kernel's ip_vs_ftp has the same limit
 * (IP_VS_APP_MAX_PORTS).
 */
const PORTS_OF_HELPER = 8;

const timeouts = mapping('a mapping such as { tcp: 900, tcpfin: 120, udp: 300 }', {
  tcp: value(seconds).prefault(900).register(words, {
    type: 'seconds, 1 to 2678400',
    text: 'Idle time after which an established TCP connection ends.',
    example: '3600',
  }),
  tcpfin: value(seconds).prefault(120).register(words, {
    type: 'seconds, 1 to 2678400',
    text: 'Idle time after which a TCP connection in FIN_WAIT ends.',
    example: '60',
  }),
  udp: value(seconds).prefault(300).register(words, {
    type: 'seconds, 1 to 2678400',
    text: 'Idle time after which a UDP connection ends.',
    example: '30',
  }),
});

const helpers = mapping('a mapping such as { ftp: [21] }', {
  ftp: list('21', value(whole(1, 65_535, 'a port')))
    .max(PORTS_OF_HELPER, { error: `more than ${PORTS_OF_HELPER} ports` })
    .default([21])
    .register(words, {
      type: 'list of ports, 8 at most',
      text: 'Ports of FTP control connections that the FTP helper reads. An empty list turns the helper off.',
      example: '[21, 2121]',
    }),
});

const connections = mapping('a mapping such as { max: 1048576 }', {
  max: value(whole(1, 2 ** 26))
    .prefault(2 ** 20)
    .register(words, {
      type: '1 to 67108864',
      text: 'Size of the connection table in entries of 64 bytes, divided among the workers.',
      example: '4194304',
    }),
});

/** A missing mapping is an empty mapping: its keys have their defaults. */
export const schema = {
  devices: list('{ name: eth0 }', device)
    .refine((all) => all.length > 0, { error: 'the list is empty; name a device' })
    .register(words, {
      type: 'list of mappings',
      text: 'Devices of the director: network interfaces of the host, or taps that the director creates.',
      example: '[{ name: eth0 }]',
      change: 'restart',
    }),
  routes: list('{ to: 0.0.0.0/0, via: 10.0.0.1, dev: eth0 }', route).optional().register(words, {
    type: 'list of mappings',
    text: 'Static routes, in place of the routes of the kernel. Networks of the devices need no route.',
    example: '[{ to: default, via: 10.0.0.1, dev: eth0 }]',
    without: 'the routes and policy rules of the kernel; none where all devices are taps',
    change: 'reload',
  }),
  policy: list('{ priority: 100, from: 10.0.0.100, table: 100 }', policy).default([]).register(words, {
    type: 'list of mappings',
    text: 'Policy rules, as of ip rule. On interfaces of the host they need the key routes.',
    example: '[{ priority: 100, from: 10.0.0.100, table: main }]',
    change: 'reload',
  }),
  neighbours: list('{ ip: 10.0.0.1, dev: eth0, mac: 02:00:00:00:0a:01 }', neighbour).default([]).register(words, {
    type: 'list of mappings',
    text: 'Permanent neighbours. The director does not ask ARP or neighbour discovery for them.',
    example: '[{ ip: 10.0.0.1, dev: eth0, mac: "02:00:00:00:0a:01" }]',
    change: 'restart',
  }),
  marks: list('"-d 10.9.0.0/16 -j MARK --set-mark 1"', value(markRule)).default([]).register(words, {
    type: 'list of texts',
    text: 'Rules that set the fwmark of packets that come in, in the words of iptables -t mangle -A PREROUTING.',
    example: '["-i eth0 -d 10.9.0.0/16 -p tcp --dport 80 -j MARK --set-mark 1"]',
    change: 'reload',
  }),
  accept: accept.prefault({}).register(words, {
    type: 'mapping',
    text: 'Addresses that the director accepts though no interface has them, and how it speaks for them.',
    example: '{ arp: true, ranges: [10.9.0.0/16] }',
    change: 'reload',
  }),
  sysctl: z.unknown().transform(sysctls).prefault({}).register(words, {
    type: 'mapping',
    text: 'Values of the sysctls of IPVS, by their names in /proc/sys/net/ipv4/vs.',
    example: '{ conn_reuse_mode: 2, sync_threshold: 3 50 }',
    change: 'reload',
  }),
  timeouts: timeouts.prefault({}).register(words, {
    type: 'mapping',
    text: 'Idle timeouts of connections, as of ipvsadm --set. A --set among the rules overrides them.',
    example: '{ tcp: 3600 }',
    change: 'reload',
  }),
  helpers: helpers.prefault({}).register(words, {
    type: 'mapping',
    text: 'Helpers for protocols that name addresses and ports in their payload.',
    example: '{ ftp: [21] }',
    change: 'reload',
  }),
  sync: sync.prefault({}).register(words, {
    type: 'mapping',
    text: 'Connection synchronisation with other directors, of ulvs or of the kernel, as of ulvsadm --start-daemon.',
    example: '{ master: { interface: eth1, syncid: 1 }, backup: { interface: eth1, syncid: 1 } }',
    change: 'reload',
  }),
  snat: list('{ from: 192.168.1.0/24, to: 10.0.0.100 }', snat).default([]).register(words, {
    type: 'list of mappings',
    text: 'Source NAT for connections that realservers open. Their replies to ended connections get the VIP of the service.',
    example: '[{ from: 192.168.1.0/24, to: 10.0.0.100, dev: eth0 }]',
    change: 'reload',
  }),
  checks: list('{ service: -t 10.0.0.100:80, run: [ { type: tcp } ] }', checks).default([]).register(words, {
    type: 'list of mappings',
    text: 'Health checks of the destinations of a service. The weight of a destination that is down is 0.',
    example: '[{ service: "-t 10.0.0.100:80", run: [{ type: http, path: /health }] }]',
    change: 'reload',
  }),
  serviceOptions: list('{ service: -t 10.0.0.100:80, idle: { tcp: 3600 } }', serviceOptions)
    .default([])
    .register(words, {
      type: 'list of mappings',
      text: 'Options of a service that IPVS does not have: idle times of its own, RST, UDP that moves. All are off without it.',
      example: '[{ service: "-t 10.0.0.100:80", resetIdle: true }]',
      change: 'reload',
    }),
  rules: textOr(ruleText, rulesFromEtcd)
    .optional()
    .register(words, {
      type: 'text, a rule on each line, or a mapping',
      text:
        'Services and destinations, in lines as for ulvsadm -R. Blank lines and lines that begin with # are skipped. ' +
        'Or a mapping that says where they are: a fleet of directors has them in etcd.',
      example: '"-A -t 10.0.0.100:80 -s rr"',
      without: 'no services at the start; a reload keeps the services as they are',
      change: 'reload',
    }),
  rulesFile: value(text('the path of a file')).optional().register(words, {
    type: 'path, relative to the directory of director.yaml',
    text: 'File with lines as in rules, such as ulvsadm -Sn writes. Only one of rules and rulesFile may be given.',
    example: 'ulvs.rules',
    without: 'the key rules is used',
    change: 'reload',
  }),
  announce: announce.optional().register(words, {
    type: 'mapping',
    text:
      'Keeps a route for each VIP that this director serves in a routing table of the kernel, from which BIRD announces it ' +
      'by BGP. Needs a device of kind xdp or packet, and /dev/net/tun.',
    example: '{ table: 1085 }',
    without: 'no routes',
    change: 'restart',
  }),
  metrics: metrics.optional().register(words, {
    type: 'mapping',
    text: 'Metrics in the text format of Prometheus.',
    example: '{ listen: 127.0.0.1:9731 }',
    without: 'no metrics are served',
    change: 'restart',
  }),
  console: browserConsole.optional().register(words, {
    type: 'mapping',
    text: 'The console: a page for the browser that shows the director and changes its rules.',
    example: '{ listen: 127.0.0.1:9732 }',
    without: 'no console is served',
    change: 'restart',
  }),
  socket: value(text('the path of the control socket'))
    .optional()
    .register(words, {
      type: `path, relative to the directory of director.yaml; ${SUN_PATH_MAX} bytes at most`,
      text: 'Unix socket that ulvsadm and the commands of ulvs use.',
      example: '/run/ulvs/second.sock',
      without: `${MAIN_SOCKET}; in another network namespace than that of process 1, ${SOCKET_DIRECTORY}/net-INODE.sock`,
      change: 'restart',
    }),
  socketGroup: value(text('the name of a group')).prefault('ulvs').register(words, {
    type: 'name or number of a group',
    text: 'Group whose members may use the control socket, besides root and the user of the director. Without such a group nobody else may.',
    example: 'netops',
    change: 'restart',
  }),
  socketReaders: value(text('the name of a group')).prefault('ulvs-ro').register(words, {
    type: 'name or number of a group',
    text: 'Group whose members may ask but change nothing, by a second socket beside the first: ulvs-ro.sock beside ulvs.sock. Without such a group there is no second socket.',
    example: 'monitoring',
    change: 'restart',
  }),
  state: value(text('none, or the path of a directory'))
    .optional()
    .register(words, {
      type: 'none, or a path relative to the directory of director.yaml',
      text:
        'Directory of what outlives the process: connections, counters and rules, as files that are the memory of the director. ' +
        'It belongs into a tmpfs. The next director that uses it goes on with them. `none`: all of it ends with the process.',
      example: 'none',
      without:
        'a directory beside the socket, `ulvs.state` for `ulvs.sock`, where that is in a tmpfs such as /run; otherwise none',
      change: 'restart',
    }),
  connections: connections.prefault({}).register(words, {
    type: 'mapping',
    text: 'Room for connections.',
    example: '{ max: 4194304 }',
    change: 'restart',
  }),
  ...workersSchema,
  offload: value(autoOrOff)
    .prefault('off')
    .register(words, {
      type: 'auto or off',
      text:
        'Packets of established connections are forwarded by programs in the kernel, without the director. `auto`: ' +
        'between devices of kind packet by tcx (Linux 6.6), and of kind xdp whose drivers take redirected frames.',
      example: 'auto',
      change: 'restart',
    }),
};
