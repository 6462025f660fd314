/** Faults of the wire: neighbour discovery, MTU, checksum offload. */
import { inNamespace } from '../../sys/command.js';
import { type Lab, startProgram } from '../build/lab.js';
import { enablePolling } from '../build/network.js';
import { saysReady, untilReady } from '../build/process.js';
import { namespaceOf, program, SWITCH, switchEnd } from '../names.js';
import { hostOf, realservers, servers, usesIPv6 } from '../topology.js';
import { type Fault, firewall, inside } from './fault.js';
import { checkTurns, type SmokeResult } from './smoke-test.js';

const DISCOVERY =
  'table inet guard { chain arrives { type filter hook input priority 0; icmpv6 type nd-neighbor-solicit drop; }; }';

/** The director has the MAC of rs1 in its cache and would keep it for a while. */
async function dropSolicitations(lab: Lab): Promise<void> {
  const rip = servers(lab.spec)[0]!.rip;
  await firewall(lab, 'rs1', DISCOVERY);
  await inside(lab, 'director', `ip neigh flush to ${rip}`);
}

/**
 * Redirects the packets of rs1 by XDP on their way to the next hop, as a host of containers may do.
 */
async function forwardByXdp(lab: Lab): Promise<void> {
  const rs = realservers(lab.spec)[0]!.ports[0]!;
  const next = hostOf(lab.spec, lab.spec.method === 'masq' ? 'director' : 'router');
  const port = next.ports.find(({ segment }) => segment === rs.segment)!;
  await enablePolling(namespaceOf(lab.id, next.name), port.dev);
  const ends = [switchEnd('rs1', rs.dev), switchEnd(next.name, port.dev)];
  const running = startProgram(lab, SWITCH, 'rs1-wire', [program('lab/programs/xdp-wire.js'), ...ends]);
  await untilReady(running, () => saysReady(running));
}

/** Payload bytes of a datagram: almost the longest that fits Ethernet. */
const LONG = 1400;
/** Sends one datagram from each of `count` sockets and prints who echoed each. */
const ECHO = `
const [family, port, vip, count, length] = process.argv.slice(1);
for (let i = 0; i < count; i++) {
  const socket = require('node:dgram').createSocket(family);
  socket.on('message', (said) => { console.log(String(said).split(' ')[0]); socket.close(); });
  socket.send(Buffer.alloc(Number(length), 'x'), Number(port), vip);
  setTimeout(() => { try { socket.close(); } catch {} }, 1000);
}`;

/** A smoke test with long datagrams: TCP would agree on shorter segments. */
function longEchoes(lab: Lab): Promise<SmokeResult> {
  const { id, spec } = lab;
  return checkTurns(lab, async (count) => {
    const family = usesIPv6(spec) ? 'udp6' : 'udp4';
    const words = ['-e', ECHO, family, spec.echoPort, spec.vips[0]!, count, LONG].map(String);
    const { stdout } = await inNamespace(namespaceOf(id, 'client'), process.execPath, ...words);
    return stdout.trim().split('\n');
  });
}

export const wireFaults: readonly Fault[] = [
  {
    name: 'offload',
    title: 'partial checksums (tx offload) on a veth whose other end redirects by XDP',

    topology: 'dr',
    alsoIn: ['ipv6-dr', 'nat'],
    expects: 'partial-checksums',
    inject: forwardByXdp,
  },
  {
    name: 'discovery',
    title: "a realserver's firewall drops neighbour solicitations",
    topology: 'ipv6-dr',
    alsoIn: ['ipv6-nat'],
    expects: 'neighbour-discovery-filtered',
    inject: dropSolicitations,
  },
  {
    name: 'wire-mtu',
    title: 'a realserver has a smaller MTU than the director on the same wire',
    topology: 'ipv6-dr',
    alsoIn: ['dr'],
    expects: 'mtu-differs',
    inject: (lab) => inside(lab, 'rs1', 'ip link set eth0 mtu 1400'),
    serves: longEchoes,
  },
];
