/**
 * bpf(2): maps, programs and test runs, with the numbers and structures of linux/bpf.h
 * (union bpf_attr, little endian). File descriptors are numbers of the process: one thread can
 * create a map and another can fill it. All are closed with `close`. bpf-link.ts attaches programs.
 */

import { Attributes, pinned } from './bpf-call.js';
import { check, errno, SystemError } from './libc.js';

const MAP_CREATE = 0;
const MAP_UPDATE = 2;
const MAP_DELETE = 3;
const MAP_GET_NEXT_KEY = 4;
const MAP_UPDATE_BATCH = 26;
const MAP_DELETE_BATCH = 27;
const PROG_LOAD = 5;
const PROG_TEST_RUN = 10;

const PROG_TYPE_SOCKET_FILTER = 1;
const PROG_TYPE_SCHED_CLS = 3;
const PROG_TYPE_XDP = 6;
const PROG_TYPE_RAW_TRACEPOINT = 17;
const LOG_SIZE = 1 << 20;
const ENOENT = 2;
const EAGAIN = 11;
const LOAD_ATTEMPTS = 5;

export const MapType = { hash: 1, array: 2, perCpuArray: 6, lpmTrie: 11, devMap: 14, xskMap: 17 } as const;
export const BPF_F_NO_PREALLOC = 1;
/** An array that `map` of libc.ts can map: adjacent values of 8 bytes. */
export const BPF_F_MMAPABLE = 1 << 10;
const BPF_F_XDP_HAS_FRAGS = 1 << 5;
export const XDP_DROP = 1;
export const XDP_PASS = 2;
export const XDP_TX = 3;
export const XDP_REDIRECT = 4;
export const TEST_XDP_LIVE_FRAMES = 2;
/** What a classifier returns after bpf_redirect (TC_ACT_REDIRECT). */
export const TC_REDIRECT = 7;
/** Bytes of struct __sk_buff, and offset of gso_size in it. */
const SKB_CONTEXT = 192;
const SKB_GSO_SIZE = 176;

/** The map of BPF_MAP_CREATE: sizes in bytes, `entries` at most. */
export interface MapShape {
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly entries: number;
  readonly flags?: number;
}

/**
 * The verifier rejected a program. `log` is its whole log; the message ends with its last lines.
 */
export class ProgramRefused extends SystemError {
  constructor(
    errno: number,
    readonly log: string,
  ) {
    super('bpf PROG_LOAD', errno);
    const last = log.trimEnd().split('\n').slice(-12).join('\n  ');
    if (last !== '') this.message += `; the verifier:\n  ${last}`;
  }
}

/** Creates a map and returns its file descriptor. Throws a SystemError('bpf MAP_CREATE'). */
export function createMap({ type, keySize, valueSize, entries, flags = 0 }: MapShape): number {
  const attributes = new Attributes().words(0, type, keySize, valueSize, entries, flags);
  return check(attributes.run(MAP_CREATE), 'bpf MAP_CREATE');
}

/** Sets `key` to `value`; adds the key when it is new. Throws a SystemError('bpf MAP_UPDATE'). */
export function updateMap(fd: number, key: Uint8Array, value: Uint8Array): void {
  const attributes = new Attributes().words(0, fd).pointer(8, pinned(key)).pointer(16, pinned(value));
  check(attributes.run(MAP_UPDATE), 'bpf MAP_UPDATE');
}

/**
 * Removes a key. Returns false when the map does not have it. Throws a SystemError('bpf
 * MAP_DELETE').
 */
export function deleteFromMap(fd: number, key: Uint8Array): boolean {
  const result = new Attributes().words(0, fd).pointer(8, pinned(key)).run(MAP_DELETE);
  if (result === 0) return true;
  if (errno() === ENOENT) return false;
  throw new SystemError('bpf MAP_DELETE', errno());
}

/**
 * All keys of a map whose keys have `size` bytes, in hex. Nobody may change it meanwhile. Throws a
 * SystemError('bpf MAP_GET_NEXT_KEY').
 */
export function keysOfMap(fd: number, size: number): string[] {
  const keys: string[] = [];
  const next = pinned(new Uint8Array(size));
  for (let attributes = new Attributes(); ; attributes = new Attributes().pointer(8, pinned(next))) {
    if (attributes.words(0, fd).pointer(16, next).run(MAP_GET_NEXT_KEY) !== 0) break;
    keys.push(Buffer.from(next.subarray(0, size)).toString('hex'));
  }
  if (errno() !== ENOENT) throw new SystemError('bpf MAP_GET_NEXT_KEY', errno());
  return keys;
}

/**
 * Sets many keys in one call: `keys` and `values` hold `count` of each, one after the other.
 * Throws a SystemError('bpf MAP_UPDATE_BATCH'); then some keys may be set. Linux 5.6 for hash
 * tables, 5.18 for tries.
 */
export function updateMapBatch(fd: number, keys: Uint8Array, values: Uint8Array, count: number): void {
  const attributes = new Attributes().pointer(16, keys).pointer(24, values).words(32, count, fd);
  check(attributes.run(MAP_UPDATE_BATCH), 'bpf MAP_UPDATE_BATCH');
}

