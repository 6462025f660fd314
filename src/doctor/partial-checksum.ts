/**
 * Checksums that a veth leaves unfinished. Between two kernels it is never missed, and the director's devices finish what they
 * get; but a hop that forwards by XDP (a host of containers) drops the note that it is unfinished, and then it is just wrong.
 */

import type { Finding, HostFacts, Site } from './facts.js';
import type { Hop } from './listen.js';
import { addressesLike, linkOf, on } from './query.js';
import { route } from './routing.js';

interface Asked {
  readonly client: HostFacts;
  readonly vip: string;
}

/** When an answer came to a client whose kernel threw it away for its checksum: by whom it was sent so. */
export function unfinished(site: Site, { client, vip }: Asked, hops: readonly Hop[]): Finding | undefined {
  const arrived = hops.find(({ host }) => host === client.name);
  const sender = site.hosts.find(
    ({ name, role }) => role === 'realserver' && hops.some(({ host, answer }) => host === name && answer),
  );
  const cip = addressesLike(client, vip)[0]?.address ?? '';
  const link = sender && linkOf(sender, route(sender, cip, vip)?.dev);
  if (!arrived?.incorrect || !sender || !link?.txChecksum) return undefined;
  return {
    id: 'unfinished-checksums',
    host: sender.name,
    wrong: `${sender.name} leaves checksums to its ${link.kind || 'device'} ${link.dev}, and nobody on the way finishes them`,
    seen: `tcpdump on ${client.name}: the SYN-ACK of ${vip} has an incorrect checksum, InCsumErrors of its TCP goes up; \`ethtool -k ${link.dev}\` on ${sender.name}: tx-checksumming: on${wire(site, sender, link.dev)}`,
    consequence: `${client.name}'s kernel drops whatever ${sender.name} sends, without a word`,
    mend: [on(sender, `ethtool -K ${link.dev} tx off`)],
  };
}

function wire({ hosts, lab }: Site, { name }: HostFacts, dev: string): string {
  const end = lab?.farEnds.find((one) => one.host === name && one.dev === dev)?.far;
  const far = hosts.find(({ role }) => role === 'switch')?.links.find((link) => link.dev === end);
  return far?.xdp ? `; its other end, ${far.dev}, forwards by an XDP program` : '';
}
