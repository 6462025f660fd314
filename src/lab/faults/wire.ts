/** Faults of the wire itself: what IPv6 needs of it, how long a packet may be, and who finishes a checksum. */
import { inNamespace } from '../../sys/command.js';
import { type Lab, startProgram } from '../build/lab.js';
import { polling } from '../build/network.js';
import { saysReady, untilReady } from '../build/process.js';
import { namespaceOf, program, SWITCH, switchEnd } from '../names.js';
import { hostOf, isSix, realservers, servers } from '../topology.js';
import { type Fault, firewall, inside } from './fault.js';
import { inTurn, type Quick } from './quick.js';

const DISCOVERY =
  'table inet guard { chain arrives { type filter hook input priority 0; icmpv6 type nd-neighbor-solicit drop; }; }';

/** The director has known rs1's MAC for seconds, and would for a while. */
async function hush(lab: Lab): Promise<void> {
  const rip = servers(lab.spec)[0]!.rip;
  await firewall(lab, 'rs1', DISCOVERY);
  await inside(lab, 'director', `ip neigh flush to ${rip}`);
}

/** The wire from rs1 to where it sends its replies goes by XDP from now on, as in a host of containers. */
async function byXdp(lab: Lab): Promise<void> {
  const rs = realservers(lab.spec)[0]!.ports[0]!;
  const next = hostOf(lab.spec, lab.spec.method === 'masq' ? 'director' : 'router');
  const port = next.ports.find(({ segment }) => segment === rs.segment)!;
  await polling(namespaceOf(lab.id, next.name), port.dev);
  const ends = [switchEnd('rs1', rs.dev), switchEnd(next.name, port.dev)];
  const running = startProgram(lab, SWITCH, 'rs1-wire', [program('lab/programs/xdp-wire.js'), ...ends]);
  await untilReady(running, () => saysReady(running));
}

/** Almost as long as Ethernet takes. */
const LONG = 1400;
/** Sends a datagram each from so many sockets, prints who echoed each. */
const ECHO = `
const [family, port, vip, count, length] = process.argv.slice(1);
for (let i = 0; i < count; i++) {
  const socket = require('node:dgram').createSocket(family);
  socket.on('message', (said) => { console.log(String(said).split(' ')[0]); socket.close(); });
  socket.send(Buffer.alloc(Number(length), 'x'), Number(port), vip);
  setTimeout(() => { try { socket.close(); } catch {} }, 1000);
}`;

/** TCP agrees on shorter segments: it is datagrams that are lost. */
function longEchoes(lab: Lab): Promise<Quick> {
  const { id, spec } = lab;
  return inTurn(lab, async (count) => {
    const family = isSix(spec) ? 'udp6' : 'udp4';
    const words = ['-e', ECHO, family, spec.echoPort, spec.vips[0]!, count, LONG].map(String);
    const { stdout } = await inNamespace(namespaceOf(id, 'client'), process.execPath, ...words);
    return stdout.trim().split('\n');
  });
}

export const wireFaults: readonly Fault[] = [
  {
    name: 'offload',
    title: 'unfinished checksums (tx offload) on a veth whose far end forwards by XDP',
    topology: 'dr',
    also: ['ipv6-dr', 'nat'],
    expects: 'unfinished-checksums',
    inject: byXdp,
  },
  {
    name: 'discovery',
    title: "a realserver's firewall drops neighbour solicitations",
    topology: 'ipv6-dr',
    also: ['ipv6-nat'],
    expects: 'neighbour-discovery-filtered',
    inject: hush,
  },
  {
    name: 'wire-mtu',
    title: 'a realserver has a smaller MTU than the director on the same wire',
    topology: 'ipv6-dr',
    also: ['dr'],
    expects: 'mtu-differs',
    inject: (lab) => inside(lab, 'rs1', 'ip link set eth0 mtu 1400'),
    works: longEchoes,
  },
];
