/** The key sync of director.yaml: daemons of connection synchronisation. */
import { formatIp, parseIp } from '../text/prefix.js';
import { mapping, value, words } from './builders.js';
import { deviceName, notA, shown, text, Wrong, whole } from './scalars.js';

function group(raw: unknown): string {
  const ip = typeof raw === 'string' ? parseIp(raw) : undefined;
  if (!ip) throw notA(raw, 'a multicast address such as 224.0.0.81');
  const canonical = formatIp(ip);
  const isMulticast = ip.family === 6 ? canonical.startsWith('ff') : Number.parseInt(canonical, 10) >> 4 === 14;
  if (!isMulticast) throw new Wrong(`${shown(raw)} is not a multicast address`);
  return canonical;
}

const daemon = (role: string) =>
  mapping('a mapping such as { interface: eth1, syncid: 1 }', {
    interface: value(deviceName).register(words, {
      type: 'name of a network interface',
      text: `Interface by which the ${role} reaches the group. It need not be a device of the director.`,
      example: 'eth1',
    }),
    syncid: value(whole(0, 255)).prefault(0).register(words, {
      type: '0 to 255',
      text: 'Number of the group of directors. A backup with 0 takes the messages of every number.',
      example: '1',
    }),
    group: value(group).optional().register(words, {
      type: 'IPv4 or IPv6 multicast address',
      text: 'Address of the group.',
      example: '239.1.2.3',
      without: '224.0.0.81',
    }),
    port: value(whole(1, 65_535)).optional().register(words, {
      type: '1 to 65535',
      text: 'UDP port of the group. With sysctl sync_ports the next ones are used, too.',
      example: '8850',
      without: '8848',
    }),
    ttl: value(whole(1, 255)).optional().register(words, {
      type: '1 to 255',
      text: 'TTL or hop limit of the messages.',
      example: '5',
      without: '1',
    }),
    maxlen: value(whole(1, 65_507)).optional().register(words, {
      type: 'bytes, 1 to 65507',
      text: 'Longest message. The longest that a backup takes is 1024 at least.',
      example: '1452',
      without: '1472 (IPv6: 1452); a backup takes what fits the MTU of its interface',
    }),
  });

export const sync = mapping('a mapping such as { master: { interface: eth1 }, backup: { interface: eth1 } }', {
  master: daemon('master').optional().register(words, {
    type: 'mapping',
    text: 'Sends the connections of this director to the group.',
    example: '{ interface: eth1, syncid: 1 }',
    without: 'the director sends nothing',
  }),
  backup: daemon('backup').optional().register(words, {
    type: 'mapping',
    text: 'Takes the connections of the other directors of the group.',
    example: '{ interface: eth1, syncid: 1 }',
    without: 'the director takes nothing',
  }),
  key: value(text('a text, the key of the group'))
    .optional()
    .register(words, {
      type: 'text',
      text:
        'Key of the group. Messages are signed with it (HMAC-SHA-256), and others are dropped. ' +
        'Every director of the group must be ulvs then, with the same key.',
      example: '"a long secret"',
      without: 'messages are those of the kernel, and not signed',
    }),
  delay: value(whole(10, 60_000)).prefault(2000).register(words, {
    type: 'milliseconds, 10 to 60000',
    text: 'Age at which a message leaves that is not full. The default is the delay of the kernel.',
    example: '100',
  }),
});
