/**
 * What a backup makes of messages: random ones leave table and gauges consistent, and what came in
 * goes out again as it was.
 */
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/control/config/config.js';
import { WorkerSync } from '../../../src/control/engine/worker-sync.js';
import { InProcessDirector } from '../../../src/control/inprocess.js';
import { SyncRing } from '../../../src/dataplane/sync/ring.js';
import { GAUGES } from '../../../src/stats/counters.js';
import { ulvsadm } from '../../../src/ulvsadm/ulvsadm.js';
import { parse4 } from '../../../src/wire/address.js';
import { SyncConn, SyncFlag } from '../../../src/wire/sync.js';
import { encodeMessage } from '../../../src/wire/sync-message.js';
import { Random } from '../../support/seed.js';

const RUNS = Number(process.env.ULVS_RUNS ?? 3000);
const RULES = [
  '-A -t 10.0.0.100:80 -s rr',
  '-a -t 10.0.0.100:80 -r 192.168.1.11:8080 -m',
  '-a -t 10.0.0.100:80 -r 192.168.1.12:80 --full-nat',
  '-A -u 10.0.0.100:5060 -s rr -p 50 --pe sip',
  '-a -u 10.0.0.100:5060 -r 192.168.1.11:5060 -m',
  '-A -t 10.0.0.100:21 -s rr',
  '-a -t 10.0.0.100:21 -r 192.168.1.11:21 -m',
];

async function backup(max = 4096): Promise<{ inner: InProcessDirector; sync: WorkerSync }> {
  const text = `devices: [{ name: eth0, addresses: [10.0.0.254/24] }]\nconnections: { max: ${max} }\naccept: { sources: [10.0.0.9] }`;
  const inner = new InProcessDirector(parseConfig(text, 'director.yaml'), () => {});
  for (const rule of RULES) expect((await ulvsadm(rule.split(' '), '' as never, inner)).err).toBe('');
  const sync = new WorkerSync(inner.director);
  sync.handle({ kind: 'syncBackup', running: true });
  return { inner, sync };
}

function conn(changes: Partial<SyncConn>, [client, dest] = ['10.0.0.1', '192.168.1.11']): SyncConn {
  const made = Object.assign(
    new SyncConn(),
    { protocol: 6, state: 1, cport: 5000, vport: 80, dport: 8080, timeout: 100 },
    changes,
  );
  made.caddr[3] = parse4(client!)!;
  made.vaddr[3] = parse4('10.0.0.100')!;
  made.daddr[3] = parse4(dest!)!;
  return made;
}

/** A connection of few clients and ports, so that messages meet the same one often. */
function randomConn(random: Random): SyncConn {
  const template = random.below(4) === 0;
  const made = conn(
    {
      protocol: random.pick([6, 6, 17, 132]),
      flags: random.i32() & ~SyncFlag.template,
      state: random.below(3),
      cport: template ? 0 : 5000 + random.below(4),
      vport: random.pick([80, 5060, 21, 0]),
      dport: random.pick([8080, 80, 5060, 21, 0]),
      timeout: random.pick([0, 1, 5, 900, 0xffffffff]),
      fwmark: random.pick([0, 0, 7]),
    },
    [`10.0.0.${random.below(3)}`, `192.168.1.${random.pick([11, 12, 13])}`],
  );
  if (template) made.flags |= SyncFlag.template;
  if (random.below(5) === 0) made.family = 6;
  made.hasSequences = random.below(4) === 0;
  if (template && random.bool()) {
    made.peBytes = Uint8Array.from({ length: random.between(1, 255) }, () => random.u8());
    made.peLength = made.peBytes.length;
    made.peName = random.pick(['sip', 'nope']);
  }
  return made;
}

describe('random messages', () => {
  /** ULVS_RUNS=1000000 for the long run. */
  it('leave no gauge below 0, and all at 0 when every connection has ended', { timeout: 3_600_000 }, async () => {
    const random = new Random();
    const { inner, sync } = await backup(256);
    const { director } = inner;
    const gauges = () =>
      director.dests.map((_, slot) => [...director.counters.gauges.subarray(slot * GAUGES, slot * GAUGES + GAUGES)]);
    for (let i = 0; i < RUNS; i++) {
      const message = encodeMessage(1, [randomConn(random)]);
      if (random.below(3) === 0) message[random.between(4, message.length - 1)] = random.u8();
      sync.handle({ kind: 'syncReceived', message, fresh: random.bool() });
      if (i % 64 === 0) director.connections.tick(director.connections.now + random.below(600));
      if (i % 1000 === 0)
        expect(Math.min(...gauges().flat()), `seed ${random.seed}, run ${i}`).toBeGreaterThanOrEqual(0);
    }
    for (let i = 0; i < 4000 && director.connections.table.live > 0; i++)
      director.connections.tick(director.connections.now + 400_000, 1000);
    expect(director.connections.table.live).toBe(0);
    expect(
      gauges()
        .flat()
        .every((one) => one === 0),
    ).toBe(true);
    expect(director.connections.withoutPort).toBe(0);
  });
});

describe('an answer to a request for everything', () => {
  it('does not replace a connection that this director has handled', async () => {
    const { inner, sync } = await backup();
    const message = (changes: Partial<SyncConn>) => encodeMessage(1, [conn(changes)]);
    sync.handle({ kind: 'syncReceived', message: message({ state: 1 }), fresh: true });
    expect(inner.connections()).toMatchObject([{ state: 'ESTABLISHED', synced: true }]);
    // The daemon starts anew, as in a director that goes on with the connections of a former process.
    inner.advance(1000);
    sync.handle({ kind: 'syncBackup', running: true });
    sync.handle({ kind: 'syncReceived', message: message({ state: 5 }), fresh: true });
    expect(inner.connections()).toMatchObject([{ state: 'TIME_WAIT' }]);
    sync.handle({ kind: 'syncReceived', message: message({ state: 1 }), fresh: true });
    expect(inner.connections()).toMatchObject([{ state: 'TIME_WAIT' }]);
  });
});

describe('sequence numbers of the FTP helper', () => {
  it('come with a message, and go out with one when the group has a key', async () => {
    const { sync } = await backup();
    const memory = SyncRing.memory();
    const ring = new SyncRing(memory);
    sync.handle({ kind: 'syncMaster', rings: [memory], ports: 1, sequences: true });
    const sent = conn({ vport: 21, dport: 21, flags: SyncFlag.outSeq });
    sent.hasSequences = true;
    sent.sequences.set([0, 0, 0, 5000, 7, 3]);
    sync.handle({ kind: 'syncReceived', message: encodeMessage(1, [sent]), fresh: false });
    sync.handle({ kind: 'syncResend' });
    (sync as unknown as { master: { tick(): void } }).master.tick();
    expect(ring.read()).toBe(true);
    expect([ring.size, ring.view.getInt32(ring.at + 4) & SyncFlag.outSeq]).toEqual([36 + 26, SyncFlag.outSeq]);
    const words = Array.from({ length: 6 }, (_, i) => ring.view.getInt32(ring.at + 38 + i * 4));
    expect(words).toEqual([0, 0, 0, 5000, 7, 3]);
  });
});
