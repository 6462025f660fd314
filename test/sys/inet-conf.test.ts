/** setInetConf: sysctls of one interface by netlink, read back by the file of each. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { INET_CONF, type InetConf, setInetConf } from '../../src/sys/inet-conf.js';
import { ifNameToIndex, SystemError } from '../../src/sys/libc.js';
import { isRoot, Namespaces } from '../support/netns.js';

if (!isRoot) console.log('inet-conf: skipped, needs root for namespaces');

describe.skipIf(!isRoot)('setInetConf', () => {
  const spaces = new Namespaces('conf');
  let name: string;
  const read = (key: string, of = 'd0') => spaces.run(name, `sysctl -n net.ipv4.conf.${of}.${key}`).trim();

  beforeAll(() => {
    name = spaces.add('a');
    spaces.run(name, 'ip link add d0 type veth peer name d1');
  });
  afterAll(() => spaces.remove());

  it.each(Object.keys(INET_CONF) as InetConf[])('sets %s on one interface', (key) => {
    const [before, other] = [read(key), read(key, 'd1')];
    const wanted = before === '1' ? 0 : 1;
    spaces.inside(name, () => setInetConf(ifNameToIndex('d0'), { [key]: wanted }));
    expect(read(key)).toBe(String(wanted));
    expect(read(key, 'd1')).toBe(other);
  });

  it('sets several at once', () => {
    spaces.inside(name, () => setInetConf(ifNameToIndex('d0'), { rp_filter: 2, accept_local: 1 }));
    expect([read('rp_filter'), read('accept_local')]).toEqual(['2', '1']);
  });

  it('names the error of the kernel', () => {
    const absent = () => spaces.inside(name, () => setInetConf(4711, { rp_filter: 1 }));
    expect(absent).toThrow(SystemError);
    expect(absent).toThrow('RTM_NEWLINK: ENODEV');
  });
});
