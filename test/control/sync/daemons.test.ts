/**
 * The daemons of two directors on one wire: what the one sends reaches the other, a backup that joins
 * late gets everything, a key keeps strangers out.
 */
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/control/config/config.js';
import { isSyncMessage, WorkerSync } from '../../../src/control/engine/worker-sync.js';
import { InProcessDirector } from '../../../src/control/inprocess.js';
import type { SyncDaemon } from '../../../src/control/sync/daemon.js';
import { type SyncConfig, SyncDaemons } from '../../../src/control/sync/daemons.js';
import type { OnDatagram, SyncNet, SyncSockets } from '../../../src/control/sync/net.js';
import { ulvsadm } from '../../../src/ulvsadm/ulvsadm.js';
import { packet } from '../../support/packet.js';

/** A wire: each datagram reaches all receivers but the sender's own. */
class Wire {
  readonly heard: Uint8Array[] = [];
  private readonly receivers: { owner: string; take: OnDatagram }[] = [];

  net(owner: string): SyncNet {
    const sockets = (send: SyncSockets['send'], close: () => void): SyncSockets => ({
      send,
      from: owner,
      close,
      isStale: () => false,
    });
    return {
      mtu: (name) => (name === 'eth1' ? 1500 : undefined),
      sender: () =>
        sockets(
          (bytes) => this.cast(owner, bytes),
          () => {},
        ),
      receiver: (_daemon: SyncDaemon, _ports, _limits, take) => {
        const one = { owner, take };
        this.receivers.push(one);
        return sockets(
          () => false,
          () => void this.receivers.splice(this.receivers.indexOf(one), 1),
        );
      },
    };
  }

  cast(owner: string, bytes: Uint8Array): boolean {
    this.heard.push(Uint8Array.from(bytes));
    for (const { owner: other, take } of [...this.receivers]) if (other !== owner) take(Uint8Array.from(bytes), owner);
    return true;
  }
}

const RULES = ['-A -t 10.0.0.100:80 -s rr', '-a -t 10.0.0.100:80 -r 192.168.1.11:80 -g'];
const BOTH: SyncConfig = {
  master: { interface: 'eth1', syncid: 3 },
  backup: { interface: 'eth1', syncid: 3 },
  delay: 100,
};

/** A director whose daemons are on the wire. */
class Box {
  readonly inner: InProcessDirector;
  readonly daemons: SyncDaemons;
  private now = 0;

  constructor(wire: Wire, name: string) {
    const text = 'devices: [{ name: eth0, addresses: [10.0.0.254/24] }, { name: eth2, addresses: [192.168.1.254/24] }]';
    this.inner = new InProcessDirector(parseConfig(text, 'director.yaml'), () => {});
    const sync = new WorkerSync(this.inner.director);
    this.daemons = new SyncDaemons({
      net: wire.net(name),
      send: (message) => isSyncMessage(message) && sync.handle(message),
      now: () => this.now,
      sysctl: () => this.inner.director.sysctl,
      workers: 1,
    });
  }

  async start(config = BOTH): Promise<this> {
    for (const rule of RULES) await ulvsadm(rule.split(' '), '' as never, this.inner);
    this.daemons.configure(config);
    return this;
  }

  wait(ms: number): void {
    for (const end = this.now + ms; this.now < end; ) {
      this.now += 20;
      this.inner.advance(this.now);
      this.daemons.poll();
    }
  }

  /** A client opens a connection and sends data. */
  talk(sport: number): void {
    for (const flags of ['S', 'A', 'PA']) {
      const eth = packet().eth('02:00:00:00:c0:01', '02:00:00:00:0d:00').ipv4({ src: '10.0.0.1', dst: '10.0.0.100' });
      this.inner.receive(0, eth.tcp({ sport, dport: 80, flags }).bytes());
    }
  }
  get ports(): number[] {
    return this.inner
      .connections()
      .map(({ cport }) => cport)
      .sort();
  }
}

