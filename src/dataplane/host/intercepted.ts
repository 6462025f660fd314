/**
 * Was this frame intercepted, that is kept from the host's stack? Decides as the rules of
 * control/host/intercept-rules.ts, which drop the kernel's copy, but by look-up.
 * test/dataplane/host/intercepted.test.ts compares the two. Called only for packets that are not
 * the director's. On xdp devices the director receives intercepted frames only.
 *
 * Deliberate differences: packets of accept.forwardShared never get here (ingress.ts). A
 * reassembled packet is judged as a whole, nft judges each fragment.
 */
import * as icmp from '../../wire/icmp.js';
import * as icmp6 from '../../wire/icmp6.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
import type { Director } from '../director.js';
import { FIRST_CHECK_PORT } from '../table/check-ports.js';
import { MARKED_SOURCE } from '../table/senders.js';
import { hasPorts } from '../table/snat-rules.js';

export function isIntercepted(d: Director): boolean {
  const p = d.packet;
  const { shared, exclusive } = d.links[p.device]!;
  if (!shared || exclusive) return shared;
  if (isIcmpError(d) || d.snatRules.takes(p) || isAnswerToCheck(d)) return true;
  if (d.marks?.isIntercepted(p, d.services)) return true;
  return p.family === 4
    ? toService4(d) || fromDestination(d, 0, 0, 0, p.src)
    : toService6(d) || fromDestination(d, p.src6[0]!, p.src6[1]!, p.src6[2]!, p.src6[3]!);
}

/** An answer to a health check may come to these ports of the host. */
function isAnswerToCheck(d: Director): boolean {
  const p = d.packet;
  if (d.checks === undefined || p.family !== 4 || !d.checks.uses(p.protocol)) return false;
  if (p.protocol !== ipv4.ICMP && p.dport < FIRST_CHECK_PORT) return false;
  return d.own.find(0, 0, 0, p.dst, 0, 4) >= 0;
}

/** All ICMP errors are intercepted, if anything is: nft cannot match the quoted packet. */
function isIcmpError(d: Director): boolean {
  const p = d.packet;
  const isError =
    p.family === 4
      ? p.protocol === ipv4.ICMP && icmp.isError(p.icmpType) && p.icmpType !== icmp.REDIRECT
      : p.protocol === ipv6.ICMP6 && p.icmpType >= icmp6.UNREACHABLE && p.icmpType <= icmp6.PARAMETER_PROBLEM;
  return isError && (d.services.serves(4) || d.services.serves(6) || d.ranges.length !== 0);
}

/**
 * A VIP that no interface has is intercepted with all its ports, a VIP of the host with the ports
 * of its services. Accepted ranges and sources are always intercepted with all their ports.
 */
function toService4(d: Director): boolean {
  const p = d.packet;
  if (d.own.find(0, 0, 0, p.dst, 0, 4) < 0) return d.isLocal4(p.dst);
  if (d.isAccepted(4, 0, 0, 0, p.dst)) return true;
  return d.services.find4(0, p.protocol, p.dst, p.dport) !== undefined || toFtpData(d, 0, 0, 0, p.dst);
}
function toService6(d: Director): boolean {
  const p = d.packet;
  const [a, b, c, e] = p.dst6;
  if (d.own.find(a!, b!, c!, e!, 0, 6) < 0) return d.isLocal6(p.dst6);
  if (d.isAccepted(6, a!, b!, c!, e!)) return true;
  return d.services.find6(0, p.protocol, p.dst6, p.dport) !== undefined || toFtpData(d, a!, b!, c!, e!);
}

/** The data ports of FTP services on other ports than 21; the look-up knows those of port 21. */
function toFtpData(d: Director, a0: number, a1: number, a2: number, a3: number): boolean {
  const { protocol, dport } = d.packet;
  if (protocol !== ipv4.TCP) return false;
  for (const port of d.connections.helperPorts)
    if ((dport >= 1024 || dport === port - 1) && d.services.has(a0, a1, a2, a3, ipv4.TCP, port)) return true;
  return false;
}

/** A masq destination: by protocol and port, of an fwmark service by every protocol with ports. */
function fromDestination(d: Director, a0: number, a1: number, a2: number, a3: number): boolean {
  const { protocol, sport } = d.packet;
  const { masqSources } = d;
  return (
    masqSources.find(a0, a1, a2, a3, protocol, sport) >= 0 ||
    masqSources.find(a0, a1, a2, a3, protocol, 0) >= 0 ||
    (hasPorts(d.packet) && masqSources.find(a0, a1, a2, a3, MARKED_SOURCE, 0) >= 0)
  );
}
