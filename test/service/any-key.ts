/** Random keys of an address index. */
import type { Random } from '../support/seed.js';

export type Key = readonly [a0: number, a1: number, a2: number, a3: number, protocol: number, port: number];

export function anyKey(random: Random): Key {
  const v6 = random.below(4) === 0;
  const [a0, a1, a2] = v6 ? [0x20010db8, random.below(3), 0] : [0, 0, 0];
  return [a0!, a1!, a2!, 0x0a000000 + random.below(40), [6, 17][random.below(2)]!, random.below(20)];
}
