/**
 * Wires that lose, duplicate, corrupt and reorder frames: `node impaired-wire.js SEED A:B …`. What
 * comes in by interface A leaves by B, and the other way round. It reads lines of JSON: an Order
 * (lab/chaos/wire.ts), and answers each by `ok`. It ends when its input ends.
 */
import { createInterface } from 'node:readline';
import { Batch } from '../../device/batch.js';
import { PacketDevice } from '../../device/packet/packet.js';
import { Poller } from '../../device/poll.js';
import { Umem } from '../../device/umem.js';
import { FaultInjector } from '../chaos/fault-injector.js';
import type { Order } from '../chaos/wire.js';

const FRAMES = 4096;
const SLOTS = 2048;
/** Longest wait, ms: orders are read between two waits. */
const WAIT = 2;
const MASK = 0x7fffffff;

/** One direction of a wire. */
interface Direction {
  readonly from: FaultInjector;
  readonly to: FaultInjector;
}

function wire([a, b]: readonly string[], umem: Umem, seed: number, number: number): Direction[] {
  if (!a || !b) throw new Error('usage: impaired-wire SEED A:B …');
  const options = { promiscuous: true, slots: SLOTS };
  const [left, right] = [a, b].map(
    (name, i) =>
      new FaultInjector(new PacketDevice(umem, name, options), umem, {
        seed: ((seed + number) * 31 + i) & MASK,
        wire: number,
      }),
  ) as [FaultInjector, FaultInjector];
  return [
    { from: left, to: right },
    { from: right, to: left },
  ];
}

function carry(directions: readonly Direction[], batch: Batch): number {
  let carried = 0;
  for (const { from, to } of directions) {
    carried += from.rx(batch);
    if (batch.n > 0) to.tx(batch);
  }
  return carried;
}

function main([seed = '1', ...pairs]: readonly string[]): void {
  const umem = new Umem(FRAMES);
  const wires = pairs.map((pair, i) => wire(pair.split(':'), umem, Number(seed), i));
  const directions = wires.flat();
  const poller = new Poller(directions.map(({ from }) => from.fd));
  const batch = new Batch();
  const input = createInterface({ input: process.stdin });
  input.on('line', (line) => {
    const { wire: number, outward, shares } = JSON.parse(line) as Order;
    wires[number]![outward ? 0 : 1]!.from.set(shares);
    console.log('ok');
  });
  input.on('close', () => process.exit(0));
  const turn = (): void => {
    if (carry(directions, batch) === 0) poller.wait(WAIT);
    setImmediate(turn);
  };
  console.log('ready');
  turn();
}

try {
  main(process.argv.slice(2));
} catch (error) {
  console.error((error as Error).message);
  process.exit(1);
}
