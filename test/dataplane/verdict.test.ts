/**
 * Every frame has exactly one verdict: what the packet path returns is what is counted, and each frame is given back once. Traffic
 * of all kinds, on devices that are the director's own and on devices that the host's stack shares.
 */
import { describe, expect, it } from 'vitest';
import { setAddresses } from '../../src/control/engine/static-network.js';
import type { Director } from '../../src/dataplane/director.js';
import { Housekeeping } from '../../src/dataplane/housekeeping.js';
import { processFrame } from '../../src/dataplane/ingress.js';
import { Link } from '../../src/dataplane/table/link.js';
import { type FinalVerdict, Verdict } from '../../src/stats/verdict.js';
import { packet } from '../support/packet.js';
import { Random } from '../support/seed.js';
import { CASES, type Case, framesFor, type Source, USUAL } from './fastpath/cases.js';
import { directorOf } from './fastpath/network.js';
import type { Left } from './fastpath/side.js';
import { arriving, between } from './fastpath/traffic.js';
import { checked } from './verdict-check.js';

const ROUNDS = 60;
const CLIENTS = ['10.0.0.1', '10.0.0.2', '11.0.0.1'];
const TARGETS = ['10.0.0.100', '10.0.0.101', '10.0.0.254', '11.0.0.1', '10.9.0.1', '192.168.1.11'];

const arp: Source = (random, device) =>
  arriving(device)
    .arp({
      op: random.pick(['request', 'reply']),
      senderMac: '02:00:00:00:c0:01',
      senderIp: random.pick([...CLIENTS, '192.168.1.13']),
      targetIp: random.pick(TARGETS),
    })
    .bytes();

const ping: Source = (random, device) =>
  arriving(device)
    .ipv4({ src: random.pick(CLIENTS), dst: random.pick(TARGETS) })
    .icmp({ type: random.pick([0, 8, 11, 3]), code: 0 })
    .payload(random.below(60))
    .bytes();

/** Fragments of datagrams that have one identification each way: sooner or later one is complete, or contradicts another. */
const fragment: Source = (random, device) =>
  arriving(device)
    .ipv4({
      src: random.pick(CLIENTS),
      dst: random.pick(TARGETS),
      id: random.below(2),
      ...random.pick([
        { offset: 0, mf: true },
        { offset: 48, mf: false },
        { offset: 40, mf: false },
      ]),
      protocol: 17,
    })
    .payload(Uint8Array.of(16, 0, 0, 53, 0, 88, 0, 0, ...new Uint8Array(40)))
    .bytes();

/** What is no IP, is for all, or is for a group. */
const others: Source = (random, device) =>
  random
    .pick([
      packet()
        .eth('02:00:00:00:c0:01', 'ff:ff:ff:ff:ff:ff')
        .ipv4({ src: '10.0.0.1', dst: '10.0.0.255' })
        .udp({ sport: 1, dport: 2 }),
      packet().eth('02:00:00:00:c0:01', '01:80:c2:00:00:00', 0x88cc).payload(60),
      arriving(device).ipv4({ src: '10.0.0.1', dst: '224.0.0.1' }).udp({ sport: 1, dport: 2 }),
      arriving(device).ipv6({ src: '2001:db8::1', dst: '2001:db8::fe' }).icmp6({ type: 128, code: 0 }),
    ])
    .bytes();

/** A stray reply of a masq destination. */
const stray: Source = (random) =>
  between(random, 1, '192.168.1.11', '11.0.0.9', { sport: 8080, dport: 9000 + random.below(9) });

/** As devices of kind `packet` are: the host's stack sees the frames, too. */
function share(d: Director): void {
  const addresses = d.links.map((link) =>
    link.addresses.map(({ words, family, prefix }) => ({ words, family, prefix })),
  );
  for (const { index, name, mac, mtu } of [...d.links]) d.links[index] = new Link(index, name, mac, mtu, true, true);
  setAddresses(d, []);
  for (const link of d.links) link.addresses.push(...addresses[link.index]!);
  d.reindexOwn();
}

async function run(one: Case, isShared: boolean): Promise<Map<FinalVerdict, number>> {
  const random = new Random();
  const { director: d } = await directorOf(one);
  if (isShared) share(d);
  const housekeeping = new Housekeeping(d);
  const sources = [...USUAL, ...(one.sources?.(random) ?? []), arp, ping, fragment, others, stray];
  const [left, verdicts] = [[] as Left[], new Map<FinalVerdict, number>()];
  const frames = d.umem.freeFrames;
  for (let round = 0, now = 0; round < ROUNDS; round++) {
    now += random.pick([0, 1, 100, 3000]);
    housekeeping.tick(now);
    const device = random.below(2);
    for (const bytes of framesFor(random, device, sources, left)) {
      const frame = d.umem.put(bytes);
      const verdict = checked(d, () => processFrame(d, device, frame, bytes.length));
      verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
    }
    collect(d, left);
    const kept = d.fragments.held + d.neighbours.waiting;
    expect(d.umem.freeFrames + kept, `seed ${random.seed}, round ${round}: each frame is given back once`).toBe(frames);
  }
  return verdicts;
}

function collect({ links, umem }: Director, left: Left[]): void {
  for (const { index, output } of links) {
    for (let i = 0; i < output.n; i++) {
      const at = output.offsets[i]!;
      left.push({ device: index, bytes: umem.u8.slice(at, at + output.lengths[i]!) });
      umem.free(at);
    }
    output.n = 0;
  }
}

describe('each frame has one verdict, and that is counted', () => {
  it.each(CASES.map((one) => [one.name, one] as const))('%s', { timeout: 120_000 }, async (_, one) => {
    const verdicts = await run(one, false);
    for (const name of ['forwarded', 'delivered', 'dropped', 'passed', 'waiting', 'held'] as const)
      expect(verdicts.get(Verdict[name]), name).toBeGreaterThan(0);
  });

  it('on devices that the host shares, with nat_icmp_send', { timeout: 120_000 }, async () => {
    const verdicts = await run({ name: '', config: 'sysctl: { nat_icmp_send: 1 }', check: () => {} }, true);
    for (const name of ['forwarded', 'dropped', 'passed'] as const)
      expect(verdicts.get(Verdict[name]), name).toBeGreaterThan(50);
  });
});
