/** What the captures of a run show: the form each forwarding method gives a packet, and that every checksum is right. */
import { Capture } from './capture.js';
import type { Lab } from './lab.js';
import { SWITCH, switchEnd } from './names.js';
import type { Check, Outcome } from './run.js';
import type { Seen } from './tcpdump.js';
import { addressOf, type Host, hostOf, realservers, repliesPassDirector, type Topology } from './topology.js';

/** What a packet at the realserver must look like; '' when it does, else what is wrong. */
type Form = (packet: Seen, host: Host, spec: Topology) => string;

function differs(what: string, got: string | undefined, wanted: string): string {
  return got === wanted ? '' : `${what} ${got ?? 'none'}, not ${wanted}`;
}

function host(address: string): string {
  return address.split(':')[0]!;
}

function toVip(packet: Seen, spec: Topology): string {
  const vip = spec.vips.some((address) => packet.destination === `${address}:${spec.httpPort}`);
  return vip ? '' : `destination ${packet.destination}, not VIP:${spec.httpPort}`;
}

const FORMS: Record<Topology['method'], { words: string; form: Form }> = {
  masq: {
    words: 'CIP->RIP:rport',
    form: (packet, rs, spec) =>
      differs('destination', packet.destination, `${addressOf(rs)}:${spec.listeners(rs).http}`),
  },
  gatewaying: {
    words: "CIP->VIP, director's MAC to realserver's MAC",
    form: (packet, rs, spec) =>
      toVip(packet, spec) ||
      differs('destination MAC', packet.destinationMac, rs.ports[0]!.mac) ||
      differs('source MAC', packet.sourceMac, hostOf(spec, 'director').ports[0]!.mac),
  },
  ipip: {
    words: 'DIP->RIP (CIP->VIP)',
    form: (packet, rs, spec) =>
      differs('outer source', packet.outer?.source, addressOf(hostOf(spec, 'director'))) ||
      differs('outer destination', packet.outer?.destination, addressOf(rs)) ||
      toVip(packet, spec),
  },
};

export interface WireWatch {
  outcomes(downloadsFine: boolean): Promise<Outcome[]>;
}

/** Captures what comes in at the first realserver and, where replies pass the director, at the client. */
export async function watchWire(lab: Lab): Promise<WireWatch> {
  const rs = realservers(lab.spec)[0]!;
  const atRealserver = await Capture.start(lab, rs.name, 'eth0', 'in', `ip and ether dst ${rs.ports[0]!.mac}`);
  const atClient = repliesPassDirector(lab.spec) ? await Capture.start(lab, 'client', 'eth0', 'in', 'tcp') : undefined;
  return {
    async outcomes(downloadsFine) {
      const arrived = atRealserverOutcomes(await atRealserver.packets(), rs, lab.spec, atRealserver.lost);
      if (!atClient) return arrived;
      return [...arrived, clientOutcome(await atClient.packets(), lab.spec, downloadsFine)];
    },
  };
}

function atRealserverOutcomes(packets: Seen[], rs: Host, spec: Topology, lost: number): Outcome[] {
  const { words, form } = FORMS[spec.method];
  const cip = addressOf(hostOf(spec, 'client'));
  const wrong = packets
    .map((packet) => differs('source', host(packet.source), cip) || form(packet, rs, spec))
    .filter(Boolean);
  const missed = lost > 0 ? `, ${lost} missed by tcpdump` : '';
  const fine = packets.length > 0 && wrong.length === 0;
  const figure = `${packets.length - wrong.length} of ${packets.length} packets${wrong[0] ? `: ${wrong[0]}` : ''}${missed}`;
  return [
    { name: `on ${rs.name}: ${words}`, ok: fine, figure },
    checksums(`on ${rs.name}: checksums correct`, packets),
  ];
}

function checksums(name: string, packets: Seen[]): Outcome {
  const bad = packets.filter((packet) => packet.bad);
  const first = bad[0] ? `: ${bad[0].text.slice(0, 300)}` : '';
  const ok = packets.length > 0 && bad.length === 0;
  return { name, ok, figure: `${packets.length - bad.length} of ${packets.length}${first}` };
}

/** Masq only: the others' replies come straight from the realserver's kernel, with checksums a veth never finishes. */
function clientOutcome(packets: Seen[], spec: Topology, downloadsFine: boolean): Outcome {
  const strangers = packets.filter(({ source }) => !spec.vips.includes(host(source)));
  const name = 'on the client: replies come from the VIP, checksums correct';
  if (strangers.length > 0) return { name, ok: false, figure: `${strangers.length} came from ${strangers[0]!.source}` };
  const outcome = checksums(name, packets);
  return downloadsFine ? outcome : { ...outcome, ok: false, figure: `${outcome.figure}, a download failed` };
}

/** DR and Tun: watches the director's wires from now on for packets from the VIP; the check, run later, wants none. */
export async function watchReplies(lab: Lab): Promise<Check> {
  const { spec } = lab;
  if (repliesPassDirector(spec)) return async () => [];
  const ports = hostOf(spec, 'director').ports;
  const filter = `src host ${spec.vips[0]} and not arp`;
  const captures = await Promise.all(
    ports.map(({ dev }) => Capture.start(lab, SWITCH, switchEnd('director', dev), 'inout', filter)),
  );
  return async () => {
    const packets = (await Promise.all(captures.map((capture) => capture.packets()))).flat();
    const first = packets[0] ? `: ${packets[0].text.slice(0, 200)}` : '';
    const figure = `${packets.length} on ${ports.length === 1 ? 'its device' : 'its devices'}${first}`;
    return [{ name: 'the director sees no reply packet', ok: packets.length === 0, figure }];
  };
}
