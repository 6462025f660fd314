/**
 * Neighbour discovery (RFC 4861), the ARP of IPv6: answers for our addresses and VIPs, learns
 * neighbours, asks for neighbours.
 */
import { Drop } from '../../stats/drops.js';
import type { FinalVerdict } from '../../stats/verdict.js';
import type { Mac } from '../../wire/address.js';
import { pseudo6, sum128 } from '../../wire/checksum.js';
import * as ethernet from '../../wire/ethernet.js';
import * as icmp6 from '../../wire/icmp6.js';
import * as ipv6 from '../../wire/ipv6.js';
import * as nd from '../../wire/neighbour.js';
import type { Director } from '../director.js';
import { pass } from '../host/pass.js';
import { enqueue } from '../output/neighbour-output.js';
import { deliver, drop } from '../output/verdict.js';
import type { PacketInfo } from '../parse/packet.js';
import type { Link } from '../table/link.js';
import type { Neighbour } from '../table/neighbour.js';
import { learnMac } from './arp.js';

const ALL_NODES = Int32Array.of(0xff020000 | 0, 0, 0, 1);
const target = new Int32Array(4);

export function isNeighbourDiscovery(p: PacketInfo): boolean {
  return (
    p.protocol === ipv6.ICMP6 &&
    (p.icmpType === icmp6.NEIGHBOUR_SOLICITATION || p.icmpType === icmp6.NEIGHBOUR_ADVERTISEMENT)
  );
}

export function handleNeighbourDiscovery(d: Director): FinalVerdict {
  const p = d.packet;
  const { view } = d.umem;
  if (p.l4len < nd.MIN_LEN || p.ttl !== nd.HOP_LIMIT) return drop(d, Drop.badTransport);
  const pseudo = pseudo6(view, p.l3 + ipv6.SRC, p.l3 + ipv6.DST, ipv6.ICMP6, p.l4len);
  if (!icmp6.isChecksumGood(view, p.l4, p.l4len, pseudo)) return drop(d, Drop.badChecksum);
  for (let i = 0; i < 4; i++) target[i] = nd.targetWord(view, p.l4, i);
  const link = d.links[p.device]!;
  if (p.icmpType === icmp6.NEIGHBOUR_ADVERTISEMENT) {
    if (!link.resolves) return pass(d);
    learnFrom(d, link, target, nd.TARGET_MAC);
    return deliver(d);
  }
  return solicited(d, link);
}

function solicited(d: Director, link: Link): FinalVerdict {
  const { src6 } = d.packet;
  if (link.resolves) learnFrom(d, link, src6, nd.SOURCE_MAC);
  if (!answersFor(d, link)) return link.resolves ? deliver(d) : pass(d);
  const probe = (src6[0]! | src6[1]! | src6[2]! | src6[3]!) === 0;
  const to = probe ? ALL_NODES : src6;
  const { view } = d.umem;
  const mac: Mac = probe
    ? nd.multicastMac(ALL_NODES)
    : [ethernet.srcHi(view, d.packet.frame), ethernet.srcLo(view, d.packet.frame)];
  const source = Int32Array.from(target);
  sendMessage(d, link, source, to, mac, {
    advertisement: true,
    router: true,
    solicited: !probe,
    override: true,
    target: source,
    mac: link.mac,
  });
  return deliver(d);
}

/** Sends an unsolicited advertisement to all nodes: the address is at this link's MAC. */
export function advertise(d: Director, link: Link, address: Int32Array): void {
  const fields = { advertisement: true, router: true, solicited: false, override: true };
  const mac = nd.multicastMac(ALL_NODES);
  sendMessage(d, link, address, ALL_NODES, mac, { ...fields, target: address, mac: link.mac });
}

function answersFor(d: Director, link: Link): boolean {
  const owner = d.own.find(target[0]!, target[1]!, target[2]!, target[3]!, 0, 6);
  if (owner >= 0) return link.resolves;
  if (link.resolves && d.services.isVip6(target)) return true;
  return d.acceptArp && d.isLocal6(target);
}

function learnFrom(d: Director, link: Link, address: Int32Array, option: number): void {
  const p = d.packet;
  const { view } = d.umem;
  const at = nd.findMac(view, p.l4, p.l4 + p.l4len, option);
  if (at < 0 || (address[0]! | address[1]! | address[2]! | address[3]!) === 0) return;
  const known = d.neighbours.known(link.index, 6, address[0]!, address[1]!, address[2]!, address[3]!);
  const id = known?.id ?? d.neighbours.idOf(link.index, 6, address[0]!, address[1]!, address[2]!, address[3]!);
  learnMac(d, d.neighbours.all[id]!, view.getUint16(at), view.getInt32(at + 2));
}

/**
 * Sends a solicitation: to the solicited-node group, or to the known MAC while that is being
 * confirmed.
 */
export function sendSolicitation(d: Director, neighbour: Neighbour): void {
  const link = d.links[neighbour.device]!;
  const source = link.address(6)?.words;
  if (source === undefined) return;
  const group = nd.solicitedNode(neighbour.words);
  const to = neighbour.usable ? neighbour.words : group;
  const mac: Mac = neighbour.usable ? [neighbour.macHi, neighbour.macLo] : nd.multicastMac(group);
  const fields = { advertisement: false, router: false, solicited: false, override: false };
  sendMessage(d, link, source, to, mac, { ...fields, target: neighbour.words, mac: link.mac });
}

function sendMessage(d: Director, link: Link, src: Int32Array, dst: Int32Array, mac: Mac, fields: nd.Neighbour): void {
  const message = nd.encode(fields, sum128(src) + sum128(dst));
  const header = ipv6.encode({
    src,
    dst,
    hopLimit: nd.HOP_LIMIT,
    nextHeader: ipv6.ICMP6,
    payload: message,
  });
  const bytes = ethernet.encode({ dst: mac, src: link.mac, type: ethernet.TYPE_IPV6, payload: header });
  const frame = d.umem.put(bytes);
  if (frame >= 0) enqueue(d, link.index, frame, bytes.length, true);
}
