/**
 * The longest time in which frames for the director came and none left it, measured in the kernel.
 * The gaps that the client reports have its own waits for a processor in them, and those of the
 * realserver: this has not.
 *
 *     to the director   waiting = 0 ─► waiting = now
 *     from the director waiting ≠ 0 ─► longest = max(longest, now − waiting), waiting = 0
 *
 *     shared:  | waiting 64 | longest 64 |      ns
 *
 * Filters of packet sockets count; no socket gets a packet. Two CPUs that write at the same time
 * may lose a frame's mark, and the next frame sets it again.
 */
import { Assembler, Call } from '../../device/bpf/assembler.js';
import { loadSocketFilter } from '../../sys/bpf.js';
import { check, close, ifNameToIndex, socket } from '../../sys/libc.js';
import { inNetns } from '../../sys/netns.js';
import { AF_PACKET, bindPacket, ETH_P_ALL, SOCK_CLOEXEC, SOCK_RAW, setFilter } from '../../sys/packet-socket.js';
import { BpfCounters } from '../flood/bpf-counters.js';

/** struct __sk_buff: byte offsets. */
const [PACKET_TYPE, PROTOCOL] = [4, 16];
const PACKET_OUTGOING = 4;
const IPV4_ON_WIRE = 0x0008;
const [WAITING, LONGEST] = [0, 8];
const NS_PER_MS = 1e6;

export class Stall {
  private readonly counters = new BpfCounters(1, 2);
  private readonly fds: number[] = [];

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

  private watch(name: string, program: (map: number) => Uint8Array): void {
    const filter = loadSocketFilter(program(this.counters.fd));
    const fd = check(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), 'socket');
    this.fds.push(filter, fd);
    setFilter(fd, filter);
    bindPacket(fd, ifNameToIndex(name), ETH_P_ALL);
  }

  /** The longest stall since the last call, ms. */
  take(): number {
    const { values } = this.counters;
    const longest = Number(values[1]);
    values[1] = 0n;
    return longest / NS_PER_MS;
  }

  close(): void {
    for (const fd of this.fds.splice(0)) close(fd);
    this.counters.close();
  }
}

function arrives(map: number): Uint8Array {
  const asm = begin(map, '!=').load(64, 'r1', 'r7', WAITING).jumpIf('r1', '!=', 0, 'end');
  return end(asm.call(Call.ktime).store(64, 'r7', WAITING, 'r0'));
}

function leaves(map: number): Uint8Array {
  const asm = begin(map, '==').load(64, 'r8', 'r7', WAITING).jumpIf('r8', '==', 0, 'end');
  asm.call(Call.ktime).store(64, 'r7', WAITING, 0).jumpIf('r0', '<=', 'r8', 'end').sub('r0', 'r8');
  asm.load(64, 'r1', 'r7', LONGEST).jumpIf('r0', '<=', 'r1', 'end').store(64, 'r7', LONGEST, 'r0');
  return end(asm);
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
