import { describe, expect, it } from 'vitest';
import { FilterError, parseFilter } from '../../../src/control/server/trace-filter.js';
import { PacketInfo } from '../../../src/dataplane/parse/packet.js';
import { parse } from '../../../src/dataplane/parse/parse.js';
import { passes } from '../../../src/dataplane/trace/filter.js';
import { packet } from '../../support/packet.js';
import { Random } from '../../support/seed.js';

const MACS = ['02:00:00:00:0d:00', '02:00:00:00:c0:01'] as const;

function info(bytes: Uint8Array): PacketInfo {
  const p = new PacketInfo();
  parse(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.length, p);
  return p;
}

const syn = info(
  packet()
    .eth(...MACS)
    .ipv4({ src: '10.0.0.1', dst: '10.0.0.100' })
    .tcp({ sport: 40001, dport: 80, flags: 'S' })
    .bytes(),
);
const dns6 = info(
  packet()
    .eth(...MACS)
    .ipv6({ src: '2001:db8::1', dst: '2001:db8::53' })
    .udp({ sport: 5353, dport: 53 })
    .bytes(),
);
const ping = info(
  packet()
    .eth(...MACS)
    .ipv4({ src: '10.0.0.1', dst: '10.0.0.100' })
    .icmp({ type: 8 })
    .bytes(),
);

describe('parseFilter and passes', () => {
  it.each([
    ['', true, true, true],
    ['tcp', true, false, false],
    ['udp', false, true, false],
    ['icmp', false, false, true],
    ['ip6', false, true, false],
    ['ip and not tcp', false, false, true],
    ['host 10.0.0.1', true, false, true],
    ['10.0.0.100', true, false, true],
    ['dst host 10.0.0.1', false, false, false],
    ['src net 10.0.0.0/8', true, false, true],
    ['net 2001:db8::/32', false, true, false],
    ['port 80', true, false, false],
    ['src port 80', false, false, false],
    ['portrange 50-60', false, true, false],
    ['tcp dst port 80 or udp port 53', true, true, false],
    ['not (tcp or udp)', false, false, true],
    ['!tcp && ip', false, false, true],
    ['tcp and port 80 or udp', true, true, false],
    ['arp', false, false, false],
  ])('%s', (text, onSyn, onDns6, onPing) => {
    const filter = parseFilter(text);
    expect([syn, dns6, ping].map((p) => passes(filter, p))).toEqual([onSyn, onDns6, onPing]);
  });

  it.each([
    ['tcp prt 80', 'filter: "prt" is not expected here'],
    ['port', 'filter: something must follow "port"'],
    ['port 70000', 'filter: "70000" is not a port from 0 to 65535'],
    ['portrange 9-2', 'filter: "9-2" is not a port from 0 to 65535'],
    ['(tcp', 'filter: a ")" is missing'],
    ['host 10.0.0.0/8', /is not an address and not one of the words/],
    ['not', 'filter: something must follow "host"'],
  ])('%s is refused', (text, message) => {
    expect(() => parseFilter(text)).toThrow(message);
  });

  it('never throws anything but a FilterError', () => {
    const random = new Random();
    const words = [
      'tcp',
      'port',
      '80',
      '(',
      ')',
      'not',
      'or',
      'and',
      'net',
      '10.0.0.0/8',
      'src',
      '',
      '!',
      '::',
      '-1',
      '𝕏',
    ];
    for (let i = 0; i < 2000; i++) {
      const text = Array.from({ length: random.below(8) }, () => words[random.below(words.length)]).join(' ');
      try {
        passes(parseFilter(text), syn);
      } catch (error) {
        expect(error, text).toBeInstanceOf(FilterError);
      }
    }
  });
});
