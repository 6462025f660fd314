/** The request that no CPU sleeps, as the kernel has it: a read of the device gives what is in force. */
import { accessSync, closeSync, constants, openSync, readSync } from 'node:fs';
import { expect, it } from 'vitest';
import { WAKE_LATENCY, WakeLatency } from '../../src/sys/wake-latency.js';

function reason(): string | undefined {
  try {
    accessSync(WAKE_LATENCY, constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

it('is in force until it is taken back', (test) => {
  const missing = reason();
  test.skip(missing !== undefined, `${WAKE_LATENCY}: ${missing}`);
  const request = WakeLatency.open();
  if (typeof request === 'string') throw new Error(request);
  const before = inForce();
  request.keepAwake(true);
  expect(inForce()).toBe(0);
  request.keepAwake(false);
  // Others on this machine may ask for 0 meanwhile.
  expect([before, 2_000_000_000, 0]).toContain(inForce());
  request.close();
});

function inForce(): number {
  const fd = openSync(WAKE_LATENCY, 'r');
  const value = Buffer.alloc(4);
  readSync(fd, value, 0, 4, null);
  closeSync(fd);
  return value.readInt32LE();
}
