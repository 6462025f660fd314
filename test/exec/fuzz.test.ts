/**
 * Random, cut and changed requests over both interfaces: an errno or an answer, never another error.
 * ULVS_RUNS: how many requests (3 000 unless told).
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { AdminClient } from '../../src/control/api/api.js';
import { readEnvelope } from '../../src/control/api/schema.js';
import { SOCKOPT_BASE } from '../../src/exec/filter/rules.js';
import { serveDatagram } from '../../src/exec/genl/datagram.js';
import { Refusal } from '../../src/exec/refusal.js';
import { getOption, sizeOfGet } from '../../src/exec/sockopt/get.js';
import { setOption, sizeOfSet } from '../../src/exec/sockopt/set.js';
import { messages } from '../../src/netlink/message.js';
import { Random } from '../support/seed.js';
import { inProcess } from '../ulvsadm/director.js';
import { hex, PEER } from './messages.js';

const RUNS = Number(process.env.ULVS_RUNS ?? 3_000);
const GOOD = readFileSync(new URL('recorded/moby-ipvs.txt', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map(hex);

/** The rule table, behind the checks of the control socket. */
function checked(): AdminClient {
  const table = inProcess();
  return {
    request: (request) => {
      const envelope = readEnvelope(JSON.stringify({ v: 1, id: 1, request }));
      if ('problem' in envelope) throw new Error(`${envelope.problem}: ${JSON.stringify(request)}`);
      return table.request(request);
    },
  };
}

/** A good request with a few bytes, lengths or its end changed; or noise. */
function request(random: Random): Uint8Array {
  if (random.below(20) === 0) return random.bytes(random.below(200));
  const bytes = GOOD[random.below(GOOD.length)]!.slice();
  for (let i = random.below(4); i > 0; i--) bytes[random.below(bytes.length)] = random.below(256);
  if (random.below(3) === 0) bytes[16] = random.below(19); // another command with these attributes
  if (random.below(4) > 0) return bytes;
  const cut = bytes.slice(0, random.below(bytes.length + 1));
  if (cut.length >= 4 && random.below(2) === 0) new DataView(cut.buffer).setUint32(0, cut.length, true);
  return cut;
}

describe('both interfaces', () => {
  it('netlink answers each datagram with whole messages', async () => {
    const random = new Random();
    let client = checked();
    const seen = new Map<number, number>();
    for (let i = 0; i < RUNS; i++) {
      if (i % 1000 === 0) client = checked();
      for (const datagram of await serveDatagram(request(random), PEER, client))
        for (const { type } of messages(datagram)) seen.set(type, (seen.get(type) ?? 0) + 1);
    }
    expect(seen.size).toBeGreaterThanOrEqual(4); // errors, ends of dumps, both families
  }, 3_600_000);

  it('socket options give a Refusal or a value', async () => {
    const random = new Random();
    let client = checked();
    const outcomes = new Map<string, number>();
    for (let i = 0; i < RUNS; i++) {
      if (i % 1000 === 0) client = checked();
      const outcome = await option(random, client);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    expect(outcomes.get('ok')).toBeGreaterThan(0);
    expect(outcomes.get('EINVAL')).toBeGreaterThan(0);
  }, 3_600_000);
});

async function option(random: Random, client: AdminClient): Promise<string> {
  const number = SOCKOPT_BASE + random.below(17);
  try {
    if (random.below(2) === 0) await setOption(number, struct(random, sizeOfSet(number) ?? random.below(80)), client);
    else {
      const size = sizeOfGet(number);
      await getOption(number, struct(random, size), random.below(3) === 0 ? random.below(400) : size, client);
    }
    return 'ok';
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

/** Bytes of a structure: small numbers are frequent, so that some of it means something. */
function struct(random: Random, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = random.below(3) === 0 ? random.below(256) : 0;
  if (size >= 44) {
    bytes.set([[6, 17, 132, 1][random.below(4)]!, 0], 0);
    if (random.below(2) === 0) bytes.set(Buffer.from('rr\0'), 16);
  }
  return bytes;
}
