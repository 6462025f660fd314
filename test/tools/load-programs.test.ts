/** tools/oracle/load-programs.mjs in this kernel: it uses modules that no type check compares it with. */
import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { withoutXdp } from '../device/xdp/missing.js';

it.skipIf(withoutXdp !== '')(`prints a line for each program and each kind of device ${withoutXdp}`, () => {
  const text = execFileSync(process.execPath, ['tools/oracle/load-programs.mjs'], { encoding: 'utf8' });
  expect(text.match(/instructions, (\d+ examined|unknown examined|refused)/g)).toHaveLength(4);
  expect(text.match(/^director with (xdp|packet) devices: ./gm)).toHaveLength(2);
});
