/** What the process that runs a dataplane asks of V8. The flags are of the whole process, so the core does not set them. */
import { setFlagsFromString } from 'node:v8';

/**
 * How much bytecode V8 may inline into one function (its own limit is 920): a loop over a batch with all that it calls. Calls
 * of small functions otherwise cost up to a third of the time.
 */
const INLINING = '--max-inlined-bytecode-size-cumulative=3000';

/** Call once before the first packet; functions that are compiled already keep their code. */
export function setPacketPathFlags(): void {
  setFlagsFromString(INLINING);
}
