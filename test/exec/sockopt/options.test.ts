/** The socket options of IPVS: structures of linux/ip_vs.h as bytes, checks as in do_ip_vs_*_ctl. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { AdminClient } from '../../../src/control/api/api.js';
import { SOCKOPT_BASE } from '../../../src/exec/filter/rules.js';
import { Refusal } from '../../../src/exec/refusal.js';
import { getOption, sizeOfGet } from '../../../src/exec/sockopt/get.js';
import { setOption, sizeOfSet } from '../../../src/exec/sockopt/set.js';
import { inProcess } from '../../ulvsadm/director.js';
import { hex } from '../messages.js';

/** TCP 10.0.0.1:80 rr, persistent for 300 s with mask /24. */
const SERVICE = hex(`0600 0000 0a000001 0050 0000 00000000 ${Buffer.from('rr').toString('hex').padEnd(32, '0')}
  01000000 2c010000 ffffff00`);
/** 192.168.1.1:8080, tunnel, weight 3, thresholds 9 and 5. */
const DEST = hex('c0a80101 1f90 0000 02000000 03000000 09000000 05000000');
const BOTH = Uint8Array.of(...SERVICE, ...DEST);

let client: AdminClient;
beforeEach(() => {
  client = inProcess();
});
const outcome = (work: Promise<unknown>) =>
  work.then(
    () => 'ok',
    (error: unknown) => (error as Refusal).code,
  );
const set = (option: number, bytes: Uint8Array) => outcome(setOption(SOCKOPT_BASE + option, bytes, client));
const get = (option: number, given: Uint8Array, length = given.length) =>
  getOption(SOCKOPT_BASE + option, given, length, client);
const changed = (bytes: Uint8Array, at: number, ...values: number[]) => {
  const copy = bytes.slice();
  copy.set(values, at);
  return copy;
};

describe('changes', () => {
  it('make, edit and delete services and destinations', async () => {
    expect(await set(2, SERVICE)).toBe('ok');
    expect(await set(7, BOTH)).toBe('ok');
    const reply = await client.request({ op: 'list' });
    expect(reply.ok && reply.services![0]).toMatchObject({
      key: { protocol: 6, address: '10.0.0.1', port: 80 },
      scheduler: 'rr',
      flags: 1,
      timeout: 300,
      netmask: 0xffffff00,
      destinations: [
        { address: '192.168.1.1', port: 8080, method: 'ipip', weight: 3, upperThreshold: 9, lowerThreshold: 5 },
      ],
    });
    expect([await set(2, SERVICE), await set(7, BOTH)]).toEqual(['EEXIST', 'EEXIST']);
    expect([await set(3, SERVICE), await set(9, BOTH), await set(15, SERVICE)]).toEqual(['ok', 'ok', 'ok']);
    expect([await set(8, BOTH), await set(8, BOTH)]).toEqual(['ok', 'ENOENT']);
    expect([await set(4, SERVICE), await set(4, SERVICE), await set(7, BOTH)]).toEqual(['ok', 'ESRCH', 'ESRCH']);
  });

  it.each([
    ['a wrong length', 2, SERVICE.subarray(1), 'EINVAL'],
    ['an option that is none', 1, SERVICE, 'EINVAL'],
    ['a length for flush', 5, SERVICE, 'EINVAL'],
    ['another protocol', 2, changed(SERVICE, 0, 1), 'EFAULT'],
    ['another protocol, by fwmark', 2, changed(changed(SERVICE, 0, 1), 12, 7), 'EFAULT'],
    ['an unknown scheduler', 2, changed(SERVICE, 16, 120), 'ENOENT'],
    ['a scheduler without its NUL', 2, changed(SERVICE, 16, ...Array(16).fill(97)), 'EINVAL'],
    ['a negative timeout', 10, hex('ffffffff 00000000 00000000'), 'EINVAL'],
    ['a daemon that is no master or backup', 11, new Uint8Array(24), 'EINVAL'],
    ['the same to stop', 12, new Uint8Array(24), 'EINVAL'],
    ['a daemon without an interface', 11, changed(new Uint8Array(24), 0, 1), 'EINVAL'],
  ] as const)('are refused with %s', async (_, option, bytes, code) => expect(await set(option, bytes)).toBe(code));

  it('zero everything when the service is empty', async () => {
    expect(await set(15, new Uint8Array(44))).toBe('ok');
    expect(await set(15, SERVICE)).toBe('ESRCH');
  });

  it('have their sizes', () => {
    expect([2, 7, 5, 10, 11].map((option) => sizeOfSet(SOCKOPT_BASE + option))).toEqual([44, 68, 0, 12, 24]);
    expect(sizeOfSet(SOCKOPT_BASE + 6)).toBeUndefined();
  });
});

describe('questions', () => {
  beforeEach(async () => {
    await set(2, SERVICE);
    await set(7, BOTH);
    await client.request({ op: 'addService', service: IPV6 });
  });

  it('give version, counts and timeouts', async () => {
    const version = await get(0, new Uint8Array(64));
    expect(Buffer.from(version.bytes).toString()).toBe('IP Virtual Server version 1.2.1 (size=4096)\0');
    expect(version.length).toBe(version.bytes.length);
    expect([...(await get(1, new Uint8Array(12))).bytes]).toEqual([1, 2, 1, 0, 0, 16, 0, 0, 1, 0, 0, 0]); // IPv4 only
    expect(Buffer.from((await get(6, new Uint8Array(12))).bytes).toString('hex')).toBe('84030000780000002c010000');
    expect((await get(7, new Uint8Array(48))).bytes.every((byte) => byte === 0)).toBe(true);
  });

  it('give services and destinations as entries', async () => {
    const { bytes, length } = await get(2, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0), 112);
    expect([bytes.length, length]).toEqual([112, 112]);
    const service = Buffer.from(bytes.subarray(8));
    expect(service.subarray(0, 12).toString('hex')).toBe('060000000a00000100500000');
    expect([service.readUInt32LE(32), service.readUInt32LE(36), service.readUInt32LE(44)]).toEqual([3, 300, 1]);
    expect(service.subarray(40, 44).toString('hex')).toBe('ffffff00');
    const dests = Buffer.from(
      (await get(4, Uint8Array.of(...SERVICE.subarray(0, 16), 1, 0, 0, 0, 0, 0, 0, 0), 120)).bytes,
    );
    expect(dests).toHaveLength(120);
    expect(dests.subarray(24, 30).toString('hex')).toBe('c0a801011f90');
    expect([dests.readUInt32LE(32), dests.readInt32LE(36), dests.readUInt32LE(40)]).toEqual([2, 3, 9]);
    expect((await get(3, changed(new Uint8Array(104), 0, ...SERVICE))).bytes).toHaveLength(104);
  });

  it('are refused: EINVAL for lengths, ESRCH, ENOPROTOOPT', async () => {
    expect(await outcome(get(2, Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0), 112))).toBe('EINVAL');
    expect(await outcome(get(1, new Uint8Array(12), 11))).toBe('EINVAL');
    expect(await outcome(get(3, new Uint8Array(104)))).toBe('ESRCH');
    expect(() => sizeOfGet(SOCKOPT_BASE + 5)).toThrow(new Refusal('EINVAL'));
    expect(() => sizeOfGet(SOCKOPT_BASE + 8)).toThrow(new Refusal('ENOPROTOOPT'));
  });
});

const IPV6 = {
  key: { protocol: 6, address: '2001:db8::1', port: 80 },
  scheduler: 'rr',
  flags: 0,
  timeout: 0,
  netmask: 128,
  pe: '',
};
