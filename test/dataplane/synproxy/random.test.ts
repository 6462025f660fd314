/**
 * Connections through the SYN proxy with random numbers, options, losses, repetitions and delays,
 * in virtual time: each byte arrives, and neither end sees a number that is not its connection's.
 */
import { expect, it } from 'vitest';
import { Random, SEED } from '../../support/seed.js';
import { End } from './end.js';
import { type Seg, type Sent, Stage } from './stage.js';

const ROUNDS = Number(process.env.ULVS_RUNS ?? 6);
const SLOWEST = 300;

interface Flying {
  readonly at: number;
  readonly to: 'client' | 'server' | 'director';
  readonly from?: 'client' | 'server';
  readonly seg: Seg;
}

/** A connection, and the network that loses, repeats and reorders its segments. */
class Run {
  private now = 5000;
  private readonly flying: Flying[] = [];
  readonly client: End;
  readonly server: End;

  constructor(
    private readonly random: Random,
    private readonly stage: Stage,
    texts: readonly [string, string],
    hasTimestamps: boolean,
  ) {
    this.client = new End(random, texts[0], random.below(11), hasTimestamps);
    this.server = new End(random, texts[1], random.below(11), hasTimestamps);
  }

  play(): void {
    for (let tick = 0; !(this.client.isDone && this.server.isDone); tick++) {
      if (tick > 4000) throw new Error('the connection does not come to its end');
      this.now += 25;
      this.fly(this.stage.advance(this.now));
      for (const one of this.landed()) this.arrive(one);
      if (tick % 4 === 0) this.talk(tick);
    }
  }

  private talk(tick: number): void {
    if (!this.client.isOpen && tick % 40 === 0) this.send('client', this.client.syn(this.now));
    for (const name of ['client', 'server'] as const)
      if (this[name].isOpen) for (const seg of this[name].send(this.now)) this.send(name, seg);
  }

  private landed(): Flying[] {
    const landed = this.flying.filter(({ at }) => at <= this.now);
    for (const one of landed) this.flying.splice(this.flying.indexOf(one), 1);
    return landed;
  }

  private arrive({ to, from, seg }: Flying): void {
    if (to === 'director') this.fly(from === 'client' ? this.stage.client(seg) : this.stage.server(seg));
    else if (to === 'client') this.atClient(seg);
    else this.atServer(seg);
  }

  private atClient(seg: Seg): void {
    const { client } = this;
    if (!seg.flags.includes('S')) for (const answer of client.take(seg, this.now)) this.send('client', answer);
    else {
      if (!client.isOpen) client.meet(seg);
      client.isOpen = true;
      this.send('client', client.seg(this.now, 'A', ''));
    }
  }

  private atServer(seg: Seg): void {
    const { server } = this;
    if (seg.flags === 'S') {
      if (!server.isMet) server.meet(seg);
      this.send('server', server.syn(this.now));
    } else {
      server.isOpen = true;
      for (const answer of server.take(seg, this.now)) this.send('server', answer);
    }
  }

  private send(from: 'client' | 'server', seg: Seg): void {
    this.launch({ to: 'director', from, seg });
  }
  private fly(sent: readonly Sent[]): void {
    for (const { to, ...seg } of sent) this.launch({ to, seg });
  }
  private launch(one: Omit<Flying, 'at'>): void {
    const copies = this.random.pick([0, 1, 1, 1, 1, 1, 1, 1, 1, 2]);
    for (let i = 0; i < copies; i++) this.flying.push({ ...one, at: this.now + this.random.below(SLOWEST) });
  }
}

const textOf = (random: Random) => Buffer.from(random.bytes(1 + random.below(4000))).toString('latin1');

it.each([4, 6] as const)(`${ROUNDS} connections by IPv%i arrive whole`, async (family) => {
  for (let round = 0; round < ROUNDS; round++) {
    const random = new Random(SEED + round * 7919);
    const stage = await Stage.begin(undefined, { family });
    const texts = [textOf(random), textOf(random)] as const;
    const run = new Run(random, stage, texts, random.below(4) > 0);
    try {
      run.play();
      expect([run.server.received, run.client.received]).toEqual(texts);
    } catch (cause) {
      throw new Error(`seed ${SEED}, round ${round}`, { cause });
    }
  }
});
