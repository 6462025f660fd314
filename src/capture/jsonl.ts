/**
 * Reads and writes frames.jsonl and out.jsonl, the files of a scenario (tools/oracle/README.md):
 * one JSON object a line.
 *
 *     {"t":0,"if":"eth0","hex":"…","is":"…"}   {"t":5,"cmd":"ipvsadm -Ln"}   {"t":9000,"end":1}
 *
 * `is` is `hex` in words, for people who read the file. Programs ignore it.
 */
import { readFileSync } from 'node:fs';
import { DeviceError } from '../device/error.js';
import { printFrame } from '../wire/print.js';
import type { TimedFrame } from './frame.js';

/**
 * A frame as a line of frames.jsonl. In out.jsonl `after` follows: the index of the line that
 * caused the frame.
 */
export interface FrameRow {
  /** Milliseconds since the begin of the scenario. */
  readonly t: number;
  /** Name of the interface. */
  readonly if: string;
  /** The frame with its Ethernet header, without the frame check sequence. */
  readonly hex: string;
  /** The frame in words: `printFrame` of `hex`. */
  readonly is: string;
}

/**
 * A line. `index` counts the lines that are not empty, from 0; `after` in out.jsonl refers to it.
 */
export type ScriptLine =
  | ({ kind: 'frame'; index: number } & TimedFrame)
  | { kind: 'command'; index: number; t: number; cmd: string }
  | { kind: 'end'; index: number; t: number };

/** Reads a file. Throws a DeviceError that names file and line. */
export function readScript(path: string): ScriptLine[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new DeviceError(path, `cannot be read (${(error as NodeJS.ErrnoException).code ?? error})`);
  }
  return parseScript(text, path);
}

/** The same for a text. `name` is the file's name in the errors. */
export function parseScript(text: string, name: string): ScriptLine[] {
  const lines: ScriptLine[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    lines.push(scriptLine(line, lines.length, `${name}:${i + 1}`));
  }
  // By time, as the oracle does; lines of equal time stay in the order of the file.
  return lines.sort((a, b) => a.t - b.t);
}

function scriptLine(text: string, index: number, place: string): ScriptLine {
  const line = object(text, place);
  const { t } = line;
  if (typeof t !== 'number' || !(t >= 0)) throw new DeviceError(place, '"t" must be a number of milliseconds ≥ 0');
  if (typeof line.cmd === 'string') return { kind: 'command', index, t, cmd: line.cmd };
  if (line.end !== undefined) return { kind: 'end', index, t };
  if (typeof line.if !== 'string' || line.if === '') throw new DeviceError(place, '"if" must name an interface');
  return { kind: 'frame', index, t, if: line.if, bytes: frameBytes(line.hex, place) };
}

function object(text: string, place: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DeviceError(place, `not JSON (${(error as Error).message.split('\n')[0]})`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new DeviceError(place, 'not a JSON object');
}

function frameBytes(hex: unknown, place: string): Uint8Array {
  if (typeof hex !== 'string') throw new DeviceError(place, 'has no "hex", "cmd" or "end"');
  if (hex.length % 2 !== 0) throw new DeviceError(place, `"hex" has an odd number of digits (${hex.length})`);
  const wrong = hex.search(/[^0-9a-f]/i);
  if (wrong >= 0) throw new DeviceError(place, `"hex" has '${hex[wrong]}' at digit ${wrong + 1}`);
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

/** The line of frames.jsonl for a frame. */
export function frameRow({ t, if: device, bytes }: TimedFrame): FrameRow {
  return { t, if: device, hex: Buffer.from(bytes).toString('hex'), is: printFrame(bytes) };
}
