/**
 * The generator connected to the sink: every frame is counted, one in 64 is timed, and other
 * packets pass.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BpfCounters } from '../../../src/lab/flood/bpf-counters.js';
import { BUCKETS, percentiles } from '../../../src/lab/flood/delays.js';
import { KINDS } from '../../../src/lab/flood/frame.js';
import { Sink } from '../../../src/lab/flood/sink.js';
import { Source } from '../../../src/lab/flood/source.js';
import { isRoot, Namespaces } from '../../support/netns.js';

const FRAMES = 6400;
const target = { srcMac: '02:00:00:00:00:a0', dstMac: '02:00:00:00:00:b0', vip: '10.0.0.100', port: 80 };

describe.skipIf(!isRoot)('a flood without a director', () => {
  const spaces = new Namespaces('floodsink');
  let [g, r]: string[] = [];

  beforeAll(() => {
    [g, r] = [spaces.add('g'), spaces.add('r')];
    spaces.veth(g, 'g0', r, 'r0');
    spaces.run(r, 'ip address add 10.0.0.2/24 dev r0; ethtool -K r0 gro on');
    spaces.run(g, 'ip address add 10.0.0.1/24 dev g0');
  });
  afterAll(() => spaces.remove());

  describe.each([
    ['classifier', false],
    ['xdp', true],
  ])('into a sink by %s', (_, xdp) => {
    it.each([...KINDS, 'replies'] as const)('counts and times %s', (kind) => {
      const sink = new Sink(r!, 'r0', xdp);
      const options = { device: 'g0', kind, target, clients: 32, ports: 4 };
      const source = spaces.inside(g!, () => new Source(options));
      try {
        spaces.inside(g!, () => source.burst(FRAMES));
        const delays = new Float64Array(BUCKETS);
        sink.addDelays(delays);
        expect(sink.frames).toBe(FRAMES);
        expect(delays.reduce((sum, count) => sum + count, 0)).toBe(FRAMES / 64);
        expect(percentiles(delays).p50).toBeGreaterThan(0.2);
        expect(spaces.run(g!, 'ping -c 1 -W 2 10.0.0.2')).toContain('1 received');
        expect(sink.frames).toBe(FRAMES);
      } finally {
        source.close();
        sink.close();
      }
    });
  });

  it.each([
    ['before', 0n, FRAMES / 64],
    ['until the end of', 2n ** 62n, 0],
  ])('counts frames apart that no pause has delayed: a pause %s the flood', (_, until, undisturbed) => {
    const pauses = new BpfCounters(1, 2);
    pauses.values[0] = until;
    const sink = new Sink(r!, 'r0', false, pauses);
    const options = { device: 'g0', kind: 'udp', target, clients: 32, ports: 4 } as const;
    const source = spaces.inside(g!, () => new Source(options));
    try {
      spaces.inside(g!, () => source.burst(FRAMES));
      const [all, apart] = [new Float64Array(BUCKETS), new Float64Array(BUCKETS)];
      sink.addDelays(all);
      sink.addUndisturbed(apart);
      expect([all, apart].map((counts) => counts.reduce((sum, count) => sum + count, 0))).toEqual([
        FRAMES / 64,
        undisturbed,
      ]);
    } finally {
      source.close();
      sink.close();
      pauses.close();
    }
  });
});
