/**
 * The longest time in which frames for the director came and none left it, measured in the kernel.
 * The gaps that the client reports have its own waits for a processor in them, and those of the
 * realserver: this has not.
 *
 *     to the director   waiting = 0 ─► waiting = now
 *     from the director waiting ≠ 0 ─► longest = max(longest, now − waiting), waiting = 0
 *
 * The host of a virtual machine takes its CPUs away at times (flood/pauses.ts). What a stall has
 * beyond that is `own`: the CPU that paused longest meanwhile is subtracted, for the frame may have
 * waited for it.
 *
 *     shared:  | waiting 64 | longest 64 | own 64 | at its begin, of each CPU: paused so far 64 … |      ns
 *
 * Filters of packet sockets count; no socket gets a packet. Two CPUs that write at the same time
 * may lose a frame's mark, and the next frame sets it again.
 */
import { cpus } from 'node:os';
import { Assembler, Call } from '../../device/bpf/assembler.js';
import { loadSocketFilter } from '../../sys/bpf.js';
import { check, close, ifNameToIndex, socket } from '../../sys/libc.js';
import { inNetns } from '../../sys/netns.js';
import { AF_PACKET, bindPacket, ETH_P_ALL, SOCK_CLOEXEC, SOCK_RAW, setFilter } from '../../sys/packet-socket.js';
import { BpfCounters } from '../flood/bpf-counters.js';
import { loadPaused, Pauses } from '../flood/pauses.js';

/** struct __sk_buff: byte offsets. */
const [PACKET_TYPE, PROTOCOL] = [4, 16];
const PACKET_OUTGOING = 4;
const IPV4_ON_WIRE = 0x0008;
const [WAITING, LONGEST, OWN, PAUSED] = [0, 8, 16, 24];
const NS_PER_MS = 1e6;

/** In ms. */
export interface Stalls {
  /** The longest stall. */
  readonly longest: number;
  /** The longest one without the machine's pauses in it; undefined: they are not known here. */
  readonly own: number | undefined;
}

export class Stall {
  private readonly counters = new BpfCounters(1, PAUSED / 8 + cpus().length);
  private readonly fds: number[] = [];
  private readonly pauses = pausesHere();

  /**
   * Watches IPv4 in a namespace: what it sends by the interfaces `to` goes to the director, what it
   * receives by `from` comes from it. Throws a SystemError.
   */
  constructor(namespace: string, to: readonly string[], from: string) {
    inNetns(namespace, () => {
      for (const name of to) this.watch(name, arrives);
      this.watch(from, leaves);
    });
  }

  private watch(name: string, program: (map: number, pauses: number | undefined) => Uint8Array): void {
    const filter = loadSocketFilter(program(this.counters.fd, this.pauses?.fd));
    const fd = check(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), 'socket');
    this.fds.push(filter, fd);
    setFilter(fd, filter);
    bindPacket(fd, ifNameToIndex(name), ETH_P_ALL);
  }

  /** Since the last call. */
  take(): Stalls {
    return { longest: this.takeWord(LONGEST), own: this.pauses === undefined ? undefined : this.takeWord(OWN) };
  }

  private takeWord(at: number): number {
    const { values } = this.counters;
    const ns = Number(values[at / 8]);
    values[at / 8] = 0n;
    return Math.round(ns / (NS_PER_MS / 10)) / 10;
  }

  close(): void {
    for (const fd of this.fds.splice(0)) close(fd);
    this.pauses?.close();
    this.counters.close();
  }
}

/** Undefined: this machine's timers cannot be watched. */
function pausesHere(): Pauses | undefined {
  try {
    return new Pauses();
  } catch {
    return undefined;
  }
}

function arrives(map: number, pauses: number | undefined): Uint8Array {
  const asm = begin(map, '!=').load(64, 'r1', 'r7', WAITING).jumpIf('r1', '!=', 0, 'end');
  asm.call(Call.ktime).store(64, 'r7', WAITING, 'r0');
  if (pauses !== undefined)
    for (const cpu of cpus().keys()) {
      loadPaused(asm, pauses, cpu, 'end');
      asm.store(64, 'r7', PAUSED + 8 * cpu, 'r1');
    }
  return end(asm);
}

function leaves(map: number, pauses: number | undefined): Uint8Array {
  const asm = begin(map, '==').load(64, 'r8', 'r7', WAITING).jumpIf('r8', '==', 0, 'end');
  asm.call(Call.ktime).store(64, 'r7', WAITING, 0).mov('r9', 'r0').jumpIf('r9', '<=', 'r8', 'end').sub('r9', 'r8');
  keepLongest(asm, LONGEST);
  if (pauses !== undefined) {
    subtractPause(asm, pauses);
    keepLongest(asm, OWN);
  }
  return end(asm);
}

/** The word at `at` becomes r9 where that is more. */
function keepLongest(asm: Assembler, at: number): void {
  asm.load(64, 'r1', 'r7', at).jumpIf('r9', '<=', 'r1', `kept ${at}`).store(64, 'r7', at, 'r9').label(`kept ${at}`);
}

/** r9 −= what the CPU that paused longest has paused since the stall began; at least 0. */
function subtractPause(asm: Assembler, pauses: number): void {
  asm.mov('r6', 0);
  for (const cpu of cpus().keys()) {
    loadPaused(asm, pauses, cpu, 'end');
    asm.load(64, 'r2', 'r7', PAUSED + 8 * cpu).sub('r1', 'r2');
    asm.jumpIf('r1', '<=', 'r6', `less ${cpu}`).mov('r6', 'r1').label(`less ${cpu}`);
  }
  asm.jumpIf('r9', '<=', 'r6', 'end').sub('r9', 'r6');
}

/** r7: what is shared. `other`: an skb does not count when its type compares so with OUTGOING. */
function begin(map: number, other: '==' | '!='): Assembler {
  const asm = new Assembler().mov('r6', 'r1').load(32, 'r1', 'r6', PROTOCOL).jumpIf('r1', '!=', IPV4_ON_WIRE, 'end');
  asm.load(32, 'r1', 'r6', PACKET_TYPE).jumpIf('r1', other, PACKET_OUTGOING, 'end');
  asm.store(32, 'r10', -4, 0).map('r1', map).mov('r2', 'r10').add('r2', -4).call(Call.mapLookup);
  return asm.jumpIf('r0', '==', 0, 'end').mov('r7', 'r0');
}

function end(asm: Assembler): Uint8Array {
  return asm.label('end').mov('r0', 0).exit().assemble();
}
