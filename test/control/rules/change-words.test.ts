/** Changes of settings in words: of a mapping only the keys that differ. */
import { expect, it } from 'vitest';
import { parseConfig } from '../../../src/control/config/config.js';
import { settingsOf } from '../../../src/control/config/director-config.js';
import { settingsInWords } from '../../../src/control/rules/change-words.js';

function changed(before: string, after: string): string[] {
  const read = (text: string) => settingsOf(parseConfig(`devices: [{ name: eth0 }]\n${text}`, 'director.yaml'));
  return settingsInWords(read(before), read(after));
}

it.each([
  ['', 'accept: { arp: true }', ['accept.arp false -> true']],
  ['accept: { ranges: [10.9.0.0/16] }', 'accept: { ranges: [] }', ['accept.ranges ["10.9.0.0/16"] -> []']],
  ['', 'helpers: { ftp: [21, 2121] }', ['helpers.ftp [21] -> [21,2121]']],
  ['', 'timeouts: { tcp: 60 }', ['timeouts.tcp 900 -> 60']],
  ['accept: { arp: true }', 'accept: { arp: true }', []],
])('from "%s" to "%s"', (before, after, words) => {
  expect(changed(before, after)).toEqual(words);
});

it('has lists as a whole', () => {
  expect(changed('', 'snat: [ { from: 192.168.1.0/24, to: 10.0.0.100 } ]')).toEqual([
    'snat [] -> [{"from":"192.168.1.0/24","to":"10.0.0.100"}]',
  ]);
});
