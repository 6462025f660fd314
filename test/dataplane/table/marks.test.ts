/** Tests the table of mark rules against a slow evaluator. */
import { describe, expect, it } from 'vitest';
import { parseMarkRule } from '../../../src/control/mark/rule.js';
import { PacketInfo } from '../../../src/dataplane/parse/packet.js';
import { Marks } from '../../../src/dataplane/table/marks.js';
import { parse4, parse6 } from '../../../src/wire/address.js';
import { DEVICES, randomPacket, randomRule } from '../../control/mark/random-rule.js';
import { slowMark } from '../../control/mark/reference.js';
import { Random } from '../../support/seed.js';

function packet(fields: Partial<PacketInfo>): PacketInfo {
  return Object.assign(new PacketInfo(), { family: 4, protocol: 6, src: parse4('10.0.0.1'), ...fields });
}

function marks(...lines: string[]): Marks {
  return new Marks(lines.map(parseMarkRule), DEVICES);
}

describe('Marks', () => {
  it('no rule, no mark', () => {
    expect(marks().match(packet({}))).toBe(0);
  });

  it('address, port and device', () => {
    const rules = marks('-i eth0 -d 10.9.0.0/16 -p tcp -m multiport --dports 80,8000:8010 -j MARK --set-mark 7');
    const vip = parse4('10.9.255.1')!;
    expect(rules.match(packet({ dst: vip, dport: 80 }))).toBe(7);
    expect(rules.match(packet({ dst: vip, dport: 8010 }))).toBe(7);
    expect(rules.match(packet({ dst: vip, dport: 8011 }))).toBe(0);
    expect(rules.match(packet({ dst: vip, dport: 80, device: 1 }))).toBe(0);
    expect(rules.match(packet({ dst: vip, dport: 80, protocol: 17 }))).toBe(0);
    expect(rules.match(packet({ dst: parse4('10.10.0.1')!, dport: 80 }))).toBe(0);
  });

  it('addresses above 2^31 and /0', () => {
    expect(marks('-d 203.0.113.0/24 -j MARK --set-mark 1').match(packet({ dst: parse4('203.0.113.9')! }))).toBe(1);
    expect(marks('-d 0.0.0.0/0 -j MARK --set-mark 1').match(packet({ dst: -1 }))).toBe(1);
    expect(marks('! -d 0.0.0.0/0 -j MARK --set-mark 1').match(packet({ dst: -1 }))).toBe(0);
  });

  it('IPv6, and no rule of one family for the other', () => {
    const rules = marks('-d 2001:db8:1:2:8000::/65 -j MARK --set-mark 6', '! -s 10.0.0.1 -j MARK --or-mark 0x10');
    const six = packet({ family: 6 });
    six.dst6.set(parse6('2001:db8:1:2:ffff::1')!);
    expect(rules.match(six)).toBe(6);
    six.dst6.set(parse6('2001:db8:1:2:7fff::1')!);
    expect(rules.match(six)).toBe(0);
  });

  it('goes on after a match; later rules see the mark and change its bits; a mark is unsigned', () => {
    const rules = marks(
      '-j MARK --set-mark 0x80000001',
      '-m mark --mark 0x1/0xf -j MARK --or-mark 0x10',
      '-m mark ! --mark 0x80000011 -j MARK --set-mark 99',
      '-j MARK --set-xmark 0x2/0x1',
    );
    expect(rules.match(packet({}))).toBe(0x8000_0012);
  });

  it('a later fragment has no ports, whichever way the test is turned', () => {
    const rules = marks(
      '-p tcp --dport 80 -j MARK --or-mark 1',
      '-p tcp ! --dport 80 -j MARK --or-mark 2',
      '-p tcp ! --syn -j MARK --or-mark 4',
      '-p tcp -j MARK --or-mark 8',
    );
    expect(rules.match(packet({ dport: 80, tcpFlags: 2, fragmentOffset: 1480 }))).toBe(8);
    expect(rules.match(packet({ dport: 80, tcpFlags: 2 }))).toBe(9);
  });

  it('a device beyond the known ones matches no rule, not the next one', () => {
    expect(marks('-i eth1 -j MARK --set-mark 1', '-i eth0 -j MARK --set-mark 2').match(packet({ device: 3 }))).toBe(0);
  });

  it('allocates nothing per packet', () => {
    const random = new Random();
    const rules = new Marks(
      Array.from({ length: 8 }, () => parseMarkRule(randomRule(random))),
      DEVICES,
    );
    const infos = Array.from({ length: 64 }, () => randomPacket(random));
    const grown = () => {
      const before = process.memoryUsage().heapUsed;
      for (let i = 0; i < 300_000; i++) rules.match(infos[i & 63]!);
      return process.memoryUsage().heapUsed - before;
    };
    // One number a packet would be 3.6 MB; the first runs are the compiler's.
    expect(Math.min(...[0, 1, 2, 3, 4].map(grown).map(Math.abs))).toBeLessThan(300_000);
  });

  it('agrees with a slow evaluator on random rules and packets', () => {
    const random = new Random();
    let marked = 0;
    for (let round = 0; round < 2000; round++) {
      const rules = Array.from({ length: random.between(1, 6) }, () => parseMarkRule(randomRule(random)));
      const fast = new Marks(rules, DEVICES);
      for (let i = 0; i < 20; i++) {
        const info = randomPacket(random);
        const mark = fast.match(info);
        if (mark !== 0) marked++;
        const said = { seed: random.seed, round, rules: rules.map(({ text }) => text), info };
        expect(mark, JSON.stringify(said)).toBe(slowMark(rules, info, DEVICES));
      }
    }
    expect(marked).toBeGreaterThan(4000);
  });
});
