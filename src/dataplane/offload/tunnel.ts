/**
 * What the program puts in front of packets to a destination: the headers of its tunnel, as far as
 * they are the same for all of them. The program takes packets of the same family as the tunnel,
 * and no checksum over the whole packet.
 */
import type { Destination } from '../../service/service.js';
import { TunnelKind } from '../../service/service.js';
import * as ipv4 from '../../wire/ipv4.js';
import type { Director } from '../director.js';
import { halves, swap16, swap32 } from '../parse/aligned.js';
import { flowPort, overhead } from '../table/tunnel-headers.js';
import type { FlowTuple } from './tuple.js';

const DF = 0x40 << 16;
const NOBODY = new Int32Array(4);

export class FlowTunnel {
  /** Bytes of all headers in front of the packet; 0: there is no tunnel. */
  bytes = 0;
  /** Sum of what does not change in an IPv4 header, but for its first byte. */
  sum = 0;
  /**
   * Source and destination as in the packet. Longer than needed, so that V8 places it outside its
   * heap.
   */
  readonly outer = new Int32Array(new ArrayBuffer(128), 0, 8);
  private kind = 0;
  private port = 0;

  /**
   * Returns false when the program cannot make the tunnel, or when its route is not by the
   * neighbour with number `hop`.
   */
  fill(d: Director, dest: Destination, hop: number): boolean {
    this.bytes = overhead(dest);
    this.kind = dest.tunnelKind;
    this.port = dest.tunnelPort;
    this.outer.fill(0);
    return dest.family === 4 ? this.fill4(d, dest, hop) : this.fill6(d, dest, hop);
  }

  /** Without pmtu_disc each outer header has an id of its own. */
  private fill4(d: Director, dest: Destination, hop: number): boolean {
    if (d.sysctl.pmtu_disc === 0 || d.router.lookup4(dest.address, 0, 0) !== hop) return false;
    const source = d.router.source || (this.linkOf(d, hop).address(4)?.words[3] ?? 0);
    this.outer[0] = swap32(source);
    this.outer[1] = swap32(dest.address);
    this.sum = halves(DF) + (protocolOf(this.kind) << 8) + halves(this.outer[0]) + halves(this.outer[1]);
    return source !== 0;
  }

  private fill6(d: Director, dest: Destination, hop: number): boolean {
    if (d.router.lookup6(dest.address6, NOBODY, 0) !== hop) return false;
    const source = d.router.source6 ?? this.linkOf(d, hop).address(6)?.words;
    if (source === undefined) return false;
    this.sum = 0;
    for (let i = 0; i < 4; i++) {
      this.outer[i] = swap32(source[i]!);
      this.outer[4 + i] = swap32(dest.address6[i]!);
    }
    return true;
  }

  private linkOf(d: Director, hop: number) {
    return d.links[d.neighbours.all[hop]!.device]!;
  }

  /** The ports of gue for packets with this tuple, as the first word of its UDP header. */
  portsOf({ saddr, daddr, ports }: FlowTuple): number {
    const both = swap32(ports);
    const source = flowPort(swap32(saddr ^ daddr), both >>> 16, both & 0xffff);
    return swap16(source) | (swap16(this.port) << 16);
  }
}

function protocolOf(kind: number): number {
  if (kind === TunnelKind.ipip) return ipv4.IPIP;
  return kind === TunnelKind.gre ? ipv4.GRE : ipv4.UDP;
}
