/**
 * Replays the recorded scenarios through a director with the XDP program in front of it, which
 * forwards each connection from its first packet on. The answers must still be those of the kernel.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Row, replayScenario } from '../../src/replay/scenario.js';
import { withoutXdp } from '../device/xdp/missing.js';
import { type FlowKernel, inFrontOf } from '../support/flow-kernel.js';
import { recordedScenarios } from '../support/recorded.js';
import { compare } from './compare.js';

function recorded(folder: string): Row[] {
  const lines = readFileSync(`${folder}/out.jsonl`, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Row);
}

/** Those with packets of established connections, or all with ULVS_RUNS=all. */
const REACHING =
  process.env.ULVS_RUNS === 'all' ? /^/ : /^(xmit|mtu|nat-|state-tcp|ftp-(active|passive|port|removed)|dr-)/;
const scenarios = [...recordedScenarios()].filter(([name]) => REACHING.test(name));

/** Scenarios in which the program has forwarded a packet. */
let offloaded = 0;

describe.skipIf(withoutXdp !== '')('scenarios recorded from the kernel, offloaded', () => {
  it.each(scenarios)('%s', async (_, folder) => {
    let kernel: FlowKernel | undefined;
    const rows = await replayScenario(folder, (director) => {
      kernel = inFrontOf(director, ({ device, bytes }) => director.outlet(device, bytes));
    });
    if (kernel!.forwarded > 0) offloaded++;
    expect(compare(rows, recorded(folder))).toEqual([]);
  });

  it('are offloaded, some of them', () => {
    console.log(`offload: the program forwarded in ${offloaded} scenarios`);
    expect(offloaded).toBeGreaterThan(25);
  });
});