describe('two directors', () => {
  it('have the same connections once the delay has passed', async () => {
    const wire = new Wire();
    const [one, two] = [await new Box(wire, '10.1.0.1').start(), await new Box(wire, '10.1.0.2').start()];
    one.talk(5000);
    two.talk(6000);
    for (const box of [one, two]) box.wait(200);
    expect([one.ports, two.ports]).toEqual([
      [5000, 6000],
      [5000, 6000],
    ]);
    expect(two.daemons.stats).toMatchObject({ unauthentic: 0, malformed: 0, ringFull: 0 });
    expect(two.daemons.stats.connectionsSent).toBeGreaterThan(0);
  });

  it('a backup that joins late asks, and gets everything; a third one does not take the answer', async () => {
    const wire = new Wire();
    const [one, third] = [await new Box(wire, '10.1.0.1').start(), await new Box(wire, '10.1.0.3').start()];
    third.wait(1000);
    expect(third.daemons.isSettled).toBe(false);
    // Nobody answers it.
    third.wait(4000);
    expect(third.daemons.isSettled).toBe(true);
    for (let port = 5000; port < 5100; port++) one.talk(port);
    one.wait(200);
    const taken = third.daemons.stats.connectionsReceived;
    const asked = one.daemons.stats.requests;
    const late = await new Box(wire, '10.1.0.2').start();
    late.wait(40);
    one.wait(400);
    expect(late.ports.length).toBe(100);
    expect(late.daemons.isSettled).toBe(false);
    late.wait(500);
    expect(late.daemons.isSettled).toBe(true);
    expect(one.daemons.stats.requests).toBe(asked + 1);
    expect(third.daemons.stats.connectionsReceived).toBe(taken);
    // It does not ask again.
    late.wait(10_000);
    one.wait(400);
    expect(one.daemons.stats.requests).toBe(asked + 1);
  });

  it('a kernel takes requests and answers for messages of version 0 without connections', async () => {
    const wire = new Wire();
    const one = await new Box(wire, '10.1.0.1').start();
    one.talk(5000);
    one.wait(200);
    const before = wire.heard.length;
    (await new Box(wire, '10.1.0.2').start()).wait(40);
    one.wait(400);
    const own = wire.heard.slice(before);
    expect(own.length).toBeGreaterThan(1);
    for (const bytes of own)
      expect([bytes[0], (bytes[6]! << 8) | bytes[7]!], Buffer.from(bytes).toString('hex')).not.toEqual([0, 0]);
    for (const bytes of own) expect(bytes[0]).toBe(0);
  });
});

describe('a key', () => {
  it('lets the director in that has it, and nobody else', async () => {
    const wire = new Wire();
    const keyed = { ...BOTH, key: 'secret' };
    const [one, two] = [await new Box(wire, '10.1.0.1').start(keyed), await new Box(wire, '10.1.0.2').start(keyed)];
    const [wrong, none] = [
      await new Box(wire, '10.1.0.3').start({ ...keyed, key: 'other' }),
      await new Box(wire, '10.1.0.4').start(),
    ];
    for (const [i, box] of [one, wrong, none].entries()) box.talk(5000 + i);
    for (const box of [one, two, wrong, none]) box.wait(200);
    expect(two.ports).toEqual([5000]);
    expect(two.daemons.stats.unauthentic).toBeGreaterThan(1);
    expect([wrong.ports, none.ports]).toEqual([[5001], [5002]]);
  });

  it('a message counts once, and only from the address that signed it', async () => {
    const wire = new Wire();
    const keyed = { ...BOTH, key: 'secret' };
    const [one, two] = [await new Box(wire, '10.1.0.1').start(keyed), await new Box(wire, '10.1.0.2').start(keyed)];
    one.talk(5000);
    one.wait(200);
    const message = wire.heard.at(-1)!;
    const taken = two.daemons.stats.messagesReceived;
    for (const from of ['10.1.0.1', '10.1.0.9']) wire.cast(from, message);
    const changed = Uint8Array.from(message);
    changed[20]! ^= 1;
    wire.cast('10.1.0.1', changed);
    expect(two.daemons.stats.messagesReceived).toBe(taken);
    expect(two.daemons.stats.unauthentic).toBeGreaterThanOrEqual(3);
  });
});

describe('a configuration', () => {
  it('starts, keeps, restarts and stops daemons', async () => {
    const { daemons } = await new Box(new Wire(), '10.1.0.1').start();
    const roles = () => daemons.list().map(({ role, syncid }) => `${role} ${syncid}`);
    expect(roles()).toEqual(['master 3', 'backup 3']);
    daemons.configure({ ...BOTH, backup: { interface: 'eth1', syncid: 4 } });
    expect(roles()).toEqual(['master 3', 'backup 4']);
    daemons.configure({ delay: 100 });
    expect(roles()).toEqual([]);
    expect(daemons.start('master', { interface: 'eth1', syncid: 9 })).toBeUndefined();
    daemons.configure({ delay: 100, backup: { interface: 'eth1', syncid: 4 } });
    expect(roles()).toEqual(['master 9', 'backup 4']);
    expect(daemons.missing({ delay: 1, master: { interface: 'eth9', syncid: 0 } })).toEqual([
      'sync.master.interface: there is no interface eth9',
    ]);
  });
});
