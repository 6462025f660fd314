import { describe, expect, it } from 'vitest';
import { ENGINE_NAMES, engineNamed, engineNumbered } from '../../src/persistence/index.js';
import { sip } from '../../src/persistence/sip.js';
import { Random } from '../support/seed.js';

const UDP = 17;
/** Something in front of the datagram and behind it: offsets count, and what is beyond is not the packet's. */
const FRONT = 'Call-ID: before\r\n';
const BEHIND = '\r\nCall-ID: beyond@end\r\n\r\n';

/** The Call-ID that is found in a datagram with this text, undefined if none is. */
function callId(text: string, { protocol = UDP, quoted = false } = {}): string | undefined {
  const bytes = Buffer.from(`${FRONT}8 bytes.${text}${BEHIND}`, 'latin1');
  const dialogue = { at: 0, length: 0 };
  const found = sip.find(bytes, { protocol, quoted, l4: FRONT.length, l4len: 8 + text.length }, dialogue);
  return found ? bytes.toString('latin1', dialogue.at, dialogue.at + dialogue.length) : undefined;
}

function invite(header: string): string {
  return `INVITE sip:bob SIP/2.0\r\nVia: x\r\n${header}\r\nCSeq: 1 INVITE\r\n\r\n`;
}

/** What the kernel made of each is recorded in test/conformance/sip-headers; here, which bytes it is exactly. */
describe('the Call-ID of a message', () => {
  it.each([
    ['Call-ID: plain@host', 'plain@host'],
    ['call-id :\tplain@host', 'plain@host'],
    ['i:short', 'short'],
    ['Call-ID:\r\n  folded', 'folded'],
    ['Subject: y\r\n Call-ID: of the subject\r\nCall-ID: real', 'real'],
    ['Identity: y\r\nCall-ID: other', 'other'],
    ['Call-ID: user@\r\nCall-ID: behind', 'behind'],
    [`Call-ID: ${'l'.repeat(255)}`, 'l'.repeat(255)],
    ['Call-ID: caf\u00e9', 'caf\u00e9'],
  ])('%j', (header, found) => {
    expect(callId(invite(header))).toBe(found);
  });

  it.each([
    'Via: y',
    'Call-ID plain',
    'Call-IDs: plain',
    'Call-ID:',
    'Call-ID: two words',
    'Call-ID: @host',
    'Call-ID: a@b@c',
    'i-dent: y\r\nCall-ID: hidden',
    `Call-ID: ${'l'.repeat(256)}`,
    'Call-ID: sign\u00d7',
  ])('is not in %j', (header) => {
    expect(callId(invite(header))).toBeUndefined();
  });

  it('is not taken from beyond the datagram', () => {
    for (const text of [
      '',
      'x',
      'x\r',
      'x\r\n',
      'x\r\nCall-ID',
      'x\r\nCall-ID:',
      'x\r\nCall-ID: cut',
      'x\r\ni',
      'x\r\ni:',
    ])
      expect(callId(text)).toBeUndefined();
  });

  it('is asked of UDP only, and not of what an ICMP error quotes', () => {
    const text = invite('Call-ID: here');
    expect(callId(text)).toBe('here');
    expect(callId(text, { protocol: 6 })).toBeUndefined();
    expect(callId(text, { quoted: true })).toBeUndefined();
  });

  it('comes to an end with any bytes, and lies within them', () => {
    const random = new Random();
    const pieces = [
      '\r\nCall-ID: ',
      'Call-ID',
      'i',
      'I',
      ':',
      ' ',
      '\t',
      '\r',
      '\n',
      '\r\n',
      'a',
      '@',
      'b@c',
      '\u00e9',
      '-',
      'l'.repeat(200),
    ];
    let found = 0;
    for (let round = 0; round < 20_000; round++) {
      const text = Array.from({ length: random.below(16) }, () => random.pick(pieces)).join('');
      const id = callId(text);
      if (id === undefined) continue;
      found++;
      expect(text).toContain(id);
      expect(id).toMatch(/^[^\s@]+(@[^\s@]+)?$/);
      expect(id.length).toBeLessThanOrEqual(255);
    }
    expect(found).toBeGreaterThan(200);
  });
});

describe('the list of engines', () => {
  it('finds them by name and by number', () => {
    for (const name of ENGINE_NAMES) expect(engineNumbered(engineNamed(name)?.number ?? 0)?.name).toBe(name);
    expect(new Set(ENGINE_NAMES.map((name) => engineNamed(name)?.number)).size).toBe(ENGINE_NAMES.length);
    expect(engineNamed('')).toBeUndefined();
  });
});
