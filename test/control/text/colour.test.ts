/** Colour is for terminals that want it. */
import { WriteStream } from 'node:tty';
import { describe, expect, it } from 'vitest';
import { coloured, tick } from '../../../src/control/text/colour.js';

const terminal = { isTTY: true, hasColors: () => true };
/** What Node.js says of a terminal with this variable. */
const noColor = { isTTY: true, hasColors: () => WriteStream.prototype.hasColors({ TERM: 'xterm', NO_COLOR: '1' }) };

describe('colour', () => {
  it('is on a terminal', () => {
    expect(coloured('yellow', 'words', terminal)).toBe('\x1b[33mwords\x1b[39m');
    expect([tick(true, terminal), tick(false, terminal)]).toEqual(['\x1b[32m✔\x1b[39m', '\x1b[31m✘\x1b[39m']);
  });

  it('is not in a pipe, a file, or with NO_COLOR', () => {
    for (const out of [{}, { isTTY: false }, noColor]) {
      expect(coloured('red', 'words', out)).toBe('words');
      expect([tick(true, out), tick(false, out)]).toEqual(['✔', '✘']);
    }
  });
});
