/**
 * Names and paths of a lab. Its id is the topology's name and a word, so that several labs can be
 * up at once: four random hex digits, or what the user has chosen.
 */
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { LABS_DIRECTORY } from '../control/api/socket-path.js';
import { LabError } from './error.js';

const WORD = /^[a-z0-9][a-z0-9-]{0,15}$/;

/** In a user namespace /run is a private tmpfs (lab/build/rootless.ts). */
export const STATE_DIRECTORY = LABS_DIRECTORY;

/** Throws a LabError for a word that cannot be a part of file names. */
export function newId(topology: string, word: string = randomBytes(2).toString('hex')): string {
  if (!WORD.test(word)) throw new LabError(`--name ${word}: use 1 to 16 of a-z, 0-9 and -`);
  return `${topology}-${word}`;
}

export function namespaceOf(id: string, host: string): string {
  return `ulvs-${id}-${host}`;
}

/** The namespace that holds the bridges, one for each segment. */
export const SWITCH = 'switch';

/**
 * The switch's end of the veth of a host's port. A capture there sees everything that the host
 * sends and receives, whatever the kind of its device.
 */
export function switchEnd(host: string, dev: string): string {
  return `${host}-${dev}`;
}

/** The outer end of the veth pair by which a realserver's decapsulated packets arrive. */
export function outerEnd(dev: string): string {
  return `${dev}-out`;
}

export function statePath(id: string): string {
  return `${STATE_DIRECTORY}/${id}.json`;
}

/** The folder of a lab that is up: director.yaml, control socket, logs and captures. */
export function directoryOf(id: string): string {
  return `${STATE_DIRECTORY}/${id}`;
}

/**
 * The path of a compiled program below dist. src/lab and dist/lab are both two levels below the
 * root, so this also works in tests.
 */
export function program(path: string): string {
  return fileURLToPath(new URL(`../../dist/${path}`, import.meta.url));
}
