/** Many rules: what a change costs does not depend on how many there are. */
import { expect, it } from 'vitest';
import type { ChangeRequest } from '../../src/control/api/api.js';
import { parseConfig } from '../../src/control/config/config.js';
import { InterceptSet } from '../../src/control/host/intercept-set.js';
import { InProcessDirector } from '../../src/control/inprocess.js';
import { hostDelta } from '../../src/device/xdp/host-rule.js';
import { InterceptTable, noChanges } from '../../src/device/xdp/intercept-table.js';
import { PLAIN_TUNNEL } from '../../src/service/config.js';

/** `services` services with `each` destinations. */
function additions(services: number, each: number): ChangeRequest[] {
  return Array.from({ length: services }, (_, i): ChangeRequest[] => {
    const key = { protocol: 6, address: `10.9.${i >> 8}.${i & 255}`, port: 80 } as const;
    const service = { key, scheduler: 'rr', flags: 0, timeout: 0, netmask: 0xffffffff, pe: '' };
    return [
      { op: 'addService', service },
      ...Array.from({ length: each }, (_, j): ChangeRequest => {
        const address = `10.${100 + j}.${i >> 8}.${i & 255}`;
        const limits = { weight: 1, upperThreshold: 0, lowerThreshold: 0, tunnel: PLAIN_TUNNEL };
        return { op: 'addDestination', key, destination: { address, port: 8080, method: 'masq', ...limits } };
      }),
    ];
  }).flat();
}

const ACCEPT = { arp: true, icmp: true, ranges: [], forwardShared: [], sources: [], toa: true };

/** Follows changes as the host's side does: rules for nft and XDP, and the contents of XDP maps. */
function hostSide(): (requests: readonly ChangeRequest[]) => void {
  const set = new InterceptSet({ marks: [], accept: ACCEPT, snat: [], ftp: [], has: () => false }, false);
  const table = new InterceptTable([], ['eth0']);
  return (requests) => {
    set.follow(requests);
    const { added, removed, replies } = set.take();
    const changes = noChanges();
    // The first service brings the rules about ICMP errors, too.
    const hosts = added.filter(({ kind }) => kind !== 'icmpError');
    for (const rule of hostDelta(hosts, removed)!.added) table.changeHost(rule, 1, changes);
    table.changeReplies(replies.came, 1, changes);
  };
}

/** Time, in ms, to load all of them in batches of 1000. */
async function load(requests: ChangeRequest[]): Promise<number> {
  const config = parseConfig('devices: [{ name: eth0, kind: tap, addresses: [10.0.0.254/8] }]', 'director.yaml');
  const director = new InProcessDirector(config, () => {});
  const follow = hostSide();
  const start = performance.now();
  for (let i = 0; i < requests.length; i += 1000) {
    const batch = requests.slice(i, i + 1000);
    const reply = await director.request({ op: 'batch', requests: batch });
    follow(batch);
    expect(reply).not.toMatchObject({ replies: expect.arrayContaining([{ ok: false }]) });
  }
  return performance.now() - start;
}

it('five times the destinations take about five times as long, not twenty-five times', async () => {
  const few = await load(additions(1000, 5));
  const many = await load(additions(5000, 5));
  expect(many).toBeLessThan(15 * Math.max(few, 20));
});
