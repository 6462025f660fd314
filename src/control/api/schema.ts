/**
 * The schema of requests on the control socket: each number in its range, each address in canonical
 * form.
 */
import { z } from 'zod';
import { canonicalAddress } from '../text/address.js';
import type { AdminRequest, ChangeRequest } from './api.js';
import { lengthened, type ShortBatch } from './short-batch.js';
import { isSoundBatch, sharePlainTunnels } from './sound-batch.js';

const INT_MAX = 2147483647;
const whole = (min: number, max: number) => z.number().int().min(min).max(max);
const port = whole(0, 65535);
const seconds = whole(0, INT_MAX);

const address = z.string().transform((text, context) => {
  const canonical = canonicalAddress(text);
  if (canonical !== undefined) return canonical;
  context.addIssue({ code: 'custom', message: 'not an IPv4 or IPv6 address' });
  return z.NEVER;
});

const key = z.union([
  z.strictObject({ protocol: z.union([z.literal(6), z.literal(17), z.literal(132)]), address, port }),
  z.strictObject({ fwmark: whole(1, 0xffffffff), family: z.union([z.literal(4), z.literal(6)]) }),
]);

const service = z.strictObject({
  key,
  scheduler: z.string().max(15),
  flags: whole(0, 0x3f),
  timeout: seconds,
  netmask: whole(0, 0xffffffff),
  pe: z.string().max(16),
});

const method = z.enum(['masq', 'local', 'ipip', 'gatewaying', 'bypass', 'fullnat']);
const weight = whole(-INT_MAX - 1, INT_MAX);

const destination = z.strictObject({
  address,
  port,
  method,
  weight,
  upperThreshold: whole(0, INT_MAX),
  lowerThreshold: whole(0, INT_MAX),
  tunnel: z.strictObject({ type: z.enum(['ipip', 'gue', 'gre']), port, checksum: z.enum(['', 'csum', 'remcsum']) }),
});

const timeouts = z.strictObject({ tcp: seconds, tcpfin: seconds, udp: seconds });
const op = <T extends AdminRequest['op']>(name: T) => z.literal(name);

const changes = [
  z.strictObject({ op: op('addService'), service }),
  z.strictObject({ op: op('editService'), service }),
  z.strictObject({ op: op('deleteService'), key }),
  z.strictObject({ op: op('addDestination'), key, destination }),
  z.strictObject({ op: op('editDestination'), key, destination }),
  z.strictObject({ op: op('deleteDestination'), key, address, port }),
  z.strictObject({ op: op('flush') }),
  z.strictObject({ op: op('zero'), key: key.exactOptional() }),
  z.strictObject({ op: op('setTimeouts'), timeouts }),
] as const;

/** Most requests in a batch. */
const BATCH = 1000;

/** Of the short form (short-batch.ts). */
const together = z.strictObject({
  op: z.literal('addDestinations'),
  key,
  method,
  weight,
  at: z.array(z.union([address, port])).max(2 * BATCH),
});

const batch = z.strictObject({
  op: op('batch'),
  requests: z
    .array(z.discriminatedUnion('op', [...changes, together]))
    .max(BATCH)
    .transform((requests, context) => {
      const long = lengthened(requests);
      if (long.length <= BATCH && long.every(isWholeAddition)) return long;
      context.addIssue({ code: 'custom', message: `an address and a port for each of ${BATCH} destinations at most` });
      return z.NEVER;
    }),
});

/** What stood in pairs has an address and a port. */
function isWholeAddition(change: ChangeRequest): boolean {
  if (change.op !== 'addDestination') return true;
  const { address, port } = change.destination;
  return typeof address === 'string' && typeof port === 'number';
}

const role = z.enum(['master', 'backup']);
const daemon = z.strictObject({
  interface: z.string().min(1).max(15),
  syncid: whole(0, 255),
  maxlen: whole(1, 65_535).exactOptional(),
  group: address.exactOptional(),
  port: whole(1, 65_535).exactOptional(),
  ttl: whole(1, 255).exactOptional(),
});

