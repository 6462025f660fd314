/**
 * Announces addresses: gratuitous ARP (RFC 5227, 3) and unsolicited neighbour advertisements (RFC
 * 4861, 7.2.6). Hosts that know another director's MAC for a VIP learn this director's MAC at once.
 * The kernel's IPVS leaves this to keepalived.
 */
import { BROADCAST_MAC, ZERO_MAC } from '../../wire/address.js';
import * as arp from '../../wire/arp.js';
import * as ethernet from '../../wire/ethernet.js';
import type { Director } from '../director.js';
import { enqueue } from '../output/neighbour-output.js';
import type { Link, LinkAddress } from '../table/link.js';
import { covers } from '../table/route-data.js';
import { advertise } from './nd.js';

/**
 * Announces an address on each link whose network it belongs to, if the director answers for it
 * there. `words`: IPv4 in the last word.
 */
export function announce(d: Director, family: 4 | 6, words: Int32Array): void {
  if (d.own.find(words[0]!, words[1]!, words[2]!, words[3]!, 0, family) >= 0) return;
  for (const link of d.links) if (d.acceptArp || link.resolves) announceOn(d, link, family, words);
}

/**
 * Announces an address on one link, if it belongs to a network of the link. The director may leave
 * its ARP to the host: the host does not announce a new MAC (net.ipv4.conf.*.arp_notify is 0).
 */
export function announceOn(d: Director, link: Link, family: 4 | 6, words: Int32Array): void {
  if (d.neighbours.pointToPoint.has(link.index)) return;
  if (!link.addresses.some((address) => isOn(address, family, words))) return;
  if (family === 6) advertise(d, link, words);
  else gratuitous(d, link, words[3]!);
}

function isOn({ family, words, prefix }: LinkAddress, wanted: number, address: Int32Array): boolean {
  return family === wanted && covers({ words, length: prefix }, address, family);
}

/**
 * A gratuitous ARP is a request for the sender's own address. Every host that has an entry for the
 * address changes it.
 */
function gratuitous(d: Director, link: Link, ip: number): void {
  const body = arp.encode({
    operation: arp.REQUEST,
    senderMac: link.mac,
    senderIp: ip,
    targetMac: ZERO_MAC,
    targetIp: ip,
  });
  const bytes = ethernet.encode({ dst: BROADCAST_MAC, src: link.mac, type: ethernet.TYPE_ARP, payload: body });
  const frame = d.umem.put(bytes);
  if (frame >= 0) enqueue(d, link.index, frame, bytes.length, true);
}
