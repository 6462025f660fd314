/** What takes a connection back from the program, and what does not: one event in each test. */
import { describe, expect, it } from 'vitest';
import { beforeMessage } from '../../../src/control/engine/flow-offload.js';
import type { InProcessDirector } from '../../../src/control/inprocess.js';
import type { TraceSpec } from '../../../src/dataplane/trace/trace.js';
import { SLOTS } from '../../../src/device/flow/layout.js';
import { withoutXdp } from '../../device/xdp/missing.js';
import { type FlowKernel, type FlowKernelOptions, inFrontOf } from '../../support/flow-kernel.js';
import { directorOf, rule } from '../fastpath/network.js';
import { arriving } from '../fastpath/traffic.js';

const VIP = '10.0.0.100';
const FIRST = { after: { tcp: 1, udp: 1 } } as const;
/** A service with one destination by direct routing. */
const DR = '-A -u 10.0.0.104:53 -s rr\n-a -u 10.0.0.104:53 -r 192.168.1.11 -g';

class Stage {
  /** The last frame that left. */
  left = new Uint8Array();

  private constructor(
    readonly inner: InProcessDirector,
    readonly kernel: FlowKernel,
  ) {}

  static async of(options: FlowKernelOptions, config = ''): Promise<Stage> {
    const place: { stage?: Stage } = {};
    const keep = (bytes: Uint8Array) => {
      place.stage!.left = new Uint8Array(bytes);
    };
    const inner = await directorOf({ config, rules: DR }, (_, bytes) => keep(bytes));
    place.stage = new Stage(
      inner,
      inFrontOf(inner, ({ bytes }) => keep(bytes), options),
    );
    return place.stage;
  }

  /** A datagram of a client, and who forwards it. */
  send(sport: number, vip = VIP): 'program' | 'director' {
    const { kernel, inner } = this;
    const before = kernel.forwarded;
    const ip = arriving(0).ipv4({ src: '11.0.0.1', dst: vip, df: true });
    inner.receive(0, ip.udp({ sport, dport: 53 }).payload(new Uint8Array(4)).bytes());
    return kernel.forwarded > before ? 'program' : 'director';
  }

  sends(sport: number, times: number): string[] {
    return Array.from({ length: times }, () => this.send(sport));
  }

  /** Opens a connection, and offloads it. */
  open(sport: number, vip = VIP): void {
    expect([1, 2, 3].map(() => this.send(sport, vip))).toEqual(['director', 'director', 'program']);
  }

  after(ms: number): this {
    this.inner.advance(this.inner.now + ms);
    return this;
  }

  async edit(line: string): Promise<void> {
    await rule(this.inner, line);
  }

  get live(): number {
    return this.inner.director.connections.table.live;
  }
}

describe.skipIf(withoutXdp !== '')('an offloaded connection', () => {
  it('is offloaded after eight datagrams, not before', async () => {
    const stage = await Stage.of({});
    expect(stage.sends(1000, 10)).toEqual([...Array(8).fill('director'), 'program', 'program']);
  });

  it('is offloaded after a second, with fewer datagrams', async () => {
    const stage = await Stage.of({});
    expect(stage.sends(1000, 2)).toEqual(['director', 'director']);
    expect(stage.after(900).send(1000)).toBe('director');
    expect(stage.after(200).send(1000)).toBe('director');
    expect(stage.send(1000)).toBe('program');
    expect(stage.send(1001)).toBe('director');
  });

  it('goes to a new MAC address of its neighbour with its next packet', async () => {
    const stage = await Stage.of(FIRST);
    stage.open(1000);
    const { neighbours } = stage.inner.director;
    const server = neighbours.all.find(({ macHi, macLo }) => macHi === 0x0200 && macLo >>> 0 === 0x0000_a011)!;
    neighbours.resolve(server, 0x0200, 0x0000_a099, stage.inner.now);
    expect(stage.send(1000)).toBe('director');
    expect(stage.left[5]).toBe(0x99);
    // The row of the next hop rests for a second, another one is used.
    expect(stage.send(1000)).toBe('program');
    expect(stage.left[5]).toBe(0x99);
  });

  it('comes to the director while a trace runs', async () => {
    const stage = await Stage.of(FIRST);
    stage.open(1000);
    beforeMessage(stage.kernel.offload, { kind: 'trace', spec: {} as TraceSpec });
    expect(stage.sends(1000, 3)).toEqual(Array(3).fill('director'));
    beforeMessage(stage.kernel.offload, { kind: 'trace' });
    expect(stage.send(1000)).toBe('program');
  });

  it('that is idle leaves when there is no room', async () => {
    const stage = await Stage.of({ ...FIRST, bits: 0 });
    // The secret of the hash decides which pairs get their lines first, so that more flows are tried than lines are there.
    const tried = Array.from({ length: 64 }, (_, i) => 1000 + i);
    const flows = tried.filter((sport) => stage.sends(sport, 3)[2] === 'program');
    expect(flows).toHaveLength(SLOTS - 1);
    expect(stage.sends(2000, 100)).toEqual(Array(100).fill('director'));
    for (let i = 0; i < 6; i++) {
      stage.after(2000);
      for (const sport of flows.slice(1)) expect(stage.send(sport)).toBe('program');
    }
    // One in 64 packets looks for room.
    expect(stage.sends(2000, 65).at(-1)).toBe('program');
    for (const sport of flows.slice(1)) expect(stage.send(sport)).toBe('program');
    expect(stage.send(flows[0]!)).toBe('director');
    expect(stage.kernel.offload.lines.used).toBe(flows.length);
  });

  it('goes on when the weight becomes 0, also with expire_nodest_conn', async () => {
    const stage = await Stage.of(FIRST, 'sysctl: { expire_nodest_conn: 1 }');
    stage.open(1000, '10.0.0.104');
    await stage.edit('-e -u 10.0.0.104:53 -r 192.168.1.11 -g -w 0');
    expect([1, 2].map(() => stage.send(1000, '10.0.0.104'))).toEqual(['director', 'program']);
    expect(stage.live).toBe(1);
  });

  it('ends with its destination by expire_nodest_conn', async () => {
    const stage = await Stage.of(FIRST, 'sysctl: { expire_nodest_conn: 1 }');
    stage.open(1000, '10.0.0.104');
    await stage.edit('-d -u 10.0.0.104:53 -r 192.168.1.11');
    expect(stage.send(1000, '10.0.0.104')).toBe('director');
    expect(stage.after(1000).live).toBe(0);
  });

  it('is not idle for drop_entry while the program forwards its packets', async () => {
    const stage = await Stage.of(FIRST, 'sysctl: { drop_entry: 3 }');
    stage.open(1000);
    expect(stage.send(1001)).toBe('director');
    for (let i = 0; i < 4; i++) expect(stage.after(50_000).send(1000)).toBe('program');
    expect(stage.live).toBe(1);
    expect(stage.after(200_000).live).toBe(0);
  });
});