export const request = z.discriminatedUnion('op', [
  ...changes,
  batch,
  z.strictObject({ op: op('getTimeouts') }),
  z.strictObject({ op: op('list'), key: key.exactOptional() }),
  z.strictObject({ op: op('connections'), from: whole(0, INT_MAX).exactOptional() }),
  z.strictObject({ op: op('search'), query: z.string().max(500), offset: whole(0, INT_MAX), limit: whole(0, 1000) }),
  z.strictObject({ op: op('connection'), at: whole(0, INT_MAX) }),
  z.strictObject({ op: op('getSysctls') }),
  z.strictObject({ op: op('withdraw'), withdrawn: z.boolean() }),
  z.strictObject({ op: op('setSysctl'), name: z.string().max(64), value: z.number().int() }),
  z.strictObject({ op: op('status') }),
  z.strictObject({ op: op('startDaemon'), role, options: daemon }),
  z.strictObject({ op: op('stopDaemon'), role }),
  z.strictObject({ op: op('daemons') }),
  z.strictObject({
    op: op('reload'),
    file: z.string().startsWith('/').max(4095).exactOptional(),
    dryRun: z.boolean().exactOptional(),
  }),
  z.strictObject({ op: op('health') }),
  z.strictObject({ op: op('routes'), addresses: z.array(address).max(64) }),
  z.strictObject({ op: op('drain'), key, address, port, share: z.number().min(0).max(1).exactOptional() }),
  z.strictObject({ op: op('endConnections'), key, address, port, tcp: z.boolean(), udp: z.boolean() }),
  z.strictObject({
    op: op('traceStart'),
    filter: z.string().max(1000),
    dropsOnly: z.boolean(),
    count: whole(1, INT_MAX),
  }),
  z.strictObject({ op: op('takeover'), step: z.enum(['offer', 'go', 'done', 'yield']), pid: whole(1, INT_MAX) }),
  z.strictObject({ op: op('tracePoll') }),
  z.strictObject({ op: op('traceStop') }),
]);

/** Version of the protocol: the field v of each line. */
export const PROTOCOL = 1;

/** A line of the control socket. */
export interface Envelope {
  id: number;
  /** Absent: the sender asks for the process id. */
  request?: AdminRequest;
}

export const envelope = z.strictObject({
  v: z.literal(PROTOCOL),
  id: whole(0, Number.MAX_SAFE_INTEGER),
  request: request.exactOptional(),
});

/** A line with a sound batch: the schema would accept it as it is. */
function isSoundLine(value: unknown): value is { id: number; request: ShortBatch } {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 3) return false;
  const { v, id, request: asked } = value as Readonly<Record<string, unknown>>;
  return v === PROTOCOL && Number.isSafeInteger(id) && (id as number) >= 0 && isSoundBatch(asked, BATCH);
}

/** Parses a line; `problem`: one line about what is wrong. */
export function readEnvelope(line: string): Envelope | { problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { problem: 'not a line of JSON' };
  }
  const v: unknown = typeof value === 'object' && value !== null && 'v' in value ? value.v : undefined;
  if (v !== undefined && v !== PROTOCOL)
    return { problem: `v: this director speaks version ${PROTOCOL} of the protocol, not ${JSON.stringify(v)}` };
  if (isSoundLine(value)) {
    const { id, request: sound } = value;
    sharePlainTunnels(sound);
    return { id, request: { op: sound.op, requests: lengthened(sound.requests) } };
  }
  const { data, error } = envelope.safeParse(value);
  if (data) return data.request ? { id: data.id, request: data.request } : { id: data.id };
  const issue = error.issues[0];
  return { problem: `${issue?.path.join('.') || 'request'}: ${issue?.message ?? 'malformed'}` };
}
