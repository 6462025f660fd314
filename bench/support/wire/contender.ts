/**
 * Who carries the flood from one wire to the other, each started for one round and ended after it:
 *
 *     client ═► eth0 : contender : eth1 ═► realserver        the flood's CPU | the contender's CPU
 */
import type { Testbed } from '../../../src/lab/flood/testbed.js';

export interface Contender {
  readonly name: string;
  readonly tap: boolean;
  /** Resolves when it forwards, with the pid of the process that does (0: none). It ends with the bed. */
  start(testbed: Testbed): Promise<number>;
}
