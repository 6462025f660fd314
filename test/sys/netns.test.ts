/** inNetns: a function inside another network namespace. */
import { readlinkSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SystemError } from '../../src/sys/libc.js';
import { inNetns } from '../../src/sys/netns.js';
import { isRoot, Namespaces } from '../support/netns.js';

if (!isRoot) console.log('netns: skipped, needs root for namespaces');

describe.skipIf(!isRoot)('inNetns', () => {
  const where = () => readlinkSync('/proc/thread-self/ns/net');
  const spaces = new Namespaces('ns');
  let name: string;

  beforeAll(() => {
    name = spaces.add('a');
  });
  afterAll(() => spaces.remove());

  it('works inside, by name and by path, and comes back', () => {
    const home = where();
    const there = inNetns(name, where);
    expect(there).not.toBe(home);
    expect(inNetns(`/run/netns/${name}`, where)).toBe(there);
    // The parent's, as /proc/self follows this very thread.
    expect(inNetns(name, () => inNetns(`/proc/${process.ppid}/ns/net`, where))).toBe(home);
    expect(inNetns(name, () => inNetns(name, where))).toBe(there);
    expect(where()).toBe(home);
  });

  it('comes back after an error', () => {
    const home = where();
    expect(() =>
      inNetns(name, () => {
        throw new RangeError('inside');
      }),
    ).toThrow('inside');
    expect(where()).toBe(home);
  });

  it('names the namespace that does not exist', () => {
    const home = where();
    expect(() => inNetns('nosuch', where)).toThrow(SystemError);
    expect(() => inNetns('nosuch', where)).toThrow('open /run/netns/nosuch: ENOENT');
    expect(() => inNetns('/proc/self/status', where)).toThrow('setns: EINVAL');
    expect(where()).toBe(home);
  });
});
