import type { PersistenceEngine } from '../service/persistence-engine.js';
import { sip } from './sip.js';

/** Every persistence engine there is; adding one is a file and a line here. */
const ALL: readonly PersistenceEngine[] = [sip];

export const ENGINE_NAMES: readonly string[] = ALL.map((engine) => engine.name);

export function engineNamed(name: string): PersistenceEngine | undefined {
  return ALL.find((engine) => engine.name === name);
}

export function engineNumbered(number: number): PersistenceEngine | undefined {
  return ALL.find((engine) => engine.number === number);
}
