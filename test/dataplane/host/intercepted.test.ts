/**
 * control and dataplane agree on what is kept from the host's stack: nft drops the kernel's copy of a frame by the rules of
 * intercept-rules.ts, and intercepted.ts decides which frames are given back to the host. A frame that only nft knows of is
 * lost to the host, one that only the dataplane knows of comes twice.
 *
 * Random services, marks, ranges and snat; random whole packets of both families, held against the matcher of the XDP tests.
 * Two differences are meant, and left out here:
 * - forwardShared: nft takes packets from a VIP that the host has. They never come as far as the question (ingress.ts).
 * - Fragments: nft sees one at a time, the dataplane the reassembled packet.
 */
import { expect, it } from 'vitest';
import { interceptRules } from '../../../src/control/host/intercept-rules.js';
import { isIntercepted } from '../../../src/dataplane/host/intercepted.js';
import { parse } from '../../../src/dataplane/parse/parse.js';
import { isShared } from '../../../src/dataplane/path/forward-shared.js';
import { Random } from '../../support/seed.js';
import { anyPacket, input, matches, world } from './worlds.js';

const WORLDS = 60;
const PACKETS = 400;

it('a packet is intercepted by the dataplane exactly where it is by the rules that nft gets', {
  timeout: 120_000,
}, async () => {
  const random = new Random();
  let intercepted = 0;
  for (let i = 0; i < WORLDS; i++) {
    const one = await world(random);
    const { d } = one;
    const exact = interceptRules(input(one));
    const atLeast = interceptRules(input(one), true);
    for (let n = 0; n < PACKETS; n++) {
      const device = random.below(2);
      const bytes = anyPacket(random, device);
      const frame = d.umem.put(bytes);
      d.packet.device = device;
      expect(parse(d.umem.view, frame, bytes.length, d.packet)).toBe(0);
      const byRules = matches(exact, device, bytes);
      const what = `seed ${random.seed}, world ${i}: eth${device} ${Buffer.from(bytes).toString('hex')}`;
      if (!(d.forwardsShared && isShared(d))) expect(isIntercepted(d), what).toBe(byRules);
      if (byRules) {
        intercepted++;
        expect(matches(atLeast, device, bytes), what).toBe(true);
      }
      d.umem.free(frame);
    }
  }
  expect(intercepted).toBeGreaterThan(WORLDS * 50);
  expect(intercepted).toBeLessThan(WORLDS * (PACKETS - 50));
});
