/** The stalls of a director, from frames on real veths. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { Stall } from '../../src/lab/outage/stall.js';
import { isRoot, Namespaces } from '../support/netns.js';

if (!isRoot) console.log('skipped: needs root for namespaces');

const namespaces = new Namespaces('stall');
afterAll(() => namespaces.remove());

it.skipIf(!isRoot)('is the time from a frame for the director to the next one from it', async () => {
  const [hub, director] = [namespaces.add('h'), namespaces.add('d')];
  for (const i of [0, 1]) {
    const far = `ip netns exec ${director} ip`;
    namespaces.run(hub, `ip link add d${i} type veth peer name e${i} netns ${director}`);
    namespaces.run(hub, `ip address add 10.9.${i}.1/24 dev d${i}; ip link set d${i} up; ${far} link set e${i} up`);
    namespaces.run(hub, `${far} address add 10.9.${i}.2/24 dev e${i}`);
  }
  // ARP first: it does not count.
  namespaces.run(hub, 'ping -c1 -w5 10.9.1.2');
  namespaces.run(hub, 'ip neighbour add 10.9.0.9 lladdr 02:00:00:00:00:09 dev d0');
  const stall = new Stall(hub, ['d0'], 'd1');
  try {
    const comes = () => namespaces.run(hub, 'ping -c1 -W0.01 10.9.0.9 || true');
    const leaves = () => namespaces.run(director, 'ping -c1 -w5 10.9.1.1');
    comes();
    await sleep(100);
    leaves();
    const first = stall.take();
    expect(first.longest).toBeGreaterThan(100);
    expect(first.longest).toBeLessThan(20_000);
    // The machine may pause meanwhile, but not all the time.
    expect(first.own).toBeGreaterThan(10);
    expect(first.own).toBeLessThanOrEqual(first.longest);
    leaves();
    expect(stall.take()).toEqual({ longest: 0, own: 0 });
  } finally {
    stall.close();
  }
});
