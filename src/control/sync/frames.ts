/**
 * The synchronisation daemons of a director in process: messages leave as frames of its devices,
 * and frames to a group that a daemon has joined are taken, as the sockets of a host would do it.
 */

import { addressFamily, format4, format6, type Mac, parse4, parse6, parseMac } from '../../wire/address.js';
import { sum32, sum128 } from '../../wire/checksum.js';
import { viewOf } from '../../wire/decoded.js';
import * as ethernet from '../../wire/ethernet.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
import * as udp from '../../wire/udp.js';
import type { SyncDaemon } from './daemon.js';
import type { OnDatagram, SyncNet, SyncSockets } from './net.js';

/** A device of the director. Addresses have prefix lengths. */
export interface FrameDevice {
  readonly name: string;
  readonly mac: string;
  readonly mtu: number;
  readonly addresses: readonly string[];
}

interface Joined {
  readonly device: number;
  readonly daemon: SyncDaemon;
  readonly ports: number;
  readonly onDatagram: OnDatagram;
}

/** Any port will do for a sender. */
const SOURCE_PORT = 40_000;
const ANY6 = new Int32Array(4);

export class SyncFrames implements SyncNet {
  private readonly joined = new Set<Joined>();

  /** `send`: a frame leaves by the device with this index. */
  constructor(
    private readonly devices: readonly FrameDevice[],
    private readonly send: (device: number, frame: Uint8Array) => void,
  ) {}

  mtu(name: string): number | undefined {
    return this.devices.find((device) => device.name === name)?.mtu;
  }

  sender(daemon: SyncDaemon): SyncSockets {
    const index = this.devices.findIndex(({ name }) => name === daemon.interface);
    const device = this.devices[index]!;
    const family = addressFamily(daemon.group);
    const from = device.addresses.map((text) => text.split('/')[0]!).find((text) => addressFamily(text) === family);
    const send = (bytes: Uint8Array, port: number): boolean => {
      this.send(
        index,
        frameOf(device.mac, from ?? (family === 4 ? '0.0.0.0' : '::'), daemon, daemon.port + port, bytes),
      );
      return true;
    };
    return { from: from ?? '', send, isStale: () => false, close: () => {} };
  }

  receiver(daemon: SyncDaemon, ports: number, _: unknown, onDatagram: OnDatagram): SyncSockets {
    const one = { device: this.devices.findIndex(({ name }) => name === daemon.interface), daemon, ports, onDatagram };
    this.joined.add(one);
    return { from: '', send: () => false, isStale: () => false, close: () => void this.joined.delete(one) };
  }

  /** Takes a frame that is for a daemon. Returns false for any other frame. */
  receive(device: number, frame: Uint8Array): boolean {
    let taken = false;
    if (this.joined.size === 0) return taken;
    const found = datagramOf(frame);
    if (found === undefined) return taken;
    for (const { device: own, daemon, ports, onDatagram } of this.joined) {
      if (device !== own || found.to !== daemon.group) continue;
      if (found.port < daemon.port || found.port >= daemon.port + ports) continue;
      taken = true;
      onDatagram(Uint8Array.from(found.bytes), found.from);
    }
    return taken;
  }
}

function frameOf(mac: string, from: string, { group, ttl }: SyncDaemon, port: number, payload: Uint8Array): Uint8Array {
  const words = { sport: SOURCE_PORT, dport: port, payload };
  const src = parseMac(mac)!;
  if (addressFamily(group) === 4) {
    const ends = { src: parse4(from)!, dst: parse4(group)! };
    const datagram = udp.encode(words, sum32(ends.src) + sum32(ends.dst));
    const packet = ipv4.encode({
      ...ends,
      ttl,
      tos: 0,
      id: 1,
      dontFragment: false,
      moreFragments: false,
      fragmentOffset: 0,
      protocol: ipv4.UDP,
      options: new Uint8Array(0),
      payload: datagram,
    });
    return ethernet.encode({ dst: mac4(ends.dst), src, type: ethernet.TYPE_IPV4, payload: packet });
  }
  const ends = { src: parse6(from) ?? ANY6, dst: parse6(group)! };
  const datagram = udp.encode(words, sum128(ends.src) + sum128(ends.dst));
  const packet = ipv6.encode({ ...ends, hopLimit: ttl, nextHeader: ipv4.UDP, payload: datagram });
  return ethernet.encode({ dst: mac6(ends.dst[3]!), src, type: ethernet.TYPE_IPV6, payload: packet });
}

/** 01:00:5e and 23 bits of the group (RFC 1112), 33:33 and 32 bits (RFC 2464). */
function mac4(group: number): Mac {
  return [0x0100, ((0x5e << 24) | (group & 0x7fffff)) >>> 0];
}
function mac6(low: number): Mac {
  return [0x3333, low >>> 0];
}

/** The UDP datagram of a frame; undefined for anything else. */
export function datagramOf(frame: Uint8Array) {
  const view = viewOf(frame);
  if (frame.length < 42) return undefined;
  const type = view.getUint16(12);
  if (type === ethernet.TYPE_IPV4 && frame[23] === ipv4.UDP)
    return partsOf(frame, 14 + (frame[14]! & 15) * 4, format4(view.getInt32(26)), format4(view.getInt32(30)));
  if (type !== ethernet.TYPE_IPV6 || frame.length < 62 || frame[20] !== ipv4.UDP) return undefined;
  return partsOf(frame, 54, format6(words6(view, 22)), format6(words6(view, 38)));
}

function partsOf(frame: Uint8Array, at: number, from: string, to: string) {
  const view = viewOf(frame);
  if (at + 8 > frame.length) return undefined;
  const end = Math.min(frame.length, at + view.getUint16(at + 4));
  return { from, to, port: view.getUint16(at + 2), bytes: frame.subarray(at + 8, end) };
}

function words6(view: DataView, at: number): Int32Array {
  return Int32Array.from({ length: 4 }, (_, i) => view.getInt32(at + i * 4));
}
