/**
 * Partial checksums: a veth leaves the checksum of what it sends to the receiver's kernel, and
 * marks the packet so. The director's devices complete such checksums. A hop that redirects by XDP
 * loses the mark, as a host of containers may, and then the checksum is simply wrong.
 */

import type { Facts, Finding, HostFacts } from './facts.js';
import type { Observation } from './live-capture.js';
import { addressesLike, commandOn, linkOf } from './queries.js';
import { route } from './routing.js';

interface Attempt {
  readonly client: HostFacts;
  readonly vip: string;
}

/**
 * Returns the finding if a realserver's answer reached the client with an incorrect checksum, and
 * the realserver's device leaves checksums partial.
 */
export function partialChecksumFinding(
  facts: Facts,
  { client, vip }: Attempt,
  observations: readonly Observation[],
): Finding | undefined {
  const arrived = observations.find(({ host }) => host === client.name);
  const sender = facts.hosts.find(
    ({ name, role }) => role === 'realserver' && observations.some(({ host, answer }) => host === name && answer),
  );
  const cip = addressesLike(client, vip)[0]?.address ?? '';
  const link = sender && linkOf(sender, route(sender, cip, vip)?.dev);
  if (!arrived?.incorrect || !sender || !link?.txChecksum) return undefined;
  return {
    id: 'partial-checksums',
    host: sender.name,
    wrong: `${sender.name} sends partial checksums (tx offload of its ${link.kind || 'device'} ${link.dev}), and no hop completes them`,
    seen: `tcpdump on ${client.name}: the SYN-ACK of ${vip} has an incorrect checksum, and TcpInCsumErrors goes up; \`ethtool -k ${link.dev}\` on ${sender.name}: tx-checksumming: on${wire(facts, sender, link.dev)}`,
    consequence: `${client.name}'s kernel silently drops everything that ${sender.name} sends`,
    fix: [commandOn(sender, `ethtool -K ${link.dev} tx off`)],
  };
}

function wire({ hosts, lab }: Facts, { name }: HostFacts, dev: string): string {
  const end = lab?.farEnds.find((one) => one.host === name && one.dev === dev)?.far;
  const far = hosts.find(({ role }) => role === 'switch')?.links.find((link) => link.dev === end);
  return far?.xdp ? `; its other end, ${far.dev}, forwards by an XDP program` : '';
}
