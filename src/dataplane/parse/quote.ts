/**
 * The packet that an ICMP error quotes: one record of numbers, filled again for each error. Only
 * its beginning is there (RFC 792 promises 8 bytes behind the IP header), so the lengths in its
 * headers do not say what may be read.
 *
 *      | IP | ICMP 8 | quoted IP | ports … |
 *      ^ p.l3        ^ at        ^ l4      ^ end
 */
import * as extensions from '../../wire/extensions.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';

export class Quote {
  /** Absolute offsets of the quoted IP header and of its transport header. */
  l3 = 0;
  l4 = 0;
  protocol = 0;
  tos = 0;
  dontFragment = false;
  src = 0;
  dst = 0;
  readonly src6 = new Int32Array(4);
  readonly dst6 = new Int32Array(4);
  sport = 0;
  dport = 0;

  /**
   * Returns false for anything but an IPv4 packet with a whole header, and for a later fragment,
   * which has no transport header.
   */
  readIpv4(view: DataView, at: number, end: number): boolean {
    if (at + ipv4.HEADER > end || ipv4.version(view, at) !== 4) return false;
    const header = ipv4.headerLen(view, at);
    if (header < ipv4.HEADER || at + header > end || ipv4.fragmentOffset(view, at) !== 0) return false;
    this.l3 = at;
    this.l4 = at + header;
    this.protocol = ipv4.protocol(view, at);
    this.tos = ipv4.tos(view, at);
    this.dontFragment = ipv4.dontFragment(view, at);
    this.src = ipv4.src(view, at);
    this.dst = ipv4.dst(view, at);
    return true;
  }

  readIpv6(view: DataView, at: number, end: number): boolean {
    if (at + ipv6.HEADER > end || ipv6.version(view, at) !== 6) return false;
    if (!extensions.walk(view, at, end, chain) || chain.fragmentOffset !== 0) return false;
    this.l3 = at;
    this.l4 = chain.offset;
    this.protocol = chain.protocol;
    this.tos = ipv6.trafficClass(view, at);
    this.dontFragment = false;
    ipv6.readSrc(view, at, this.src6);
    ipv6.readDst(view, at, this.dst6);
    return true;
  }

  /**
   * Returns false when the protocol has no ports that the director knows, or when the quote ends
   * before them.
   */
  readPorts(view: DataView, end: number): boolean {
    const { protocol, l4 } = this;
    if (protocol !== ipv4.TCP && protocol !== ipv4.UDP && protocol !== ipv4.SCTP) return false;
    if (l4 + 4 > end) return false;
    this.sport = view.getUint16(l4);
    this.dport = view.getUint16(l4 + 2);
    return true;
  }
}

const chain = new extensions.Chain();
