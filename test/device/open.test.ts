/** The kind of device that an interface gets, and its offloads, on real interfaces. */
import { afterEach, describe, expect, it } from 'vitest';
import { OFFLOADS, readOffloads, turnOff, turnOn } from '../../src/device/offload.js';
import { openDevice, probe } from '../../src/device/open.js';
import { Umem } from '../../src/device/umem.js';
import { mappedUmem } from '../../src/device/umem-memory.js';
import { isRoot, Namespaces } from '../support/netns.js';

if (!isRoot) console.log('auto, offload: skipped, need root for namespaces');

describe.skipIf(!isRoot)('auto and offload', () => {
  const spaces = new Namespaces('auto');
  afterEach(() => spaces.remove());

  it('opens the first kind that works and says why', () => {
    const [a, b] = [spaces.add('a'), spaces.add('b')];
    spaces.veth(a, 'a0', b, 'b0');
    const umem = new Umem(8);
    spaces.inside(a, () => {
      expect(probe(mappedUmem(64).umem, 'a0')).toEqual({
        kind: 'xdp',
        reasons: ['a0: using xdp (native, copy mode)'],
      });
      expect(probe(umem, 'a0')).toEqual({
        kind: 'packet',
        reasons: ['a0: not xdp: the Umem does not begin on a page; make it with mappedUmem', 'a0: using packet'],
      });
      const { device, reasons } = openDevice(umem, 'a0', 'cap');
      expect([device.kind, reasons]).toEqual(['cap', ['a0: using cap, as configured']]);
      device.close();
      expect(() => openDevice(umem, 'nope0')).toThrow(
        /^nope0: no kind of device works here \(not xdp: no such network interface.*; not packet: no such network interface.*; not cap: no such/,
      );
    });
  });

  it('reads offloads, turns them off and on again', () => {
    const [a, b] = [spaces.add('a'), spaces.add('b')];
    spaces.veth(a, 'a0', b, 'b0');
    spaces.inside(a, () => {
      expect(readOffloads('a0')).toMatchObject({ tso: true, gso: true, txChecksum: true, lro: false });
      expect(turnOff('a0', OFFLOADS)).toEqual(expect.arrayContaining(['tso', 'gso', 'txChecksum']));
      expect(Object.values(readOffloads('a0'))).not.toContain(true);
      turnOn('a0', ['txChecksum', 'gro']);
      expect(readOffloads('a0')).toMatchObject({ txChecksum: true, gro: true });
      expect(() => readOffloads('nope0')).toThrow('nope0: no such network interface');
    });
  });
});
