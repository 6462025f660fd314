/**
 * Builds packets for tests. Each call adds a layer inside the one before and returns a new builder,
 * so packets can share their first layers. Lengths, types and checksums are computed unless given.
 *
 *     packet().eth(CLIENT, DIRECTOR).vlan(5).ipv4({ src: '10.0.0.1', dst: '10.0.0.100' })
 *             .tcp({ sport: 4000, dport: 80, flags: 'S' }).payload('hello').bytes()
 *     ...ipv4(outer).ipv4(inner).udp(...)                              IPIP
 *     ...ipv4(...).icmp({ type: 3, code: 4, mtu: 1480 }).ipv4(...).tcp(...).cut(28)   an ICMP error that quotes 28 bytes
 */
import { type Mac, parse4, parse6, parseMac } from '../../src/wire/address.js';
import * as arp from '../../src/wire/arp.js';
import { sum32, sum128 } from '../../src/wire/checksum.js';
import { concat, EMPTY } from '../../src/wire/decoded.js';
import * as ethernet from '../../src/wire/ethernet.js';
import * as extensions from '../../src/wire/extensions.js';
import * as icmp from '../../src/wire/icmp.js';
import * as icmp6 from '../../src/wire/icmp6.js';
import * as ipv4 from '../../src/wire/ipv4.js';
import * as ipv6 from '../../src/wire/ipv6.js';
import * as neighbour from '../../src/wire/neighbour.js';
import * as options from '../../src/wire/options.js';
import * as sctp from '../../src/wire/sctp.js';
import * as tcp from '../../src/wire/tcp.js';
import * as udp from '../../src/wire/udp.js';
import * as vlan from '../../src/wire/vlan.js';
import type {
  ArpWords,
  IcmpWords,
  Ipv4Words,
  Ipv6Words,
  NeighbourWords,
  SctpWords,
  TcpWords,
  UdpWords,
} from './packet-words.js';

export { checkFrame, checkPacket } from './check-frame.js';

interface Layer {
  /** The protocol number or EtherType of the layer, for the layer around it. */
  readonly etherType?: number;
  readonly protocol?: number;
  /** Of an IP layer: the sum of its addresses. */
  readonly addresses?: number;
  build(payload: Uint8Array, next: Layer | undefined, addresses: number): Uint8Array;
}

export function packet(): Packet {
  return new Packet([]);
}

export class Packet {
  constructor(private readonly layers: readonly Layer[]) {}

  private add(layer: Layer): Packet {
    return new Packet([...this.layers, layer]);
  }

  bytes(): Uint8Array {
    return this.layers.reduceRight<Uint8Array>(
      (inner, layer, i) => layer.build(inner, this.layers[i + 1], this.addressesAround(i)),
      EMPTY,
    );
  }
  hex(): string {
    return Buffer.from(this.bytes()).toString('hex');
  }
  private addressesAround(i: number): number {
    return this.layers.slice(0, i).findLast((layer) => layer.addresses !== undefined)?.addresses ?? 0;
  }

  eth(src: string, dst: string, type?: number): Packet {
    const macs = { src: mac(src), dst: mac(dst) };
    return this.add({
      build: (payload, next) => ethernet.encode({ ...macs, type: type ?? next?.etherType ?? 0xffff, payload }),
    });
  }

  vlan(vid: number, { priority = 0, tpid = ethernet.TYPE_VLAN } = {}): Packet {
    return this.add({
      etherType: tpid,
      build: (payload, next) => vlan.encode({ vid, priority, type: next?.etherType ?? 0xffff, payload }),
    });
  }

  arp(w: ArpWords): Packet {
    const fields = {
      operation: w.op === 'request' ? arp.REQUEST : arp.REPLY,
      senderMac: mac(w.senderMac),
      senderIp: ip4(w.senderIp),
      targetMac: mac(w.targetMac ?? '00:00:00:00:00:00'),
      targetIp: ip4(w.targetIp),
    };
    return this.add({ etherType: ethernet.TYPE_ARP, build: (padding) => concat(arp.encode(fields), padding) });
  }

  ipv4(w: Ipv4Words): Packet {
    const { mf = false, offset = 0, id = 1, ...rest } = w;
    const fields = { ...rest, src: ip4(w.src), dst: ip4(w.dst), id, moreFragments: mf, fragmentOffset: offset };
    const dontFragment = w.df ?? (!mf && offset === 0);
    const list = options.encode(w.options ?? []);
    return this.add({
      etherType: ethernet.TYPE_IPV4,
      protocol: ipv4.IPIP,
      addresses: sum32(fields.src) + sum32(fields.dst),
      build: (payload, next) => {
        const protocol = w.protocol ?? next?.protocol ?? 255;
        return ipv4.encode({ ttl: 64, tos: 0, ...fields, protocol, dontFragment, options: list, payload });
      },
    });
  }

