/** A thousand questions after a listing are answered from it: by the same thread, soon, once. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { AdminClient, AdminRequest } from '../../../src/control/api/api.js';
import { ListingMemory } from '../../../src/exec/director/listing-memory.js';
import { CMD_ATTR, DEST_ATTR, IPVS_CMD, SVC_ATTR } from '../../../src/exec/genl/constants.js';
import { NLM_F } from '../../../src/netlink/constants.js';
import type { ServiceConfig } from '../../../src/service/config.js';
import { inProcess } from '../../ulvsadm/director.js';
import { ask, attribute, be16, nest, request, u16 } from '../messages.js';

const [THREAD, OTHER] = [4711, 4712];
const key = { protocol: 6, address: '10.0.0.1', port: 80 };
const wireKey = nest(
  CMD_ATTR.SERVICE,
  u16(SVC_ATTR.AF, 2),
  u16(SVC_ATTR.PROTOCOL, 6),
  attribute(SVC_ATTR.ADDR, Uint8Array.of(10, 0, 0, 1)),
  be16(SVC_ATTR.PORT, 80),
);

let director: AdminClient;
let memory: ListingMemory;
let now: number;
let lists: number;

beforeEach(async () => {
  director = inProcess();
  const service: ServiceConfig = { key, scheduler: 'rr', flags: 0, timeout: 0, netmask: 0xffffffff, pe: '' };
  await director.request({ op: 'addService', service });
  await add('10.0.0.9');
  [now, lists] = [0, 0];
  const counting = { request: (one: AdminRequest) => director.request(counted(one)) };
  memory = new ListingMemory(counting, () => now);
});

function counted(one: AdminRequest): AdminRequest {
  if (one.op === 'list') lists++;
  return one;
}

/** Adds a destination behind the memory's back, as another program does. */
async function add(address: string, client = director): Promise<void> {
  const tunnel = { type: 'ipip', port: 0, checksum: '' } as const;
  const limits = { upperThreshold: 0, lowerThreshold: 0 };
  const destination = { address, port: 80, method: 'masq', weight: 1, ...limits, tunnel } as const;
  expect(await client.request({ op: 'addDestination', key, destination })).toEqual({ ok: true });
}

const dumpServices = (thread = THREAD) => ask(memory.clientOf(thread), request(IPVS_CMD.GET_SERVICE, NLM_F.DUMP));

/** The last byte of each destination's address. */
async function dumpDestinations(thread = THREAD): Promise<number[]> {
  const replies = await ask(memory.clientOf(thread), request(IPVS_CMD.GET_DEST, NLM_F.DUMP, wireKey));
  return replies.flatMap((one) =>
    typeof one === 'string' ? [] : [one.attributes.nested(CMD_ATTR.DEST)!.bytes(DEST_ATTR.ADDR)![3]!],
  );
}

describe('a listing', () => {
  it('answers for the destinations of its services', async () => {
    await dumpServices();
    await add('10.0.0.8');
    expect([await dumpDestinations(), lists]).toEqual([[9], 1]);
  });

  it('answers once', async () => {
    await dumpServices();
    await add('10.0.0.8');
    await dumpDestinations();
    expect([await dumpDestinations(), lists]).toEqual([[8, 9], 2]);
  });

  it('answers its own thread only', async () => {
    await dumpServices();
    await add('10.0.0.8');
    expect([await dumpDestinations(OTHER), lists]).toEqual([[8, 9], 2]);
  });

  it('is too old after 2 seconds', async () => {
    await dumpServices();
    await add('10.0.0.8');
    now = 2001;
    expect([await dumpDestinations(), lists]).toEqual([[8, 9], 2]);
  });

  it('is forgotten after a change by any program', async () => {
    await dumpServices();
    await add('10.0.0.8', memory);
    expect([await dumpDestinations(), lists]).toEqual([[8, 9], 2]);
  });

  it('says nothing about a single service', async () => {
    await dumpServices();
    const [found] = await ask(memory.clientOf(THREAD), request(IPVS_CMD.GET_SERVICE, 0, wireKey));
    expect([typeof found, lists]).toEqual(['object', 2]);
  });
});
