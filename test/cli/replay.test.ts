/**
 * `ulvs replay` as it is typed: captures, their traces and summaries, and options that have no
 * effect.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readScript } from '../../src/capture/jsonl.js';
import { PcapWriter } from '../../src/capture/pcap.js';
import { replayCommand } from '../../src/cli/commands/replay.js';
import type { FrameOut } from '../../src/replay/scenario.js';

const NAT = 'test/conformance/recorded/basic/nat-basic';

let dir: string;
let said: string[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ulvs-replay-'));
  said = [];
  vi.spyOn(console, 'error').mockImplementation((line: string) => void said.push(...line.split('\n')));
  vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
  rmSync(dir, { recursive: true });
});

/** Runs the command and returns its exit code; `said` has its lines on stderr. */
async function replay(...words: string[]): Promise<unknown> {
  await replayCommand().parseAsync(words, { from: 'user' });
  return process.exitCode;
}

/** Writes the frames that eth0 receives in a scenario before `end` (ms). */
function capture(scenario: string, end: number): string {
  const path = join(dir, 'in.pcap');
  const writer = new PcapWriter(path);
  for (const line of readScript(join(scenario, 'frames.jsonl')))
    if (line.kind === 'frame' && line.if === 'eth0' && line.t < end) writer.write(line.t, line.bytes);
  writer.close();
  return path;
}

/** The scenario's configuration without the keys that a live director would not need. */
function config(without: RegExp = /$^/): string {
  const path = join(dir, 'director.yaml');
  writeFileSync(path, readFileSync(join(NAT, 'director.yaml'), 'utf8').replace(without, ''));
  return path;
}

const of = (without?: RegExp, end = 1e9) => ['--pcap', capture(NAT, end), '-c', config(without), '--if', 'eth0'];
/**
 * Before this time (ms) frames that wait for a neighbour are still waiting: after 3 s they are
 * dropped.
 */
const SOON = 1000;

/** The numbers of the summary: in, forwarded, delivered, passed, dropped, waiting. */
function figures(): number[] {
  const line = said.find((one) => / in, \d+ forwarded/.test(one))!;
  const word = (name: string) => Number(new RegExp(`(\\d+) ${name}`).exec(line)?.[1] ?? 0);
  return ['in', 'forwarded', 'delivered', 'passed', 'dropped', 'waiting for a neighbour'].map(word);
}

describe('a capture', () => {
  it('is explained with --trace, by a filter or drops alone', async () => {
    expect(await replay(...of(), '--trace', 'src port 40001')).toBeUndefined();
    expect(said[0]).toMatch(/^0\.000 ms {2}in eth0 .* 10\.0\.0\.1\.40001 > 10\.0\.0\.100\.80: tcp \[S\]/);
    expect(said.filter((line) => / in eth0 /.test(line)).every((line) => line.includes('.40001 > '))).toBe(true);
    said = [];
    await replay(...of(), '--trace', '--drops');
    const verdicts = said.filter((line) => /^ {2}(forwarded|dropped)/.test(line));
    expect(new Set(verdicts.map((line) => line.split(':')[0]))).toEqual(new Set(['  dropped']));
    expect(verdicts).toHaveLength(figures()[4]!);
  });

  it('has counts that add up while frames wait, and advice on the configuration', async () => {
    await replay(...of(undefined, SOON));
    const [all, forwarded] = figures();
    expect(forwarded).toBeGreaterThan(0);
    expect(said.some((line) => line.startsWith('nothing was forwarded'))).toBe(false);
    said = [];
    await replay(...of(/neighbours:\n( {2}- .*\n)*/, SOON));
    const [inAll, none, ...others] = figures();
    expect([inAll, none]).toEqual([all, 0]);
    expect(others.at(-1)).toBeGreaterThan(0);
    expect(others.reduce((sum, one) => sum + one, 0)).toBe(all);
    expect(said.at(-1)).toMatch(/^nothing was forwarded: .*director\.yaml must have .*routes: and neighbours:$/);
  });

  it('of frames for another MAC has the same advice', async () => {
    const file = config();
    writeFileSync(file, readFileSync(file, 'utf8').replace('02:00:00:00:0d:00', '02:00:00:00:0d:ff'));
    await replay('--pcap', capture(NAT, 1e9), '-c', file, '--if', 'eth0');
    expect(said.join()).toMatch(/ 0 forwarded, .* dropped \(otherHost \d+\),/);
    expect(said.at(-1)).toMatch(/^nothing was forwarded: .*director\.yaml must have addresses: \(and mac:\)/);
  });

  it('has no route without addresses', async () => {
    await replay(...of(/, addresses: \[[^\]]*\]/g));
    expect(said.join()).toContain('noRoute');
    expect(said.at(-1)).toMatch(/^nothing was forwarded/);
  });
});

describe('a scenario', () => {
  it('is answered in the form of out.jsonl, with words behind each frame', async () => {
    const out = join(dir, 'out.jsonl');
    expect(await replay(NAT, '--out', out)).toBeUndefined();
    const [first] = readFileSync(out, 'utf8').split('\n');
    const row = JSON.parse(first!) as FrameOut;
    expect(Object.keys(row)).toEqual(['t', 'if', 'hex', 'is', 'after']);
    expect(row.is).toMatch(
      /^02:00:00:00:0d:01 > 02:00:00:00:a0:12 IP .* 10\.0\.0\.1\.40001 > 192\.168\.1\.12\.8081: tcp \[S\]/,
    );
    const frames = readScript(out).filter(({ kind }) => kind === 'frame');
    expect(readFileSync(out, 'utf8').match(/"is":/g)).toHaveLength(frames.length);
  });
});

describe('options without effect are refused', () => {
  it.each([
    [['dir', '--pcap', 'f'], 'replay: give a folder (dir) or a capture (--pcap f), not both'],
    [
      ['--pcap', 'f', '--trace', 'port', '80'],
      "replay: give a folder (80) or a capture (--pcap f), not both; quote a filter of several words: --trace 'port …'",
    ],
    [['dir', '-c', 'f'], 'replay: -c goes with --pcap; a scenario folder has its own director.yaml'],
    [['dir', '--if', 'eth0'], 'replay: --if goes with --pcap; in a scenario folder each frame has its device'],
    [['dir', '--drops'], 'replay: --drops selects packets for --trace or --view: add one of them'],
    [
      ['--trace', 'dir'],
      'replay: name a scenario folder, or a capture with --pcap, -c and --if; --trace took dir as its filter: name the folder before --trace',
    ],
  ])('%j', async (words, line) => {
    expect(await replay(...words)).toBe(2);
    expect(said).toEqual([`ulvs: ${line}`]);
  });
});
