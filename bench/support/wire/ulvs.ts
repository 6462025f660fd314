/** ulvs as a contender: `ulvs run` of the compiled program. */

import type { Kind } from '../../../src/lab/flood/frame.js';
import type { MethodName } from '../../../src/lab/flood/testbed.js';
import type { LabDevice } from '../../../src/lab/topology.js';
import type { Contender } from './contender.js';

export function ulvs(device: LabDevice, method: MethodName, kind: Kind, flows: number): Contender {
  const start: Contender['start'] = async (testbed) => (await testbed.director({ device, method, kind, flows })).pid;
  return { name: `ulvs ${device} ${method}`, tap: device === 'tap', start };
}
