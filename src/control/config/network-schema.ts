/**
 * Entries of director.yaml about the network: devices, routes, policy rules, neighbours, snat,
 * accept.
 */

import { AUTO, type DeviceOption, deviceChoices, kindsWith, PLAIN_KIND } from '../../device/kinds.js';
import { isIPv6 } from '../../wire/address.js';
import { parseMarkValue } from '../mark/words.js';
import { list, mapping, oneOf, value, words } from './builders.js';
import {
  autoOrOff,
  deviceName,
  flag,
  hostAddress,
  hostAddress4,
  mac,
  network,
  notA,
  ownAddress,
  whole,
} from './scalars.js';

const TABLES: Readonly<Record<string, number>> = { main: 254, default: 253, local: 255 };

function table(raw: unknown): number {
  if (typeof raw === 'string' && Object.hasOwn(TABLES, raw)) return TABLES[raw]!;
  return whole(1, 0xffff_ffff, 'main or a table number')(raw);
}

/** The kinds that read a key. */
function readersOf(option: DeviceOption): string {
  return kindsWith(({ options }) => options.includes(option)).join(' or ');
}

export const device = mapping('a mapping such as { name: eth0 }', {
  name: value(deviceName).register(words, {
    type: 'name of a network interface',
    text: 'Interface that the director uses. A tap with this name is created.',
    example: 'eth0',
  }),
  kind: oneOf(deviceChoices())
    .prefault(AUTO)
    .register(words, {
      type: deviceChoices().join(', '),
      text: `How frames are received and sent. auto takes the first kind that works on the interface: ${kindsWith(({ auto }) => auto).join(', ')}.`,
      example: PLAIN_KIND,
    }),
  mac: value(mac)
    .optional()
    .register(words, {
      type: 'MAC address',
      text: `MAC address of a ${readersOf('mac')} and of a replayed device. Other kinds use the address of the interface.`,
      example: '02:00:00:00:0d:00',
      without: 'a random local address for a tap',
    }),
  addresses: list('10.0.0.254/24', value(ownAddress))
    .default([])
    .register(words, {
      type: 'list of IPv4 or IPv6 addresses with prefix length',
      text: `Addresses of a ${readersOf('addresses')} and of a replayed device. Other kinds use the addresses of the interface.`,
      example: '[10.0.0.254/24]',
    }),
  mtu: value(whole(68, 65_535))
    .prefault(1500)
    .register(words, {
      type: 'bytes, 68 to 65535',
      text: `MTU of a ${readersOf('mtu')} and of a replayed device. Other kinds use the MTU of the interface.`,
      example: '9000',
    }),
  promiscuous: value(flag)
    .prefault(false)
    .register(words, {
      type: 'true or false',
      text: `Receives frames for other MAC addresses, too. Read by kind ${readersOf('promiscuous')}.`,
      example: 'true',
    }),
  gso: value(autoOrOff)
    .prefault('auto')
    .register(words, {
      type: 'auto or off',
      text: `Forwards GSO packets of up to 64 KiB in one piece where it can (docs/bulk.md); off cuts each when it is received. Read by kind ${readersOf('gso')}.`,
      example: 'off',
    }),
});

export const route = mapping('a mapping such as { to: 0.0.0.0/0, via: 10.0.0.1, dev: eth0 }', {
  to: value((raw) => (raw === 'default' ? raw : network(raw))).register(words, {
    type: 'IPv4 or IPv6 prefix, or default',
    text: 'Network that the route leads to. default is 0.0.0.0/0, or ::/0 when via or src is IPv6.',
    example: '172.16.0.0/12',
  }),
  via: value(hostAddress).optional().register(words, {
    type: 'IPv4 or IPv6 address',
    text: 'Router. It must be on a network of dev, unless onlink is true.',
    example: '10.0.0.1',
    without: 'the network is on the segment of dev',
  }),
  dev: value(deviceName).register(words, {
    type: 'name of a device of this file',
    text: 'Device that packets leave by.',
    example: 'eth0',
  }),
  src: value(hostAddress).optional().register(words, {
    type: 'IPv4 or IPv6 address of a device',
    text: 'Source address of packets that the director itself sends by this route.',
    example: '10.0.0.254',
    without: 'an address of dev',
  }),
  table: value(table).prefault('main').register(words, {
    type: 'main, default, local, or 1 to 4294967295',
    text: 'Routing table that holds the route. policy selects tables.',
    example: '100',
  }),
  mtu: value(whole(68, 65_535)).optional().register(words, {
    type: 'bytes, 68 to 65535',
    text: 'MTU of the route.',
    example: '1400',
    without: 'the MTU of dev',
  }),
  onlink: value(flag).prefault(false).register(words, {
    type: 'true or false',
    text: 'States that via is on the segment of dev though no address of dev is in its network.',
    example: 'true',
  }),
}).transform((entry) => ({ ...entry, to: entry.to === 'default' ? defaultOf(entry.via ?? entry.src) : entry.to }));

function defaultOf(address = ''): string {
  return isIPv6(address) ? '::/0' : '0.0.0.0/0';
}

