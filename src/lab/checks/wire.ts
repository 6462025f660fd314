/**
 * Checks of captured packets: the form that each forwarding method gives them, and their checksums.
 */

import { endpoint } from '../../service/config.js';
import type { Lab } from '../build/lab.js';
import { SWITCH, switchEnd } from '../names.js';
import {
  addressOf,
  addressOfEndpoint,
  type Host,
  hostOf,
  realservers,
  repliesAreCounted,
  repliesPassDirector,
  servers,
  type Topology,
  usesIPv6,
  type Watch,
} from '../topology.js';
import { Capture } from '../watch/capture.js';
import type { CapturedPacket } from '../watch/tcpdump.js';
import type { Check, Outcome } from './run.js';

/** The form of a packet at the realserver. Returns '' if it is right, else what is wrong. */
type Form = (packet: CapturedPacket, host: Host, spec: Topology) => string;

function differs(what: string, got: string | undefined, wanted: string): string {
  return got === wanted ? '' : `${what} ${got ?? 'none'}, not ${wanted}`;
}

function toVip(packet: CapturedPacket, spec: Topology): string {
  const vip = spec.vips.some((address) => packet.destination === endpoint(address, spec.httpPort));
  return vip ? '' : `destination ${packet.destination}, not VIP:${spec.httpPort}`;
}

function toServer(packet: CapturedPacket, rs: Host, spec: Topology): string {
  const ends = servers(spec).filter(({ host }) => host === rs.name);
  const known = ends.some(({ rip, http }) => packet.destination === endpoint(rip, http));
  return known
    ? ''
    : differs('destination', packet.destination, ends.map((end) => endpoint(end.rip, end.http)).join(' or '));
}

function fromClient(packet: CapturedPacket, spec: Topology): string {
  return differs('source', addressOfEndpoint(packet.source), addressOf(hostOf(spec, 'client')));
}

/** The packet must have the MAC of one of the director's devices. */
function fromDirector(packet: CapturedPacket, spec: Topology): string {
  const { devices, ports } = hostOf(spec, 'director');
  const macs = [...(devices ?? []), ...ports].map(({ mac }) => mac);
  return macs.includes(packet.sourceMac) ? '' : differs('source MAC', packet.sourceMac, macs.join(' or '));
}

const FORMS: Record<Topology['method'], { words: string; form: Form }> = {
  masq: {
    words: 'CIP->RIP:rport',
    form: (packet, rs, spec) => fromClient(packet, spec) || toServer(packet, rs, spec),
  },
  fullnat: {
    words: 'pool->RIP:rport',
    form: (packet, rs, spec) =>
      differs('source', addressOfEndpoint(packet.source), spec.sources?.[0] ?? 'an address of the pool') ||
      toServer(packet, rs, spec),
  },
  gatewaying: {
    words: "CIP->VIP, director's MAC to realserver's MAC",
    form: (packet, rs, spec) =>
      fromClient(packet, spec) ||
      toVip(packet, spec) ||
      differs('destination MAC', packet.destinationMac, rs.ports[0]!.mac) ||
      fromDirector(packet, spec),
  },
  ipip: {
    words: 'DIP->RIP (CIP->VIP)',
    form: (packet, rs, spec) =>
      fromClient(packet, spec) ||
      differs('outer source', packet.outer?.source, addressOf(hostOf(spec, 'director'))) ||
      differs('outer destination', packet.outer?.destination, addressOf(rs)) ||
      toVip(packet, spec),
  },
};

export interface WireWatch {
  outcomes(downloadsFine: boolean): Promise<Outcome[]>;
}

/**
 * Captures the packets that arrive at the first realserver and, where replies pass the director, at
 * the client.
 */
export async function watchWire(lab: Lab): Promise<WireWatch> {
  const rs = realservers(lab.spec)[0]!;
  const family = usesIPv6(lab.spec) ? 'ip6 and not icmp6' : 'ip';
  const atRealserver = await Capture.start(lab, rs.name, 'eth0', 'in', `${family} and ether dst ${rs.ports[0]!.mac}`);
  const atClient = repliesAreCounted(lab.spec) ? await Capture.start(lab, 'client', 'eth0', 'in', 'tcp') : undefined;
  return {
    async outcomes(downloadsFine) {
      const arrived = atRealserverOutcomes(await atRealserver.packets(), rs, lab.spec, atRealserver.lost);
      if (!atClient) return arrived;
      return [...arrived, clientOutcome(await atClient.packets(), lab.spec, downloadsFine)];
    },
  };
}

function atRealserverOutcomes(packets: CapturedPacket[], rs: Host, spec: Topology, lost: number): Outcome[] {
  const { words, form } = FORMS[spec.method];
  const wrong = packets.map((packet) => form(packet, rs, spec)).filter(Boolean);
  const missed = lost > 0 ? `, ${lost} missed by tcpdump` : '';
  const fine = packets.length > 0 && wrong.length === 0;
  const figure = `${packets.length - wrong.length} of ${packets.length} packets${wrong[0] ? `: ${wrong[0]}` : ''}${missed}`;
  return [
    { name: `on ${rs.name}: ${words}`, ok: fine, figure },
    checksums(`on ${rs.name}: checksums correct`, packets),
  ];
}

function checksums(name: string, packets: CapturedPacket[]): Outcome {
  const bad = packets.filter(({ badChecksum }) => badChecksum);
  const first = bad[0] ? `: ${bad[0].text.slice(0, 300)}` : '';
  const ok = packets.length > 0 && bad.length === 0;
  return { name, ok, figure: `${packets.length - bad.length} of ${packets.length}${first}` };
}

/**
 * For masq and full NAT only. The replies of the other methods come straight from the realserver's
 * kernel, whose veth leaves checksums partial.
 */
function clientOutcome(packets: CapturedPacket[], spec: Topology, downloadsFine: boolean): Outcome {
  const strangers = packets.filter(({ source }) => !spec.vips.includes(addressOfEndpoint(source)));
  const name = 'on the client: replies come from the VIP, checksums correct';
  if (strangers.length > 0) return { name, ok: false, figure: `${strangers.length} came from ${strangers[0]!.source}` };
  const outcome = checksums(name, packets);
  return downloadsFine ? outcome : { ...outcome, ok: false, figure: `${outcome.figure}, a download failed` };
}

/**
 * DR and Tun: captures packets from the VIP on the director's wires from now on. The returned
 * check, run later, expects none.
 */
export async function watchReplies(lab: Lab): Promise<Check> {
  const { spec } = lab;
  if (repliesPassDirector(spec)) return async () => [];
  const ports = hostOf(spec, 'director').ports;
  const filter = `src host ${spec.vips[0]} and not arp and not icmp6`;
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

/**
 * Captures the wires that the topology watches from now on. The returned check, run last, counts
 * packets.
 */
export async function watchWires(lab: Lab): Promise<Check> {
  const { watches = [] } = lab.spec;
  const captures = await Promise.all(
    watches.map(({ host, dev, filter }) => Capture.start(lab, SWITCH, switchEnd(host, dev), 'inout', filter)),
  );
  return async () => Promise.all(captures.map((capture, i) => watched(watches[i]!, capture)));
}

async function watched({ name, expect }: Watch, capture: Capture): Promise<Outcome> {
  const { count, first } = await capture.count();
  const ok = expect === 'none' ? count === 0 : count > 0;
  return { name, ok, figure: `${count} packets${!ok && first ? `: ${first.slice(0, 160)}` : ''}` };
}
