/**
 * Sends ARP requests and neighbour solicitations, and collects every answer. A kernel would keep
 * only one of them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { close, MSG_DONTWAIT, recv } from '../sys/libc.js';
import { inNetns } from '../sys/netns.js';
import { format6, formatMac, isIPv6, macAt, parse4, parse6, parseMac } from '../wire/address.js';
import * as arp from '../wire/arp.js';
import * as ethernet from '../wire/ethernet.js';
import * as ipv6 from '../wire/ipv6.js';
import * as neighbour from '../wire/neighbour.js';
import type { ArpAnswer, HostFacts } from './facts.js';
import { question } from './frames.js';
import { openWire, sendFrame } from './packet-socket.js';
import { linkOf } from './queries.js';
import { route } from './routing.js';

const PATIENCE_MS = 250;
const ARP_FRAME = ethernet.HEADER + arp.LENGTH;

/**
 * Asks for every VIP once on each wire where a client or a router has it on-link. On a director's
 * own machine the director asks.
 */
export function askAllVips(hosts: readonly HostFacts[], vips: readonly string[]): Promise<ArpAnswer[]> {
  const others = hosts.filter(({ role }) => role === 'client' || role === 'router');
  const seen = new Set<string>();
  const questions = (others.length > 0 ? others : hosts).flatMap((host) =>
    vips.flatMap((vip) => {
      const way = route(host, vip);
      const link = linkOf(host, way?.dev);
      const key = `${vip} ${link?.segment ?? host.name}`;
      if (!way || !link || way.via !== undefined || way.type === 'local' || link.mac === '' || seen.has(key)) return [];
      seen.add(key);
      return [whoHas(host, link.dev, link.mac, vip)];
    }),
  );
  return Promise.all(questions);
}

/**
 * Asks for one address and waits 250 ms. Needs CAP_NET_RAW. Throws a SystemError if the device is
 * gone.
 */
export async function whoHas(host: HostFacts, dev: string, mac: string, vip: string): Promise<ArpAnswer> {
  const open = () => openWire(dev, isIPv6(vip) ? ethernet.TYPE_IPV6 : ethernet.TYPE_ARP);
  const fd = host.namespace ? inNetns(host.namespace, open) : open();
  try {
    const request = question(parseMac(mac)!, sourceOn(host, dev, vip), vip);
    sendFrame(fd, request);
    const macs = new Set<string>();
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(10)) collect(fd, vip, macs);
    return { vip, host: host.name, dev, macs: [...macs] };
  } finally {
    close(fd);
  }
}

/**
 * The source address of a request. An ARP probe may have 0.0.0.0; a solicitation needs an address.
 */
function sourceOn({ addresses }: HostFacts, dev: string, like: string): string {
  const mine = addresses.find((one) => one.dev === dev && isIPv6(one.address) === isIPv6(like));
  return mine?.address ?? (isIPv6(like) ? '::' : '0.0.0.0');
}

function collect(fd: number, vip: string, macs: Set<string>): void {
  const frame = new Uint8Array(256);
  for (;;) {
    const n = Number(recv(fd, frame, frame.length, MSG_DONTWAIT));
    if (n <= 0) return;
    const mac = isIPv6(vip) ? macInAdvertisement(frame.subarray(0, n), vip) : macInReply(frame.subarray(0, n), vip);
    if (mac !== undefined) macs.add(mac);
  }
}

function macInReply(frame: Uint8Array, vip: string): string | undefined {
  if (frame.length < ARP_FRAME) return undefined;
  const message = arp.decode(frame.subarray(ethernet.HEADER));
  const right = typeof message !== 'string' && message.operation === arp.REPLY && message.senderIp === parse4(vip);
  return right ? formatMac(...message.senderMac) : undefined;
}

/**
 * The answer to a unicast solicitation may leave out the link-layer address option; the frame's
 * source MAC counts then (RFC 4861, section 4.4).
 */
function macInAdvertisement(frame: Uint8Array, vip: string): string | undefined {
  const packet = ipv6.decode(frame.subarray(ethernet.HEADER));
  if (typeof packet === 'string' || packet.nextHeader !== ipv6.ICMP6) return undefined;
  const message = neighbour.decode(packet.payload);
  if (typeof message === 'string' || !message.advertisement || format6(message.target) !== format6(parse6(vip)!))
    return undefined;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  return formatMac(...(message.mac ?? macAt(view, 6)));
}
