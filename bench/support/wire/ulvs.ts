/** ulvs as a contender: `ulvs run` of the compiled program. */

import type { MethodName } from '../../../src/lab/flood/testbed.js';
import type { LabDevice } from '../../../src/lab/topology.js';
import type { Contender } from './contender.js';

/** What differs from a flood of requests to a director without offload. */
export interface Variant extends Pick<Contender, 'replies' | 'xdpSink'> {
  readonly offload?: boolean;
  readonly realtime?: boolean;
}

/** A director for `flows` flows over UDP; for a flood of replies over TCP. */
export function ulvs(device: LabDevice, method: MethodName, flows: number, variant: Variant = {}): Contender {
  const { offload = false, realtime = false, replies = false, xdpSink = false } = variant;
  const kind = replies ? 'established' : 'udp';
  const start: Contender['start'] = async (testbed) =>
    (await testbed.director({ device, method, kind, flows, offload, realtime })).pid;
  const words = [
    replies ? ' out' : '',
    offload ? ', offload' : '',
    realtime ? ', realtime' : '',
    xdpSink ? ', XDP sink' : '',
  ];
  return { name: `ulvs ${device} ${method}${words.join('')}`, tap: device === 'tap', replies, xdpSink, start };
}
