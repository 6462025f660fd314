/**
 * Replays a scenario folder (tools/oracle/README.md) through a director in this thread:
 * frames.jsonl in, rows in the form of out.jsonl out. The clock is virtual: 15 minutes of waiting
 * take no time.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FrameRow, frameRow, readScript, type ScriptLine } from '../capture/jsonl.js';
import { loadConfig } from '../control/config/config.js';
import { InProcessDirector } from '../control/inprocess.js';
import { loadRules } from '../ulvsadm/rules.js';
import { runCommandLine } from './command.js';
import { readHosts, Wire } from './wire.js';

/** `after` is the index of the last line of frames.jsonl that was processed before. */
export interface FrameOut extends FrameRow {
  after: number;
}
export interface CommandOut {
  t: number;
  cmd: string;
  rc: number;
  out: string;
  after: number;
}
export type Row = FrameOut | CommandOut;

/** The recording ends this many ms after the last line, unless that line is an `end`. */
const TAIL = 100;

/** Runs the scenario and returns its rows. `spy` gets the director before the first frame. */
export async function replayScenario(dir: string, spy?: (director: InProcessDirector) => void): Promise<Row[]> {
  const config = loadConfig(join(dir, 'director.yaml'));
  const script = readScript(join(dir, 'frames.jsonl'));
  const run = new ScenarioRun(
    config.devices.map(({ name }) => name),
    hostsOf(dir),
  );
  const director = new InProcessDirector(config, (device, bytes) => run.sent(device, bytes));
  await loadRules(config, director);
  spy?.(director);
  await run.play(director, script);
  return run.rows;
}

function hostsOf(dir: string) {
  const file = join(dir, 'wire.json');
  return existsSync(file) ? readHosts(file, readFileSync(file, 'utf8')) : [];
}

class ScenarioRun {
  readonly rows: Row[] = [];
  private readonly wire: Wire;
  private after = -1;
  private now = 0;
  private readonly answers: { device: number; bytes: Uint8Array }[] = [];

  constructor(
    private readonly devices: readonly string[],
    hosts: ReturnType<typeof readHosts>,
  ) {
    this.wire = new Wire(hosts);
  }

  sent(device: number, bytes: Uint8Array): void {
    const name = this.devices[device]!;
    this.rows.push({ ...frameRow({ t: this.now, if: name, bytes }), after: this.after });
    const reply = this.wire.answer(name, bytes);
    if (reply !== undefined) this.answers.push({ device, bytes: reply });
  }

  async play(director: InProcessDirector, script: readonly ScriptLine[]): Promise<void> {
    for (const line of script) {
      this.pass(director, line.t);
      this.after = line.index;
      await this.line(director, line);
      this.deliver(director);
    }
    const last = script.at(-1);
    if (last !== undefined) this.pass(director, last.t + (last.kind === 'end' ? 0 : TAIL));
  }

  private pass(director: InProcessDirector, to: number): void {
    while (this.now < to) {
      this.now = Math.min(to, this.now + 10);
      director.advance(this.now);
      this.deliver(director);
    }
  }

  private async line(director: InProcessDirector, line: ScriptLine): Promise<void> {
    if (line.kind === 'command') {
      const { rc, out } = await runCommandLine(line.cmd, director);
      this.rows.push({ t: this.now, cmd: line.cmd, rc, out, after: line.index });
    } else if (line.kind === 'frame') {
      const device = this.devices.indexOf(line.if);
      if (device < 0) throw new Error(`frames.jsonl: line ${line.index}: no device ${line.if} in director.yaml`);
      director.receive(device, line.bytes);
    }
  }

  /** Delivers the answers of the wire's hosts to the director's ARP requests and solicitations. */
  private deliver(director: InProcessDirector): void {
    for (let one = this.answers.shift(); one !== undefined; one = this.answers.shift())
      director.receive(one.device, one.bytes);
  }
}
