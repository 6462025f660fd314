/** Tests the schedulers that compare loads. */
import { describe, expect, it } from 'vitest';
import { Stand } from './service.js';

/**
 * The chosen destination of a, b, c …. Each is given as `weight:active+inactive`, with `!` when
 * overloaded. The newest is first in the list.
 */
function chosen(scheduler: string, loads: string): string {
  const rows = loads.split(' ').map((text) => {
    const [weight, active, inactive = 0] = text.replace('!', '').split(/[:+]/).map(Number);
    return { weight: weight!, active: active!, inactive, overloaded: text.endsWith('!') };
  });
  const stand = new Stand(
    scheduler,
    rows.map(({ weight }) => weight),
  );
  rows.forEach(({ active, inactive, overloaded }, i) => {
    const name = String.fromCharCode(97 + i);
    stand.load(name, active, inactive);
    stand.dest(name).overloaded = overloaded;
  });
  return stand.choose();
}

const TABLES: Readonly<Record<string, [why: string, loads: string, chosen: string][]>> = {
  lc: [
    ['all idle: the newest', '1:0 9:0 1:0', 'c'],
    ['weights do not count', '1:1 100:2', 'a'],
    ['256 inactive weigh as much as one active: the newer one', '1:1 1:0+256', 'b'],
    ['257 weigh more', '1:1 1:0+257', 'a'],
    ['the quiesced and the overloaded do not count', '0:0 1:9 1:1!', 'b'],
    ['nobody', '0:0 1:0!', '-'],
  ],
  wlc: [
    ['least per weight', '1:1 3:2', 'b'],
    ['a tie: the newest', '1:1 2:2 4:4', 'c'],
    ['idle: the newest, not the heaviest', '9:0 1:0', 'b'],
    ['inactive ones count a 256th', '1:0+255 1:1', 'a'],
    ['the quiesced and the overloaded do not count', '0:0 1:9 1:1!', 'b'],
    ['huge weights without overflow', '2147483647:1000 2147483646:1001', 'a'],
  ],
  sed: [
    ['idle: the heaviest', '9:0 1:0 3:0', 'a'],
    ['(active + 1) per weight', '3:2 2:0', 'b'],
    ['a tie: the newest', '4:3 2:1', 'b'],
    ['inactive ones do not count', '1:0+1000 1:1', 'a'],
    ['the quiesced and the overloaded do not count', '0:0 1:9 1:1!', 'b'],
    ['huge weights without overflow', '2147483647:5 1:0', 'a'],
  ],
  nq: [
    ['the first idle one, however slow', '1:0 9:1', 'a'],
    ['of idle ones the newest', '9:0 1:0', 'b'],
    ['nobody idle: as sed', '9:1 1:1', 'a'],
    ['idle but overloaded', '9:1 1:0!', 'a'],
    ['idle but quiesced', '9:1 0:0', 'a'],
    ['nobody', '0:0', '-'],
  ],
  fo: [
    ['the highest weight', '3:99 5:1000 1:0', 'b'],
    ['a tie: the newest', '5:0 5:0', 'b'],
    ['the next when that is overloaded', '3:0 5:0! 1:0', 'a'],
    ['nobody', '0:0 0:0', '-'],
  ],
  ovf: [
    ['the highest weight, as many as its weight and one', '3:0 5:5', 'b'],
    ['then the next', '3:0 5:6', 'a'],
    ['nobody when all are full', '3:4 5:6', '-'],
    ['inactive ones do not count', '3:0 5:5+100', 'b'],
    ['a tie: the newest', '5:0 5:5', 'b'],
    ['the quiesced and the overloaded do not count', '0:0 9:0! 1:1', 'c'],
  ],
};

for (const [scheduler, rows] of Object.entries(TABLES))
  describe(scheduler, () => {
    it.each(rows)('%s', (_why, loads, who) => {
      expect(chosen(scheduler, loads)).toBe(who);
    });
  });
