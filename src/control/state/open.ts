/** Opens the state that a configuration names, or that it has by default. */
import path from 'node:path';
import type { Logger } from 'pino';
import { linesBytes } from '../../conntrack/memory.js';
import { type Config, NO_STATE } from '../config/config.js';
import { linesOfEach } from '../engine/shared-memory.js';
import { roomIn, stateDirectory, useLargePagesFor } from './directory.js';
import { StateKeeper } from './keeper.js';

/** How to open it. */
interface Options {
  /** Forget what is there. */
  readonly fresh?: boolean;
  /** The process that uses it hands it over. */
  readonly taker?: object | undefined;
}

/** undefined: the state ends with the process. Throws a StateError. */
export function openKeeper(
  config: Config,
  { fresh = false, taker }: Options,
  log: Pick<Logger, 'info' | 'warn'>,
): StateKeeper | undefined {
  const directory = stateDirectory(config);
  if (directory === undefined) {
    if (config.state !== NO_STATE)
      log.info(`a restart keeps no connections: ${path.dirname(config.socket)} is not in a tmpfs (key state)`);
    return undefined;
  }
  const { workers, connections } = config;
  if (config.state === undefined) useLargePagesFor(directory);
  const lines = linesOfEach(connections.max, workers);
  const keeper = new StateKeeper({
    directory,
    workers,
    lines,
    ftp: config.helpers.ftp,
    fresh,
    info: (message) => log.info(message),
    warn: (message) => log.warn(message),
    shared: taker !== undefined,
  });
  const lack = lackOfRoom(roomIn(directory), linesBytes(connections.max) - keeper.store.used);
  if (lack !== undefined) log.warn(`state ${directory}: ${lack}`);
  return keeper;
}

/** What is wrong with the room that a tmpfs has left, in bytes; undefined: nothing. */
function lackOfRoom(room: number, wanted: number): string | undefined {
  if (room >= wanted) return undefined;
  const [free, needed] = [room, wanted].map((bytes) => Math.floor(bytes / 2 ** 20));
  return `${free} MB are free, a full table needs ${needed} MB; a full tmpfs ends the director`;
}
