/** docs/control-protocol.json: the JSON schema of a line on the control socket, from its checks. */
import { z } from 'zod';
import { envelope, PROTOCOL } from '../../src/control/api/schema.js';
import type { Document } from './text/blocks.js';

export function protocolDocument(): Document {
  const schema = z.toJSONSchema(envelope, { io: 'input', unrepresentable: 'any' });
  const titled = { ...schema, title: `A request on the control socket of ulvs, protocol version ${PROTOCOL}` };
  return { path: 'docs/control-protocol.json', text: `${JSON.stringify(titled, undefined, 2)}\n` };
}