  ipv6(w: Ipv6Words): Packet {
    const [src, dst] = [ip6(w.src), ip6(w.dst)];
    return this.add({
      etherType: ethernet.TYPE_IPV6,
      protocol: ipv4.IPV6,
      addresses: sum128(src) + sum128(dst),
      build: (payload, next) =>
        ipv6.encode({ ...w, src, dst, nextHeader: w.nextHeader ?? next?.protocol ?? extensions.NONE, payload }),
    });
  }

  /** A hop-by-hop, destination or routing header of IPv6. */
  extension(kind: number, data: Uint8Array = EMPTY): Packet {
    return this.add({
      protocol: kind,
      build: (payload, next) => extensions.encodeOptions(next?.protocol ?? extensions.NONE, data, payload),
    });
  }

  /**
   * The fragment header of IPv6. Later fragments need `protocol`, because their payload has no
   * header.
   */
  fragment(w: { offset?: number; more?: boolean; id?: number; protocol?: number }): Packet {
    return this.add({
      protocol: extensions.FRAGMENT,
      build: (payload, next) => {
        const named = w.protocol ?? next?.protocol ?? extensions.NONE;
        return extensions.encodeFragment(named, w.offset ?? 0, w.more ?? false, w.id ?? 1, payload);
      },
    });
  }

  tcp(w: TcpWords): Packet {
    const flags = tcp.parseFlags(w.flags ?? 'A');
    if (flags === undefined) throw new Error(`TCP flags '${w.flags}': letters of FSRPAUEC are meant`);
    const list = options.encode(w.options ?? []);
    return this.add({
      protocol: ipv4.TCP,
      build: (payload, _next, addresses) => tcp.encode({ ...given(w), flags, options: list, payload }, addresses),
    });
  }

  udp(w: UdpWords): Packet {
    return this.add({
      protocol: ipv4.UDP,
      build: (payload, _next, addresses) => udp.encode({ ...w, payload }, addresses),
    });
  }

  icmp(w: IcmpWords): Packet {
    return this.add({
      protocol: ipv4.ICMP,
      build: (payload) => icmp.encode({ ...w, rest: restOf(w), payload }),
    });
  }

  icmp6(w: IcmpWords): Packet {
    return this.add({
      protocol: ipv6.ICMP6,
      build: (payload, _next, addresses) => icmp6.encode({ ...w, rest: restOf(w), payload }, addresses),
    });
  }

  neighbour(w: NeighbourWords): Packet {
    const { router = false, solicited = false, override = false } = w.advertise ?? {};
    const flags = { advertisement: w.advertise !== undefined, router, solicited, override };
    const fields = { ...flags, target: ip6(w.target), mac: w.mac === undefined ? undefined : mac(w.mac) };
    return this.add({
      protocol: ipv6.ICMP6,
      build: (_payload, _next, addresses) => neighbour.encode(fields, addresses),
    });
  }

  /** A payload becomes a DATA chunk after the given chunks. */
  sctp(w: SctpWords): Packet {
    const chunks = (w.chunks ?? []).map((chunk) => ({ flags: 0, value: EMPTY, ...chunk }));
    return this.add({
      protocol: ipv4.SCTP,
      build: (payload) => {
        const data = { type: sctp.DATA, flags: 3, value: concat(new Uint8Array(12), payload) };
        return sctp.encode({ ...w, chunks: payload.length > 0 ? [...chunks, data] : chunks });
      },
    });
  }

  /** Text, bytes, or a number of bytes 0, 1, 2 ... */
  payload(what: string | Uint8Array | number): Packet {
    const body = typeof what === 'number' ? Uint8Array.from({ length: what }, (_, i) => i) : Buffer.from(what);
    return this.add({ build: (inner) => concat(body, inner) });
  }

  /**
   * Truncates the layers since the last ICMP layer (or since the beginning) to `n` bytes, as an
   * ICMP error truncates its quote. The ICMP layer and those around it are computed over the rest.
   */
  cut(n: number): Packet {
    const from = this.layers.findLastIndex((l) => l.protocol === ipv4.ICMP || l.protocol === ipv6.ICMP6) + 1;
    const quoted = new Packet(this.layers.slice(from)).bytes().slice(0, n);
    return new Packet([...this.layers.slice(0, from), { build: (inner) => concat(quoted, inner) }]);
  }
}

/** Converts flags and options to the form that tcp.encode takes. */
function given({ flags: _flags, options: _options, ...rest }: TcpWords): Partial<tcp.Tcp> {
  return rest;
}

function restOf({ id = 0, seq = 0, mtu }: IcmpWords): number {
  return mtu ?? (id << 16) | seq;
}

function ip4(text: string): number {
  return known(parse4(text), text);
}
function ip6(text: string): Int32Array {
  return known(parse6(text), text);
}
function mac(text: string): Mac {
  return known(parseMac(text), text);
}
function known<T>(parsed: T | undefined, text: string): T {
  if (parsed === undefined) throw new Error(`'${text}' is no address of this kind`);
  return parsed;
}
