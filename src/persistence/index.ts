/** The list of persistence engines. A new engine is a file in this folder and a line here. */
import type { PersistenceEngine } from '../service/persistence-engine.js';
import { sip } from './sip.js';

/** Every engine. */
const ALL: readonly PersistenceEngine[] = [sip];

export const ENGINE_NAMES: readonly string[] = ALL.map((engine) => engine.name);

export function engineNamed(name: string): PersistenceEngine | undefined {
  return ALL.find((engine) => engine.name === name);
}

export function engineNumbered(number: number): PersistenceEngine | undefined {
  return ALL.find((engine) => engine.number === number);
}
