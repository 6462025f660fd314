/** The director as a function: verdicts, times, errors. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readScript } from '../../src/capture/jsonl.js';
import {
  type Counts,
  createDirector,
  type Director,
  DROP_REASONS,
  loadConfig,
  parseConfig,
  type Verdict,
} from '../../src/library/index.js';
import { packet } from '../support/packet.js';
import { recordedScenarios } from '../support/recorded.js';

const CLIENT = '02:00:00:00:c0:01';
const YAML = `
devices:
  - { name: eth0, mac: 02:00:00:00:0d:00, addresses: [10.0.0.254/24] }
  - { name: eth1, mac: 02:00:00:00:0d:01, addresses: [192.168.1.254/24] }
neighbours:
  - { ip: 10.0.0.1, dev: eth0, mac: ${CLIENT} }
rules: |
  -A -t 10.0.0.100:80 -s rr
  -a -t 10.0.0.100:80 -r 192.168.1.11:8080 -m
`;
const create = (now?: number) => createDirector(parseConfig(YAML, 'test.yaml'), now);
const syn = (dport = 80, dst = '10.0.0.100') =>
  packet()
    .eth(CLIENT, '02:00:00:00:0d:00')
    .ipv4({ src: '10.0.0.1', dst })
    .tcp({ sport: 4000, dport, flags: 'S' })
    .bytes();
const arpReply = packet()
  .eth('02:00:00:00:a0:11', '02:00:00:00:0d:01')
  .arp({ op: 'reply', senderMac: '02:00:00:00:a0:11', senderIp: '192.168.1.11', targetIp: '192.168.1.254' })
  .bytes();

describe('a director as a function', () => {
  it('lets a frame wait for its next hop, and sends it when that answers', async () => {
    const director = await create();
    const first = director.receive('eth0', syn());
    expect(first).toMatchObject({ verdict: 'waiting', drop: undefined, sent: [{ device: 'eth1' }] });
    expect(first.steps.map(({ step }) => step)).toContain('chosen');
    const answer = director.receive('eth1', arpReply, 20);
    expect(answer).toMatchObject({ verdict: 'delivered', sent: [{ device: 'eth1' }] });
    expect(director.counts()).toMatchObject({
      in: 2,
      forwarded: 1,
      delivered: 1,
      dropped: 0,
      originated: 1,
      drops: {},
    });
    expect(director.now).toBe(20);
  });

  it('gives up a neighbour that does not answer', async () => {
    const director = await create(5000);
    director.receive('eth0', syn());
    const asked = director.advance(9000);
    expect(asked.length).toBeGreaterThanOrEqual(2);
    expect(director.counts().drops).toEqual({ neighbourFailed: 1 });
  });

  it('names the reason of a drop, which has a text, and what it sends for it', async () => {
    const { verdict, drop, sent } = (await create()).receive('eth0', syn(81));
    expect({ verdict, drop }).toEqual({ verdict: 'dropped', drop: 'portClosed' });
    expect(DROP_REASONS.get(drop!)).toContain('without a service');
    expect(sent.map(({ device }) => device)).toEqual(['eth0']);
  });

  it('does what falls due before the frame that comes later', async () => {
    const director = await create();
    director.receive('eth0', syn());
    const { sent } = director.receive('eth0', packet().eth(CLIENT, '02:00:00:00:0d:00', 0x88b5).bytes(), 70_000);
    expect(sent.length).toBeGreaterThan(0);
    expect(director.connections()).toEqual([]);
  });

  it('runs command lines of ulvsadm', async () => {
    const director = await create();
    expect(await director.ulvsadm(['-d', '-t', '10.0.0.100:80', '-r', '192.168.1.11:8080'])).toMatchObject({ rc: 0 });
    expect(await director.ulvsadm(['-R'], '-A -u 10.0.0.100:53 -s rr\n')).toEqual({ rc: 0, out: '', err: '' });
    expect((await director.ulvsadm(['-Sn'])).out).toBe('-A -t 10.0.0.100:80 -s rr\n-A -u 10.0.0.100:53 -s rr\n');
    expect(await director.ulvsadm(['-A'])).toMatchObject({ rc: 2, out: '' });
    expect(director.receive('eth0', syn()).drop).toBe('noDestination');
  });

  it('gives the same for the same', async () => {
    const [one, other] = [await create(), await create()];
    for (const at of [0, 3, 500, 2000])
      expect(one.receive('eth0', syn(), at)).toEqual(other.receive('eth0', syn(), at));
  });
});

describe('what a caller does wrong', () => {
  it.each<[string, (director: Director) => unknown, string]>([
    ['a device', (d) => d.receive('eth7', syn()), 'no device eth7; the configuration has eth0, eth1'],
    ['a frame', (d) => d.receive('eth0', new Uint8Array(1791)), 'a frame of 1791 bytes; the longest is 1790'],
    ['a time', (d) => d.receive('eth0', syn(), 99), 'time 99 ms: it is 100 ms already'],
    ['no time', (d) => d.advance(Number.NaN), 'time NaN ms'],
  ])('%s that cannot be', async (_, act, words) => {
    const director = await create(100);
    expect(() => act(director)).toThrow(RangeError);
    expect(() => act(director)).toThrow(words);
    expect(director.counts().in).toBe(0);
  });

  it('a rule line', async () => {
    const config = parseConfig(YAML.replace('-s rr', '-s rrr'), 'wrong.yaml');
    await expect(createDirector(config)).rejects.toThrow(/^wrong\.yaml:8: rules: -A -t 10\.0\.0\.100:80 -s rrr: /);
  });

  it('a frame that is none at all is only dropped', async () => {
    const director = await create();
    for (const length of [0, 1, 13, 14, 33])
      expect(director.receive('eth0', new Uint8Array(length)).verdict).toMatch(/\w/);
    expect(director.receive('eth0', new Uint8Array(0)).drop).toBe('truncated');
  });
});

const ENDS = ['forwarded', 'delivered', 'passed', 'dropped'] as const;

/** The verdict that the counters tell of, where they tell of one frame only. */
function counted(before: Counts, after: Counts): Verdict | undefined {
  const grown = ENDS.filter((end) => after[end] > before[end]);
  const frames = ENDS.reduce((sum, end) => sum + after[end] - before[end], 0);
  if (frames === 0) return 'waiting';
  return frames === 1 ? grown[0] : undefined;
}

describe('verdicts agree with the counters', () => {
  it.each([...recordedScenarios()])('%s', async (_, dir) => {
    const director = await createDirector(loadConfig(join(dir, 'director.yaml')));
    let frames = 0;
    for (const line of readScript(join(dir, 'frames.jsonl'))) {
      director.advance(Math.max(director.now, line.t));
      if (line.kind === 'command') {
        const words = line.cmd.split(' ').filter((word) => word !== '2>&1');
        if (words.shift() === 'ipvsadm') await director.ulvsadm(words);
      }
      if (line.kind !== 'frame' || line.bytes.length > 1790) continue;
      const before = director.counts();
      const { verdict, drop, steps } = director.receive(line.if, line.bytes);
      if (verdict === 'passed' && steps.length === 0) continue; // a message of synchronisation
      frames++;
      const expected = counted(before, director.counts());
      if (expected !== undefined) expect([line.index, verdict]).toEqual([line.index, expected]);
      expect(drop === undefined).toBe(verdict !== 'dropped');
      if (drop !== undefined) expect(director.counts().drops[drop]).toBeGreaterThan(before.drops[drop] ?? 0);
    }
    expect(director.counts().in).toBe(frames);
  });
});
