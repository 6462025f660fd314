/** Opens the state that a configuration names, or that it has by default. */
import { linesBytes } from '../../conntrack/memory.js';
import type { Config } from '../config/config.js';
import { linesOfEach } from '../engine/shared-memory.js';
import { roomIn, stateDirectory, useLargePagesFor } from './directory.js';
import { StateKeeper } from './keeper.js';

/**
 * undefined: the state ends with the process. `shared`: another director still uses it. Throws a
 * StateError.
 */
export function openKeeper(
  config: Config,
  fresh: boolean,
  warn: (message: string) => void,
  shared = false,
): StateKeeper | undefined {
  const directory = stateDirectory(config);
  if (directory === undefined) return undefined;
  const { workers, connections } = config;
  if (config.state === undefined) useLargePagesFor(directory);
  const lines = linesOfEach(connections.max, workers);
  const keeper = new StateKeeper({ directory, workers, lines, fresh, warn, shared });
  const lack = lackOfRoom(roomIn(directory), linesBytes(connections.max) - keeper.store.used);
  if (lack !== undefined) warn(`state ${directory}: ${lack}`);
  return keeper;
}

/** What is wrong with the room that a tmpfs has left, in bytes; undefined: nothing. */
function lackOfRoom(room: number, wanted: number): string | undefined {
  if (room >= wanted) return undefined;
  const [free, needed] = [room, wanted].map((bytes) => Math.floor(bytes / 2 ** 20));
  return `${free} MB are free, a full table needs ${needed} MB; a full tmpfs ends the director`;
}
