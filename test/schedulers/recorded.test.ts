/**
 * Replays each recorded scenario of the schedulers (test/conformance/recorded/sched) through the
 * director. The sent frames, with the MAC address of the chosen destination, and the listings must
 * be the recorded ones. Ignored are the IP id and flow label of ICMP errors and the packets of the
 * kernel's own host stack (RST to a client, multicast listener reports). Expiry times may differ by
 * 2 s, or by 16 s where the kernel's timers are coarse.
 */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type FrameOut, type Row, replayScenario } from '../../src/replay/scenario.js';
import { recordedScenario, recordedScenarios } from '../support/recorded.js';

const EXPIRY = / (\d\d):(\d\d) /;
const names = [...recordedScenarios().keys()].filter((name) => name.startsWith('sched-'));

const recorded = (name: string): Row[] =>
  readFileSync(`${recordedScenario(name)}/out.jsonl`, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);

const ICMP = 1;
const ICMP6 = 58;
const TCP = 6;
const RST = 4;

/** The frame with its free fields masked; undefined for a frame of the host's own stack. */
function bound(row: FrameOut): string | undefined {
  const frame = Buffer.from(row.hex, 'hex');
  const six = frame.readUInt16BE(12) === 0x86dd;
  const protocol = frame[six ? 20 : 23]!;
  const l4 = six ? 54 : 34;
  if (row.hex.startsWith('333300000016')) return undefined;
  if (row.if === 'eth0' && protocol === TCP && (frame[l4 + 13]! & RST) !== 0) return undefined;
  if (!six && protocol === ICMP) frame.fill(0, 18, 20).fill(0, 24, 26);
  if (six && protocol === ICMP6) frame.fill(0, 15, 18);
  return `${row.after} ${row.if} ${frame.toString('hex')}`;
}

/** One line for each frame and for each line of output, without the expiry of connections. */
function linesOf(rows: readonly Row[]): string[] {
  return rows.flatMap((row) => {
    if ('hex' in row) return bound(row) ?? [];
    const text = row.out.replaceAll(new RegExp(EXPIRY, 'g'), ' --:-- ');
    // ipvsadm sorted the listing by the expiry, which is ignored here.
    return [`${row.after} ${row.cmd}: rc ${row.rc}`, ...text.split('\n').sort()];
  });
}

/** Seconds until expiry, by connection. */
function expiries(rows: readonly Row[]): Map<string, number> {
  const lines = rows.flatMap((row) => ('cmd' in row ? row.out.split('\n') : []));
  return new Map(
    lines.flatMap((line) => {
      const [, minutes, seconds] = EXPIRY.exec(line) ?? [];
      return minutes === undefined ? [] : [[line.replace(EXPIRY, ' '), Number(minutes) * 60 + Number(seconds)]];
    }),
  );
}

it.each(names)('%s', async (name) => {
  const kernel = recorded(name);
  const ours = await replayScenario(recordedScenario(name));
  expect(linesOf(ours)).toEqual(linesOf(kernel));
  const times = expiries(ours);
  for (const [line, seconds] of expiries(kernel)) {
    expect(Math.abs(times.get(line)! - seconds), line).toBeLessThanOrEqual(seconds > 131 ? 16 : 2);
  }
});

it('has recordings of every scheduler but twos, whose choices are random', () => {
  const schedulers = new Set(names.map((name) => name.split('-')[1]));
  expect([...schedulers].sort()).toEqual('dh fo lblc lblcr lc mh nq ovf rr sed sh wlc wrr'.split(' '));
  expect(names.length).toBeGreaterThanOrEqual(100);
});
