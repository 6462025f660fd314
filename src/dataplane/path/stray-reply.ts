/**
 * sysctl nat_icmp_send: a packet of a masq destination that belongs to no connection would leave
 * with its private address. Its sender gets "port unreachable" instead. A RST or ABORT is passed
 * on.
 */
import { Drop } from '../../stats/drops.js';
import { Verdict } from '../../stats/verdict.js';
import * as icmp from '../../wire/icmp.js';
import * as icmp6 from '../../wire/icmp6.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as sctp from '../../wire/sctp.js';
import type { Director } from '../director.js';
import { sendIcmp4, sendIcmp6 } from '../output/icmp-error.js';
import { drop } from '../output/verdict.js';
import { TCP_RST } from '../parse/packet.js';

/** Refuses such a stray reply while nat_icmp_send is on; none for any other packet. */
export function refuseStray(d: Director): typeof Verdict.none | typeof Verdict.dropped {
  if (d.sysctl.nat_icmp_send === 0 || isAbort(d) || !isFromDestination(d)) return Verdict.none;
  if (d.packet.family === 4) sendIcmp4(d, icmp.UNREACHABLE, icmp.PORT_UNREACHABLE, 0, false);
  else sendIcmp6(d, icmp6.UNREACHABLE, icmp6.PORT_UNREACHABLE, 0, false);
  return drop(d, Drop.strayReply);
}

/** Returns true for RST and ABORT, and for protocols without ports. */
function isAbort(d: Director): boolean {
  const p = d.packet;
  if (p.protocol === ipv4.TCP) return (p.tcpFlags & TCP_RST) !== 0;
  if (p.protocol === ipv4.UDP) return false;
  if (p.protocol !== ipv4.SCTP) return true;
  return p.l4len > sctp.HEADER && sctp.chunkType(d.umem.view, p.l4 + sctp.HEADER) === sctp.ABORT;
}

/**
 * Looks up address, protocol and port. A destination of a fwmark service counts for every protocol.
 */
function isFromDestination(d: Director): boolean {
  const p = d.packet;
  if (p.family === 4) return isMasq(d, 0, 0, 0, p.src);
  const { src6 } = p;
  return isMasq(d, src6[0]!, src6[1]!, src6[2]!, src6[3]!);
}
function isMasq(d: Director, a0: number, a1: number, a2: number, a3: number): boolean {
  const { protocol, sport } = d.packet;
  const { masqSources } = d;
  return masqSources.find(a0, a1, a2, a3, protocol, sport) >= 0 || masqSources.find(a0, a1, a2, a3, 0, sport) >= 0;
}