/**
 * Removes many keys in one call. Throws a SystemError('bpf MAP_DELETE_BATCH'); then some may be
 * gone.
 */
export function deleteFromMapBatch(fd: number, keys: Uint8Array, count: number): void {
  const attributes = new Attributes().pointer(16, keys).words(32, count, fd);
  check(attributes.run(MAP_DELETE_BATCH), 'bpf MAP_DELETE_BATCH');
}

/**
 * Loads an XDP program of 8-byte instructions and returns its file descriptor. `frags`: it takes
 * frames in several buffers (Linux 5.18). Throws a ProgramRefused with the log of the verifier.
 */
export function loadXdp(instructions: Uint8Array, frags = false): number {
  return load(instructions, PROG_TYPE_XDP, frags ? BPF_F_XDP_HAS_FRAGS : 0);
}

/** The same for a socket filter (struct __sk_buff). */
export function loadSocketFilter(instructions: Uint8Array): number {
  return load(instructions, PROG_TYPE_SOCKET_FILTER);
}

/** The same for a classifier of traffic control (struct __sk_buff). */
export function loadClassifier(instructions: Uint8Array): number {
  return load(instructions, PROG_TYPE_SCHED_CLS);
}

/** The same for a tracepoint (attachTracepoint), whose arguments it gets. */
export function loadTracepoint(instructions: Uint8Array): number {
  return load(instructions, PROG_TYPE_RAW_TRACEPOINT);
}

function load(instructions: Uint8Array, type: number, flags = 0): number {
  let error = EAGAIN;
  // A signal ends the verifier's work (EAGAIN); libbpf tries as often.
  for (let attempts = LOAD_ATTEMPTS; attempts > 0 && error === EAGAIN; attempts--) {
    const fd = program(instructions, type, flags).run(PROG_LOAD);
    if (fd >= 0) return fd;
    error = errno();
  }
  const log = pinned(new Uint8Array(LOG_SIZE));
  const second = program(instructions, type, flags).words(24, 1, LOG_SIZE).pointer(32, log).run(PROG_LOAD);
  if (second >= 0) return second;
  throw new ProgramRefused(error, new TextDecoder().decode(log.subarray(0, log.indexOf(0))));
}

function program(instructions: Uint8Array, type: number, flags: number): Attributes {
  const license = pinned(new TextEncoder().encode('Dual MIT/GPL\0'));
  const attributes = new Attributes().words(0, type, instructions.length / 8).words(44, flags);
  return attributes.pointer(8, pinned(instructions)).pointer(16, license);
}

/**
 * Runs a program on one packet, which is not sent. Returns its result (XDP_PASS …). Throws a
 * SystemError.
 */
export function testXdp(programFd: number, packet: Uint8Array): number {
  return runXdp(programFd, packet).result;
}

/** The same with what the program made of the packet. */
export function runXdp(programFd: number, packet: Uint8Array): { result: number; packet: Uint8Array } {
  return testRun(programFd, packet);
}

/**
 * The same of a classifier. `gsoSize`: bytes of a segment of a GSO packet; 0 for another packet.
 * The packet is for no host, as the loopback has no address.
 */
export function runClassifier(
  programFd: number,
  packet: Uint8Array,
  gsoSize = 0,
): { result: number; packet: Uint8Array } {
  const context = pinned(new Uint8Array(SKB_CONTEXT));
  new DataView(context.buffer).setUint32(SKB_GSO_SIZE, gsoSize, true);
  return testRun(programFd, packet, context);
}

function testRun(programFd: number, packet: Uint8Array, context?: Uint8Array): { result: number; packet: Uint8Array } {
  const out = pinned(new Uint8Array(packet.length + 256));
  const attributes = new Attributes().words(0, programFd, 0, packet.length, out.length).words(32, 1);
  if (context !== undefined) attributes.words(40, context.length).pointer(48, context);
  check(attributes.pointer(16, pinned(packet)).pointer(24, out).run(PROG_TEST_RUN), 'bpf PROG_TEST_RUN');
  const { view } = attributes;
  return { result: view.getUint32(4, true), packet: out.subarray(0, view.getUint32(12, true)) };
}

/**
 * Runs a program `repeat` times on live frames, which come in by interface `ifindex`
 * (ingress_ifindex of struct xdp_md). The kernel acts on each result; XDP_TX sends the frame by
 * this interface. Throws a SystemError.
 */
export function runXdpLive(programFd: number, packet: Uint8Array, ifindex: number, repeat: number): void {
  const context = new Uint8Array(new ArrayBuffer(24));
  new DataView(context.buffer).setUint32(4, packet.length, true);
  new DataView(context.buffer).setUint32(12, ifindex, true);
  const attributes = new Attributes().words(0, programFd, 0, packet.length).pointer(16, pinned(packet));
  attributes.words(32, repeat).words(40, context.length).pointer(48, context).words(64, TEST_XDP_LIVE_FRAMES, 0, 64);
  check(attributes.run(PROG_TEST_RUN), 'bpf PROG_TEST_RUN');
}
