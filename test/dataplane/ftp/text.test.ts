/** Tests the text of FTP: commands of the client, answers of the server, rewritten addresses. */
import { describe, expect, it } from 'vitest';
import { Awaits, activeCommand, announce, passiveAnswer, passiveCommand } from '../../../src/dataplane/ftp/text.js';
import { format4, format6, parse4 } from '../../../src/wire/address.js';
import { Random } from '../../support/seed.js';
import { slowFind } from './reference.js';

function shown(found: { address: Int32Array | undefined; port: number } | undefined, family: number) {
  if (found === undefined) return undefined;
  const { address, port } = found;
  const text = address === undefined ? '' : family === 4 ? format4(address[3]!) : format6(address);
  return `${text} ${port}`;
}

describe('commands of the client', () => {
  it.each([
    ['PASV\r\n', 4, Awaits.pasv],
    ['pasv\r\n', 4, Awaits.pasv],
    ['NOOP\r\nPASV\r\n', 4, Awaits.pasv],
    ['PASV\n', 4, undefined],
    ['PASV\r\n', 6, undefined],
    ['EPSV\r\n', 4, Awaits.epsv],
    ['EPSV\r\n', 6, Awaits.epsv],
    ['EPSV 1\r\n', 4, Awaits.epsv],
    ['EPSV 2\r\n', 6, Awaits.epsv],
    ['EPSV 2\r\n', 4, Awaits.nothing],
    ['EPSV ALL\r\n', 4, Awaits.nothing],
    ['EPSV\r', 4, undefined],
    ['NOOP\r\n', 4, undefined],
    ['', 4, undefined],
  ])('%j over IPv%i', (text, family, awaits) => {
    expect(passiveCommand(text, family)).toBe(awaits);
  });

  it.each([
    ['PORT 10,0,0,1,78,32\r\n', 4, '10.0.0.1 20000'],
    ['port10,0,0,1,78,32\r\n', 4, '10.0.0.1 20000'],
    ['PORT 10,0,0,1,78,32', 4, undefined],
    ['PORT 10,0,0,1,78,256\r\n', 4, undefined],
    ['PORT 256,0,0,1,78,32\r\n', 4, undefined],
    ['PORT 10,0,0,1,78,32\r\n', 6, undefined],
    ['EPRT |1|10.0.0.1|65535|\r\n', 4, '10.0.0.1 65535'],
    ['EPRT |1|10.0.0.1|65536|\r\n', 4, undefined],
    ['EPRT |1|10.0.0.1|0|\r\n', 4, undefined],
    ['EPRT |1|10.0.0.256|20000|\r\n', 4, undefined],
    ['EPRT |2|2001:db8::1|20000|\r\n', 6, '2001:db8::1 20000'],
    ['EPRT |2|2001:db8::1|20000|\r\n', 4, undefined],
    ['EPRT |2|::ffff:10.0.0.1|20000|\r\n', 6, '::ffff:10.0.0.1 20000'],
    ['EPRT |||20000|\r\n', 4, undefined],
  ])('%j over IPv%i', (text, family, found) => {
    expect(shown(activeCommand(text, family), family)).toBe(found);
  });
});

describe('answers of the server', () => {
  it('says where the numbers stand', () => {
    const text = '227 Entering Passive Mode (192,168,1,11,117,49).\r\n';
    const { start, length } = passiveAnswer(text, 4, Awaits.pasv)!;
    expect(text.slice(start, start + length)).toBe('192,168,1,11,117,49');
    const extended = '229 ok (!1!192.168.1.11!30001!)\r\n';
    const found = passiveAnswer(extended, 4, Awaits.epsv)!;
    expect(extended.slice(found.start, found.start + found.length)).toBe('!1!192.168.1.11!30001!');
    expect(shown(found, 4)).toBe('192.168.1.11 30001');
  });

  it('only the awaited one is understood', () => {
    expect(passiveAnswer('227 (1,2,3,4,5,6)\r\n', 4, Awaits.epsv)).toBeUndefined();
    expect(passiveAnswer('229 (|||1|)\r\n', 4, Awaits.pasv)).toBeUndefined();
  });

  it('is written with the virtual address', () => {
    expect(announce(Awaits.pasv, parse4Sure('200.0.0.100'), 30001)).toBe('200,0,0,100,117,49');
    expect(announce(Awaits.epsv, 0, 30001)).toBe('|||30001|');
  });
});

const parse4Sure = (text: string) => parse4(text)!;

describe('random lines', () => {
  const GOOD = [
    'PORT 10,0,0,1,78,32\r\n',
    'EPRT |1|10.0.0.1|20000|\r\n',
    'EPRT |2|2001:db8::1|20000|\r\n',
    '227 Entering Passive Mode (192,168,1,11,117,49).\r\n',
    '229 Entering Extended Passive Mode (|||30001|)\r\n',
    '229 ok (|1|192.168.1.11|30001|)\r\n',
    '229 ok (|2|2001:db8::1|30001|)\r\n',
  ];
  const BITS = [...' |(,.:129x#)', '||', '((', '255', '256', '65535', '65536', '00', '\xff', '\0', '\r\n', ''];

  function line(random: Random): string {
    let text = random.pick(GOOD);
    for (let i = random.below(4); i > 0; i--) {
      const at = random.below(text.length + 1);
      text = text.slice(0, at) + random.pick(BITS) + text.slice(at + random.below(3));
    }
    return text;
  }
  const where = (found: { start: number; length: number } | undefined) => found && [found.start, found.length];

  it('are understood as a walk character by character understands them', () => {
    const random = new Random();
    let understood = 0;
    for (let round = 0; round < 60_000; round++) {
      const [text, family] = [line(random), random.pick([4, 6])];
      const port = family === 4 ? slowFind(text, 'PORT', ' ', false, false, 4) : undefined;
      const target = port ?? slowFind(text, 'EPRT', ' ', true, false, family);
      const slow227 = slowFind(text, '227 ', '(', false, false, family);
      const slow229 = slowFind(text, '229 ', '(', true, true, family);
      const [got227, got229] = [passiveAnswer(text, family, Awaits.pasv), passiveAnswer(text, family, Awaits.epsv)];
      const got = [activeCommand(text, family), got227, got229].map((found) => shown(found, family));
      const wanted = [target, slow227, slow229].map((found) => shown(found, family));
      const told = JSON.stringify([got, where(got227), where(got229)]);
      const want = JSON.stringify([wanted, where(slow227), where(slow229)]);
      if (told !== want) expect({ seed: random.seed, round, text, family, told }).toEqual({ told: want });
      if (wanted.some((one) => one !== undefined)) understood++;
    }
    expect(understood).toBeGreaterThan(10_000);
  });
});
