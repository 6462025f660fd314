/** What a keepalived that was killed leaves behind is taken away, and nothing else. */
import { describe, expect, it } from 'vitest';
import { withoutVirtual } from '../../../src/lab/build/keepalived.js';
import { pairDr } from '../../../src/lab/topologies/pair.js';
import { command, inNamespace, ipBatch } from '../../../src/sys/command.js';

const SPACE = `ulvs-test-left-${process.pid}`;
const OWN = ['10.0.0.252/24 dev eth0', '192.168.1.252/24 dev eth1'];
const VIRTUAL = ['10.0.0.110/32 dev eth0', '192.168.1.254/24 dev eth1'];

describe('addresses of keepalived', () => {
  it.each([
    ['set', [...OWN, ...VIRTUAL]],
    ['never set', OWN],
  ])('are taken away (%s), and the host keeps its own', async (_, addresses) => {
    await command('ip', ['netns', 'add', SPACE]);
    try {
      const link = 'link add eth0 type veth peer name eth1';
      await ipBatch(SPACE, [link, ...addresses.map((one) => `address add ${one}`)]);
      await ipBatch(SPACE, withoutVirtual(pairDr.keepalived!.director!));
      const { stdout } = await inNamespace(SPACE, 'ip', '-4', '-brief', 'address');
      expect(stdout.match(/[\d.]+\/\d+/g)!.sort()).toEqual(['10.0.0.252/24', '192.168.1.252/24']);
    } finally {
      await command('ip', ['netns', 'del', SPACE]);
    }
  });
});
