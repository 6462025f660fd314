/**
 * Writes scenario folders for both test networks (test/conformance/scenarios/stage.ts,
 * test/schedulers/scenarios/stage.ts).
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FrameRow, frameRow } from '../../src/capture/jsonl.js';
import type { Packet } from './packet.js';
import { subjectOf } from './recorded.js';

/** A line of frames.jsonl. */
export type ScriptRow =
  | FrameRow
  | { readonly t: number; readonly cmd: string }
  | { readonly t: number; readonly end: 1 };

export interface ScenarioTexts {
  readonly rows: readonly ScriptRow[];
  /** The script that configures the kernel's director. */
  readonly setup: string;
  /** The director.yaml of ulvs. */
  readonly yaml: string;
}

/** The row of a packet that is received by `device` at `t` ms. */
export function frameIn(t: number, device: string, packet: Packet): FrameRow {
  return frameRow({ t, if: device, bytes: packet.bytes() });
}

/** Writes frames.jsonl, setup.sh and director.yaml into ROOT/SUBJECT/NAME. */
export function writeScenario(root: string, name: string, { rows, setup, yaml }: ScenarioTexts): void {
  const folder = join(root, subjectOf(name), name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'frames.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  writeFileSync(join(folder, 'setup.sh'), setup);
  writeFileSync(join(folder, 'director.yaml'), yaml);
}
