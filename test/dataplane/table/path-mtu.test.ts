/** Tests the table of path MTUs: lifetime, minimum and maximum. */
import { describe, expect, it } from 'vitest';
import { PathMtus } from '../../../src/dataplane/table/path-mtu.js';

const SERVER = 0x0a14000b;
const MINUTE = 60_000;

describe('a path MTU', () => {
  it('is kept for ten minutes, and never above the route', () => {
    const paths = new PathMtus();
    expect(paths.mtu(SERVER, 1500, 0)).toBe(1500);
    paths.learn(SERVER, 1000, 1500, 0);
    expect([paths.mtu(SERVER, 1500, 9 * MINUTE), paths.mtu(SERVER, 900, 0), paths.mtu(SERVER + 1, 1500, 0)]).toEqual([
      1000, 900, 1500,
    ]);
    expect(paths.isKnown(SERVER, 10 * MINUTE - 1)).toBe(true);
    expect(paths.mtu(SERVER, 1500, 10 * MINUTE)).toBe(1500);
  });

  it('only ever falls; the same news lengthens its life in its second half', () => {
    const paths = new PathMtus();
    paths.learn(SERVER, 1000, 1500, 0);
    paths.learn(SERVER, 1400, 1500, 0);
    paths.learn(SERVER, 1000, 1500, 4 * MINUTE);
    expect(paths.mtu(SERVER, 1500, 10 * MINUTE)).toBe(1500);
    paths.learn(SERVER, 1000, 1500, 0);
    paths.learn(SERVER, 1000, 1500, 6 * MINUTE);
    expect(paths.mtu(SERVER, 1500, 15 * MINUTE)).toBe(1000);
    paths.learn(SERVER, 800, 1500, 6 * MINUTE);
    expect(paths.mtu(SERVER, 1500, 6 * MINUTE)).toBe(800);
  });

  it('below 552 is not believed, and what was set then stays as it is', () => {
    const paths = new PathMtus();
    paths.learn(SERVER, 68, 1500, 0);
    expect(paths.mtu(SERVER, 1500, 0)).toBe(552);
    paths.learn(SERVER, 540, 1500, 0);
    expect(paths.mtu(SERVER, 1500, 0)).toBe(552);
    paths.learn(SERVER + 1, 0, 500, 0);
    expect(paths.mtu(SERVER + 1, 500, 0)).toBe(500);
  });
});
