/** A full connection table: unconfirmed connections give their places, confirmed ones never. */
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/control/config/config.js';
import { InProcessDirector } from '../../src/control/inprocess.js';
import { FrameStat } from '../../src/stats/counters.js';
import { Drop } from '../../src/stats/drops.js';
import { loadRules } from '../../src/ulvsadm/rules.js';
import { packet } from '../support/packet.js';

const CLIENT = ['02:00:00:00:c0:01', '02:00:00:00:0d:00'] as const;
const SERVER = ['02:00:00:00:a0:11', '02:00:00:00:0d:01'] as const;
const LINES = 256;

async function box(more = ''): Promise<InProcessDirector> {
  const config = parseConfig(
    `
devices:
  - { name: eth0, mac: ${CLIENT[1]}, addresses: [10.0.0.254/24, "2001:db8::fe/64"] }
  - { name: eth1, mac: ${SERVER[1]}, addresses: [192.168.1.254/24, "2001:db8:1::fe/64"] }
neighbours:
  - { ip: 10.0.0.1, dev: eth0, mac: ${CLIENT[0]} }
  - { ip: 192.168.1.11, dev: eth1, mac: ${SERVER[0]} }
  - { ip: "2001:db8:1::11", dev: eth1, mac: ${SERVER[0]} }
routes: [ { to: 0.0.0.0/0, via: 10.0.0.1, dev: eth0 } ]
connections: { max: ${LINES} }
${more}
rules: |
  -A -t 10.0.0.100:80 -s rr
  -a -t 10.0.0.100:80 -r 192.168.1.11:8080 -m
  -A -t 10.0.0.100:81 -s rr -p 300
  -a -t 10.0.0.100:81 -r 192.168.1.11:8080 -m
  -A -u 10.0.0.100:53 -s rr
  -a -u 10.0.0.100:53 -r 192.168.1.11 -m
  -A -t [2001:db8::100]:80 -s rr
  -a -t [2001:db8::100]:80 -r [2001:db8:1::11]:80 -m
`,
    'test.yaml',
  );
  const director = new InProcessDirector(config, () => {});
  await loadRules(config, director);
  return director;
}

const address = (i: number) => `11.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`;
const tcp = (src: string, flags: string, dport = 80) =>
  packet()
    .eth(...CLIENT)
    .ipv4({ src, dst: '10.0.0.100' })
    .tcp({ sport: 4000, dport, flags })
    .bytes(); // prettier-ignore
const reply = (dst: string, flags: string) =>
  packet()
    .eth(...SERVER)
    .ipv4({ src: '192.168.1.11', dst })
    .tcp({ sport: 8080, dport: 4000, flags })
    .bytes(); // prettier-ignore

function flood(box: InProcessDirector, from: number, count: number, dport = 80): void {
  for (let i = from; i < from + count; i++) box.receive(0, tcp(address(i), 'S', dport));
}

/** A client connects while a flood goes on: `meanwhile` SYNs between two of its packets. */
function connects(box: InProcessDirector, src: string, meanwhile: number, seed: number): boolean {
  const { values } = box.director.counters;
  box.receive(0, tcp(src, 'S'));
  flood(box, seed, meanwhile);
  const before = values[FrameStat.forwarded]!;
  box.receive(1, reply(src, 'SA'));
  box.receive(0, tcp(src, 'A'));
  return values[FrameStat.forwarded]! === before + 2;
}

const established = (box: InProcessDirector) => box.connections().filter(({ state }) => state === 'ESTABLISHED').length;
const early = (box: InProcessDirector) => box.director.counters.values[FrameStat.earlyDropped]!;
const full = (box: InProcessDirector) => box.director.counters.drops(Drop.tableFull);

describe('early_drop', () => {
  it('serves every new client during a flood that fills the table again and again', async () => {
    const one = await box();
    flood(one, 0, 2 * LINES);
    for (let i = 0; i < 100; i++)
      expect(connects(one, `12.0.0.${i}`, Math.floor(LINES / 2), 100_000 + i * 1000), `client ${i}`).toBe(true);
    expect(established(one)).toBe(100);
    expect(early(one)).toBeGreaterThan(10_000);
    expect(full(one)).toBe(0);
  });

  it('0: drops the new connection, as before', async () => {
    const one = await box('sysctl: { early_drop: 0 }');
    flood(one, 0, 2 * LINES);
    expect(connects(one, '12.0.0.1', 0, 0)).toBe(false);
    expect([early(one), full(one)]).toEqual([0, LINES + 1]);
  });

  it('never ends an established connection', async () => {
    const one = await box();
    for (let i = 0; i < LINES; i++) {
      one.receive(0, tcp(address(i), 'S'));
      one.receive(1, reply(address(i), 'SA'));
      one.receive(0, tcp(address(i), 'A'));
    }
    expect(established(one)).toBe(LINES);
    flood(one, 100_000, 50);
    expect([established(one), early(one), full(one)]).toEqual([LINES, 0, 50]);
  });

  it('takes UDP connections of one packet, and templates with their last connection', async () => {
    const one = await box();
    const udp = (src: string) =>
      packet()
        .eth(...CLIENT)
        .ipv4({ src, dst: '10.0.0.100' })
        .udp({ sport: 5000, dport: 53 })
        .bytes(); // prettier-ignore
    one.receive(0, udp('12.0.0.9'));
    one.receive(0, udp('12.0.0.9'));
    for (let i = 0; i < 2 * LINES; i++) one.receive(0, udp(address(i)));
    flood(one, 0, 2 * LINES, 81);
    expect(full(one)).toBe(0);
    expect(one.connections().some(({ caddr }) => caddr === '12.0.0.9')).toBe(true);
    expect(one.director.connections.table.live).toBeLessThanOrEqual(LINES);
  });

  it('has room for both lines of an IPv6 connection', async () => {
    const one = await box();
    for (let i = 1; i < 3 * LINES; i++) {
      const ip = packet()
        .eth(...CLIENT)
        .ipv6({ src: `2001:db8:9::${i.toString(16)}`, dst: '2001:db8::100' }); // prettier-ignore
      one.receive(0, ip.tcp({ sport: 4000, dport: 80, flags: 'S' }).bytes());
    }
    expect(full(one)).toBe(0);
    expect(early(one)).toBeGreaterThan(LINES);
  });
});
