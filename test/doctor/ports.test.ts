/** The source ports of the doctor's SYNs. */
import { describe, expect, it } from 'vitest';
import { FIRST_PORT, PORTS } from '../../src/doctor/live-capture.js';
import { choose, localPorts } from '../../src/doctor/ports.js';

const TABLES = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100000A:797C 6E01A8C0:0050 06 00000000:00000000 03:00000E12 00000000     0        0 0 3 0
  sl  local_address                         remote_address                        st tx_queue rx_queue
   0: 00000000000000000000000001000000:797D 00000000000000000000000001000000:0050 06 00000000:00000000 03:1 0 0 0 0 3 0
`;

describe("the doctor's ports", () => {
  it('belong to no connection, not even one in TIME_WAIT', () => {
    expect(localPorts(TABLES)).toEqual([80, 31100, 31101]);
    const used = new Set(Array.from({ length: PORTS }, (_, i) => FIRST_PORT + i).filter((port) => port % 40 > 8));
    for (let i = 0; i < 100; i++) {
      const base = choose(used, 6);
      expect([0, 1, 2, 3, 4, 5].filter((n) => used.has(base + n))).toEqual([]);
      expect(base).toBeGreaterThanOrEqual(FIRST_PORT);
      expect(base + 6).toBeLessThanOrEqual(FIRST_PORT + PORTS);
    }
  });

  it('are chosen at random if all are in use', () => {
    const used = new Set(Array.from({ length: PORTS }, (_, i) => FIRST_PORT + i));
    expect(choose(used, 6)).toBeGreaterThanOrEqual(FIRST_PORT);
  });
});
