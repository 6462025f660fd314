/** Asks by ARP on a wire, and takes every answer: a kernel would only keep one. */
import { setTimeout as sleep } from 'node:timers/promises';
import { check, close, ifNameToIndex, MSG_DONTWAIT, recv, send, socket } from '../../sys/libc.js';
import { inNetns } from '../../sys/netns.js';
import { AF_PACKET, bindPacket, SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_RAW } from '../../sys/packet-socket.js';
import { BROADCAST_MAC, formatMac, parse4, parseMac } from '../../wire/address.js';
import * as arp from '../../wire/arp.js';
import * as ethernet from '../../wire/ethernet.js';
import { route } from './routing.js';
import type { ArpAnswer, HostFacts } from './site.js';
import { linkOf } from './who.js';

const PATIENCE_MS = 250;
const SHORTEST = ethernet.HEADER + arp.LENGTH;

/** Every VIP is asked for once on each wire that a client, a router or (alone on its box) the director has it on. */
export function askAll(hosts: readonly HostFacts[], vips: readonly string[]): Promise<ArpAnswer[]> {
  const others = hosts.filter(({ role }) => role === 'client' || role === 'router');
  const seen = new Set<string>();
  const questions = (others.length > 0 ? others : hosts).flatMap((host) =>
    vips.flatMap((vip) => {
      const way = route(host, vip);
      const link = linkOf(host, way?.dev);
      const key = `${vip} ${link?.segment ?? host.name}`;
      if (!way || !link || way.via !== undefined || way.type === 'local' || link.mac === '' || seen.has(key)) return [];
      seen.add(key);
      return [ask(host, link.dev, link.mac, vip)];
    }),
  );
  return Promise.all(questions);
}

/** Root only. Throws SystemError when the interface is gone. */
async function ask(host: HostFacts, dev: string, mac: string, vip: string): Promise<ArpAnswer> {
  const fd = host.namespace ? inNetns(host.namespace, () => openArp(dev)) : openArp(dev);
  try {
    const request = question(mac, host.addresses.find((one) => one.dev === dev)?.address ?? '0.0.0.0', vip);
    check(Number(send(fd, request, request.length, 0)), 'send');
    const macs = new Set<string>();
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(10)) collect(fd, vip, macs);
    return { vip, host: host.name, dev, macs: [...macs] };
  } finally {
    close(fd);
  }
}

function openArp(dev: string): number {
  const fd = check(socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), 'socket');
  bindPacket(fd, ifNameToIndex(dev), ethernet.TYPE_ARP);
  return fd;
}

function question(mac: string, from: string, vip: string): Uint8Array {
  const source = parseMac(mac)!;
  const payload = arp.encode({ senderMac: source, senderIp: parse4(from)!, targetIp: parse4(vip)! });
  const header = ethernet.encode({ dst: BROADCAST_MAC, src: source, type: ethernet.TYPE_ARP });
  return Uint8Array.from([...header, ...payload]);
}

function collect(fd: number, vip: string, macs: Set<string>): void {
  const frame = new Uint8Array(256);
  for (
    let n = Number(recv(fd, frame, frame.length, MSG_DONTWAIT));
    n >= SHORTEST;
    n = Number(recv(fd, frame, frame.length, MSG_DONTWAIT))
  ) {
    const said = arp.decode(frame.subarray(ethernet.HEADER));
    if (typeof said !== 'string' && said.operation === arp.REPLY && said.senderIp === parse4(vip))
      macs.add(formatMac(...said.senderMac));
  }
}
