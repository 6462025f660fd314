/** What other programs print in another form than expected; the fuzz target `doctor` found these. */
import { describe, expect, it } from 'vitest';
import { findDrop } from '../../src/doctor/firewall.js';
import { parseFirewall, parseLinks, parsePolicy, parseRoutes } from '../../src/doctor/parse.js';
import { CommandError } from '../../src/sys/command.js';

describe("other programs' output", () => {
  it.each([
    ['cut in the middle', () => parseLinks('[{"ifname":"eth0"'), 'ip -d -j address: not JSON'],
    ['an item without addresses', () => parseLinks('[{}]'), 'ip -d -j address: its JSON has another form: 0.ifname'],
    ['null', () => parseRoutes('[null]'), 'ip -j route: its JSON has another form: 0:'],
    ['a route without a destination', () => parseRoutes('[{"dev":"eth0"}]'), '0.dst'],
    [
      'a rule whose prefix is too long',
      () => parsePolicy('[{"priority":0,"src":"all","srclen":999,"table":1}]'),
      '0.srclen',
    ],
    ['no ruleset', () => parseFirewall('{}'), 'nft -j list ruleset: its JSON has another form: nftables'],
    ['a word of JSON', () => parseFirewall('true'), 'nft -j list ruleset'],
  ])('%s is an error of one line', (_, parse, words) => {
    expect(parse).toThrow(CommandError);
    expect(parse).toThrow(words);
  });

  it.each([
    ['null', 'null'],
    ['without a left side', '{"op":"=="}'],
    ['of raw payload', '{"op":"==","left":{"payload":{"base":"th","offset":0,"len":16}},"right":80}'],
    ['of a set that is none', '{"op":"==","left":{"payload":{"protocol":"tcp","field":"dport"}},"right":{"set":7}}'],
  ])('a match that is %s counts as not met', (_, match) => {
    const chain = '{"chain":{"family":"inet","table":"t","name":"c","hook":"input"}}';
    const rule = `{"rule":{"family":"inet","table":"t","chain":"c","handle":1,"expr":[{"match":${match}},{"drop":null}]}}`;
    const chains = parseFirewall(`{"nftables":[${chain},${rule}]}`);
    expect(chains[0]!.rules).toHaveLength(1);
    const packet = { six: false, words: '', fields: { 'tcp dport': 80 }, protocol: 'tcp' };
    expect(findDrop(chains, 'input', packet)).toBeUndefined();
  });
});
