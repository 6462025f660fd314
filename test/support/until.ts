/** Waits until something holds, 10 s at most; then the test fails. */
import { setTimeout as sleep } from 'node:timers/promises';

export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (await holds()) return;
    await sleep(20);
  }
  throw new Error(`did not come in 10 s: ${holds}`);
}
