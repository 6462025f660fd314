/**
 * The oracle's frames.jsonl and out.jsonl (oracle/README.md): one JSON object a line.
 *
 *     {"t":0,"if":"eth0","hex":"…"}   {"t":5,"cmd":"ipvsadm -Ln"}   {"t":9000,"end":1}
 */
import { readFileSync } from 'node:fs';
import { DeviceError } from '../device/error.js';
import type { TimedFrame } from './frame.js';

/** `index` is the line's number among those that are not empty, from 0: what `after` in out.jsonl points to. */
export type ScriptLine =
  | ({ kind: 'frame'; index: number } & TimedFrame)
  | { kind: 'command'; index: number; t: number; cmd: string }
  | { kind: 'end'; index: number; t: number };

/** Reads a file. Throws a DeviceError 'file:line: what is wrong'. */
export function readScript(path: string): ScriptLine[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new DeviceError(path, `cannot be read (${(error as NodeJS.ErrnoException).code ?? error})`);
  }
  return parseScript(text, path);
}

/** The same for text at hand; `name` is for the messages. */
export function parseScript(text: string, name: string): ScriptLine[] {
  const lines: ScriptLine[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    lines.push(scriptLine(line, lines.length, `${name}:${i + 1}`));
  }
  // As the oracle does: in the order of time, of equal times in the file's.
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
  if (typeof hex !== 'string') throw new DeviceError(place, 'neither "hex", "cmd" nor "end"');
  if (hex.length % 2 !== 0) throw new DeviceError(place, `"hex" has an odd number of digits (${hex.length})`);
  const wrong = hex.search(/[^0-9a-f]/i);
  if (wrong >= 0) throw new DeviceError(place, `"hex" has '${hex[wrong]}' at digit ${wrong + 1}`);
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

/** A frame as a line of out.jsonl (without the line feed); `after` is left out when it is not given. */
export function frameLine(frame: TimedFrame, after?: number): string {
  return JSON.stringify({ t: frame.t, if: frame.if, hex: Buffer.from(frame.bytes).toString('hex'), after });
}
