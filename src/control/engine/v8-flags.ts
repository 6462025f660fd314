/**
 * Flags of V8 for the packet path. They hold for the whole process, so that the core does not set
 * them.
 */
import { setFlagsFromString } from 'node:v8';

/**
 * Bytes of bytecode that V8 may inline into one function (920 by default): a loop over a batch with
 * all that it calls. Calls of small functions otherwise take up to a third of the time.
 */
const INLINING = '--max-inlined-bytecode-size-cumulative=4500';

/** Sets the flags. Call it before the first packet: functions already compiled keep their code. */
export function setPacketPathFlags(): void {
  setFlagsFromString(INLINING);
}
