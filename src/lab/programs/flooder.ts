/**
 * The generator of `ulvs lab flood`: `node flooder.js DEVICE ATTACK RATE TARGET` (Target as JSON).
 * Prints `ready`, and sends RATE frames a second from the first line that it reads. Each further
 * line is answered by the number of frames so far. It ends when its input ends.
 */
import { createInterface } from 'node:readline';
import { openWire, sendFrame } from '../../doctor/packet-socket.js';
import { ETH_P_ALL } from '../../sys/packet-socket.js';
import { ATTACKS } from '../flood/attacks.js';
import type { Target } from '../flood/frame.js';

/** Interval of its batches, ms; after a pause it catches up by at most `LATE` ms. */
const EVERY = 2;
const LATE = 50;

/** xorshift32: only distinct frames matter. */
let state = 0x9e3779b9;
function word(): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return state >>> 0;
}

async function main([device = '', name, rate, text = '{}']: readonly string[]): Promise<void> {
  const attack = ATTACKS.find((one) => one.name === name)!;
  const target = JSON.parse(text) as Target;
  const fd = openWire(device, ETH_P_ALL);
  let sent = 0;
  let due = 0;
  let before = 0;
  const batch = () => {
    const now = performance.now();
    due += (Math.min(now - before, LATE) * Number(rate)) / 1000;
    before = now;
    for (; due >= 1; due--, sent++) sendFrame(fd, attack.frame(target, word));
  };
  console.log('ready');
  for await (const _ of createInterface({ input: process.stdin })) {
    if (before === 0) setInterval(batch, EVERY);
    before ||= performance.now();
    console.log(String(sent));
  }
  process.exit(0);
}

main(process.argv.slice(2)).catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});
