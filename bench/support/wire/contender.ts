/**
 * A contender forwards the flood from one veth to the other. It is started for one round and
 * stopped after it.
 *
 *     client ═► eth0 : contender : eth1 ═► realserver        the flood's CPU | the contender's CPU
 */
import type { Testbed } from '../../../src/lab/flood/testbed.js';

export interface Contender {
  readonly name: string;
  readonly tap: boolean;
  /** The flood is TCP from the realserver to the clients, of connections that clients opened. */
  readonly replies?: boolean;
  /** The flood is counted by XDP, as near to a NIC as a veth gets: no skb is made for the sink. */
  readonly xdpSink?: boolean;
  /**
   * Resolves when the contender forwards, with the pid of its process (0: none). It ends with the
   * testbed.
   */
  start(testbed: Testbed): Promise<number>;
  /** Ends what does not end with the testbed. */
  stop?(): void;
}
