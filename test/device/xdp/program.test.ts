/**
 * The XDP program and its maps in the kernel, compared with a plain reading of the intercept rules.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InterceptRule } from '../../../src/device/intercept/rule.js';
import { InterceptMaps } from '../../../src/device/xdp/intercept-maps.js';
import { interceptProgram } from '../../../src/device/xdp/program.js';
import { createMap, loadXdp, MapType, testXdp, updateMap, XDP_PASS, XDP_REDIRECT } from '../../../src/sys/bpf.js';
import { check, close, fcntl, socket } from '../../../src/sys/libc.js';
import { AF_XDP } from '../../../src/sys/xdp-socket.js';
import { Random } from '../../support/seed.js';
import { anyFrame, anyRule, changeHosts, ip4, MAC, ports } from './any.js';
import { withoutXdp } from './missing.js';
import { isTakenBy } from './reference.js';

const F_DUPFD_CLOEXEC = 1030;

const mapsOf = (devices: readonly string[], adopted: readonly number[] = []) =>
  new InterceptMaps(
    devices.map((name) => ({ name })),
    adopted,
    () => Buffer.from(MAC, 'hex'),
  );

describe.skipIf(withoutXdp !== '')('the XDP program', () => {
  let maps: InterceptMaps;
  let program: number;
  const open: number[] = [];

  beforeAll(() => {
    maps = mapsOf(['eth0']);
    const xsks = createMap({ type: MapType.xskMap, keySize: 4, valueSize: 4, entries: 1 });
    const xsk = check(socket(AF_XDP, 3, 0), 'socket');
    updateMap(xsks, new Uint8Array(4), new Uint8Array(Uint32Array.of(xsk).buffer));
    program = loadXdp(interceptProgram(maps.fdsOf('eth0'), xsks));
    open.push(xsks, xsk, program);
  });
  afterAll(() => {
    for (const fd of open) close(fd);
    maps.close();
  });

  const said = (frame: Buffer) => testXdp(program, frame);
  const taken = (frame: Buffer) => said(frame) === XDP_REDIRECT;

  it('intercepts what the reference intercepts, for random rules that change all the time', () => {
    const random = new Random();
    let [hits, misses] = [0, 0];
    let rules: InterceptRule[] = [];
    for (let round = 0; round < 60; round++) {
      // Some stay, some go, some come: the maps are changed, not made anew.
      rules = [...rules.filter(() => random.bool()), ...Array.from({ length: random.below(8) }, () => anyRule(random))];
      maps.update(rules);
      rules = changeHosts(rules, random, maps);
      for (let i = 0; i < 300; i++) {
        const frame = anyFrame(random);
        const wanted = isTakenBy(rules, 'eth0', MAC, frame);
        if (taken(frame) !== wanted)
          expect.fail(
            `seed ${random.seed}, round ${round}: ${frame.toString('hex')} wanted ${wanted} by ${JSON.stringify(rules)}`,
          );
        if (wanted) hits++;
        else misses++;
      }
    }
    expect(hits).toBeGreaterThan(2000);
    expect(misses).toBeGreaterThan(2000);
  });

  it('intercepts by the rules of each device, with the maps of all', () => {
    const names = ['eth0', 'eth1'];
    const both = mapsOf(names);
    const programs = names.map((name) => loadXdp(interceptProgram(both.fdsOf(name), open[0]!)));
    open.push(...programs);
    const random = new Random();
    const differs = [0, 0];
    for (let round = 0; round < 30; round++) {
      // Fewer than there are bits.
      const rules = Array.from({ length: 1 + random.below(40) }, () => anyRule(random));
      both.update(rules);
      for (let i = 0; i < 200; i++) {
        const frame = anyFrame(random);
        const wanted = names.map((name) => isTakenBy(rules, name, MAC, frame));
        const got = programs.map((one) => testXdp(one, frame) === XDP_REDIRECT);
        expect(got, `seed ${random.seed}, round ${round}: ${frame.toString('hex')}`).toEqual(wanted);
        if (wanted[0] !== wanted[1]) differs[wanted[0] ? 0 : 1]!++;
      }
    }
    expect(Math.min(...differs)).toBeGreaterThan(5);
    both.close();
  });

  it('intercepts nothing without rules', () => {
    maps.update([]);
    const random = new Random(7);
    for (let i = 0; i < 300; i++) expect(said(anyFrame(random))).toBe(XDP_PASS);
  });

  const vip: InterceptRule = { kind: 'packet', family: 4, daddr: '10.0.0.100', protocol: 6, dport: [[80, 80]] };

  it('leaves to the kernel: tagged frames, other MACs, other protocols, cut ones', () => {
    maps.update([{ kind: 'packet', family: 4, daddr: '10.0.0.0/8' }]);
    const frame = ip4(6, '1.2.3.4', '10.0.0.100', ports(1024, 80));
    expect(taken(frame)).toBe(true);
    const tagged = Buffer.concat([frame.subarray(0, 12), Buffer.from([0x81, 0, 0, 5]), frame.subarray(12)]);
    const other = Buffer.from(frame);
    other[5] = 1;
    const broadcast = Buffer.concat([Buffer.alloc(6, 255), frame.subarray(6)]);
    const lldp = Buffer.from(frame);
    lldp.writeUInt16BE(0x88cc, 12);
    expect([tagged, other, broadcast, lldp, frame.subarray(0, 36), frame.subarray(0, 33)].map(taken)).toEqual(
      Array(6).fill(false),
    );
  });

  it('shares its port table with the process that takes over', () => {
    const at = (port: number): InterceptRule => ({ ...vip, dport: [[port, port]] });
    maps.update([at(80), at(443)]);
    const shared = check(fcntl(maps.fdsOf('eth0').ports, F_DUPFD_CLOEXEC, 0), 'fcntl');
    const successor = mapsOf(['eth0'], [shared]);
    const second = loadXdp(interceptProgram(successor.fdsOf('eth0'), open[0]!));
    open.push(second);
    const takes = (by: number, port: number) =>
      testXdp(by, ip4(6, '1.2.3.4', '10.0.0.100', ports(1024, port))) === XDP_REDIRECT;
    successor.update([at(22), at(80)]);
    // The one that still forwards has lost nothing.
    expect([80, 443].map((port) => takes(program, port))).toEqual([true, true]);
    expect([22, 80].map((port) => takes(second, port))).toEqual([true, true]);
    successor.removeForeign();
    expect([22, 80, 443].map((port) => takes(second, port))).toEqual([true, true, false]);
    successor.close();
    maps.update([at(80)]);
    expect([80, 443].map((port) => takes(program, port))).toEqual([true, false]);
  });

  it('takes all fragments where any packet could be taken by its ports', () => {
    maps.update([vip]);
    const whole = (dport: number) => ip4(6, '1.2.3.4', '10.0.0.100', ports(1024, dport));
    const piece = (offset: number, more: boolean, protocol = 6) => {
      const frame = ip4(protocol, '1.2.3.4', '10.0.0.100', ports(1024, 9999));
      frame.writeUInt16BE((offset >> 3) | (more ? 0x2000 : 0), 20);
      return frame;
    };
    expect([whole(80), whole(81)].map(taken)).toEqual([true, false]);
    expect([piece(0, true), piece(1480, true), piece(2960, false), piece(1480, false, 17)].map(taken)).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });

  it('has more rules than bits by taking too much, never too little', () => {
    const random = new Random(11);
    const rules = Array.from({ length: 200 }, (_, i): InterceptRule => {
      const from = 1000 + 20 * i;
      return { kind: 'packet', family: 4, daddr: `10.${i % 50}.0.0/16`, protocol: 6, dport: [[from, from + 17]] };
    });
    maps.update(rules);
    let hits = 0;
    for (let i = 0; i < 3000; i++) {
      const at = random.below(200);
      const frame = ip4(6, '1.2.3.4', `10.${at % 50}.1.1`, ports(1, 1000 + 20 * at + random.below(20)));
      if (!isTakenBy(rules, 'eth0', MAC, frame)) continue;
      hits++;
      expect(taken(frame)).toBe(true);
    }
    expect(hits).toBeGreaterThan(1000);
    const first = [10, 30, 50].map((i) => ip4(6, '1.2.3.4', `10.${i}.1.1`, ports(1, 1018 + 20 * i)));
    expect(first.map(taken)).toEqual([false, false, true].map((_, i) => isTakenBy(rules, 'eth0', MAC, first[i]!)));
  });

  it('follows the device to another MAC, and refuses rules that make no sense', () => {
    maps.update([vip]);
    expect(() => maps.update([{ kind: 'packet', family: 4, daddr: '10.0.0.300' }])).toThrow("'10.0.0.300' is not");
    expect(() => maps.update([{ ...vip, daddr: '10.0.0.0/8', protocol: 47 }])).toThrow('ports given for protocol 47');
    expect(taken(ip4(6, '1.2.3.4', '10.0.0.100', ports(1024, 80)))).toBe(true);
  });

  it('holds 20,000 services, one added in a moment', () => {
    const many = Array.from({ length: 20_000 }, (_, i): InterceptRule => {
      return { kind: 'packet', family: 4, daddr: `10.1.${i >> 8}.${i & 255}`, protocol: 6, dport: [[80, 80]] };
    });
    maps.update(many);
    expect(taken(ip4(6, '1.2.3.4', '10.1.78.31', ports(1, 80)))).toBe(true);
    expect(taken(ip4(6, '1.2.3.4', '10.1.78.32', ports(1, 80)))).toBe(false);
    maps.update([...many, vip]);
    expect(taken(ip4(6, '1.2.3.4', '10.0.0.100', ports(1, 80)))).toBe(true);
    maps.update([]);
  });
});