function markAndMask(raw: unknown): { value: number; mask: number } {
  const mark = typeof raw === 'number' || typeof raw === 'string' ? parseMarkValue(String(raw)) : undefined;
  if (!mark) throw notA(raw, 'a mark such as 1 or 0x10/0xf0');
  return { value: mark[0], mask: mark[1] ?? 0xffff_ffff };
}

export const policy = mapping('a mapping such as { priority: 100, from: 10.0.0.100, table: 100 }', {
  priority: value(whole(0, 0xffff_ffff)).register(words, {
    type: '0 to 4294967295',
    text: 'Rules are tried in the order of priority, the lowest number first. 0 is the local table, 32766 is main.',
    example: '100',
  }),
  table: value(table).register(words, {
    type: 'main, default, local, or 1 to 4294967295',
    text: 'Routing table that a matching packet is looked up in.',
    example: '100',
  }),
  from: value(network).optional().register(words, {
    type: 'IPv4 or IPv6 prefix',
    text: 'The rule matches packets from this network.',
    example: '10.0.0.100',
    without: 'any source',
  }),
  to: value(network).optional().register(words, {
    type: 'IPv4 or IPv6 prefix',
    text: 'The rule matches packets to this network.',
    example: '10.8.0.0/16',
    without: 'any destination',
  }),
  iif: value(deviceName).optional().register(words, {
    type: 'name of a device of this file',
    text: 'A rule with this key never matches: it is about packets that come in by a device, and the director routes only its own packets.',
    example: 'eth0',
    without: 'any device',
  }),
  mark: value(markAndMask).optional().register(words, {
    type: 'mark, or mark/mask',
    text: 'The rule matches packets whose fwmark, under the mask, is this one.',
    example: '0x10/0xf0',
    without: 'any mark',
  }),
});

export const neighbour = mapping('a mapping such as { ip: 10.0.0.1, dev: eth0, mac: 02:00:00:00:0a:01 }', {
  ip: value(hostAddress).register(words, {
    type: 'IPv4 or IPv6 address',
    text: 'Address of the neighbour.',
    example: '10.0.0.1',
  }),
  dev: value(deviceName).register(words, {
    type: 'name of a device of this file',
    text: 'Device whose segment the neighbour is on.',
    example: 'eth0',
  }),
  mac: value(mac).register(words, {
    type: 'MAC address',
    text: 'MAC address of the neighbour.',
    example: '02:00:00:00:0a:01',
  }),
});

export const snat = mapping('a mapping such as { from: 192.168.1.0/24, to: 10.0.0.100, dev: eth0 }', {
  from: value(network).register(words, {
    type: 'IPv4 or IPv6 prefix',
    text: 'Network whose packets get another source address.',
    example: '192.168.1.0/24',
  }),
  to: value(hostAddress).register(words, {
    type: 'IPv4 or IPv6 address',
    text:
      'Source address that the packets get, of the same family as from. If no interface has it, the director answers ARP ' +
      'for it, also without accept.arp.',
    example: '10.0.0.100',
  }),
  dev: value(deviceName).optional().register(words, {
    type: 'name of a device of this file',
    text: 'The rule applies to packets that leave by this device.',
    example: 'eth0',
    without: 'any device but the one that the packet came in by',
  }),
});

export const accept = mapping('a mapping such as { arp: true, ranges: [10.9.0.0/16] }', {
  arp: value(flag)
    .prefault(false)
    .register(words, {
      type: 'true or false',
      text:
        'Answers ARP requests and neighbour solicitations for the ranges, and for VIPs of services that no interface has. ' +
        'When false, a router must send their packets here. For accept.sources and snat[].to it answers in both cases.',
      example: 'true',
    }),
  icmp: value(flag).prefault(true).register(words, {
    type: 'true or false',
    text: 'Answers pings to the ranges and sends ICMP errors from them. When false, they are silent as in the kernel.',
    example: 'false',
  }),
  ranges: list('10.9.0.0/16', value(network))
    .default([])
    .register(words, {
      type: 'list of IPv4 or IPv6 prefixes',
      text:
        'Packets to these networks are for the director, though no interface has the address. Services by fwmark need it. ' +
        'The VIPs of other services are accepted without it.',
      example: '[10.9.0.0/16]',
    }),
  forwardShared: list('eth1', value(deviceName))
    .default([])
    .register(words, {
      type: 'list of names of devices of this file',
      text:
        'Packets that come in by these devices from a VIP of an interface of the director are routed, not dropped as ' +
        'martians. Use it where the director is the router of its DR realservers (HOWTO 7.5.2).',
      example: '[eth0]',
    }),
  sources: list('192.168.1.240', value(hostAddress4)).default([]).register(words, {
    type: 'list of IPv4 addresses',
    text: 'Source addresses of full NAT (ulvsadm --full-nat). No interface may have them. The director answers ARP for them.',
    example: '[192.168.1.240]',
  }),
  toa: value(flag).prefault(true).register(words, {
    type: 'true or false',
    text: 'Full NAT adds the TCP option TOA (kind 254) with the address and port of the client.',
    example: 'false',
  }),
});
