/**
 * The receiving end of a flood. A BPF program counts the flood's frames and drops them before the
 * kernel's stack sees them, so that the sink costs little; other frames pass. Frames that carry a
 * time stamp are sorted by their delay. The program is an ingress classifier (tcx) or, before Linux
 * 6.6, an XDP program, for which a veth copies each frame.
 *
 *     counters:  | frames 64 |      delays: one 64-bit count for each of BUCKETS (delays.ts)
 *
 * With `pauses` there is a second histogram: frames that no pause of the machine has delayed.
 */
import { Assembler, Call } from '../../device/bpf/assembler.js';
import { loadClassifier, loadXdp, XDP_DROP, XDP_PASS } from '../../sys/bpf.js';
import { attachIngress, attachXdp, XDP_FLAGS_DRV_MODE } from '../../sys/bpf-link.js';
import { close, ifNameToIndex, SystemError } from '../../sys/libc.js';
import { inNetns } from '../../sys/netns.js';
import * as ipv4 from '../../wire/ipv4.js';
import { BpfCounters } from './bpf-counters.js';
import { bucket, increment } from './bpf-histogram.js';
import { BUCKETS } from './delays.js';
import { CLIENTS, LENGTH, PROTOCOL, SOURCE, STAMP } from './frame.js';
import { jumpIfDisturbed, type Pauses } from './pauses.js';

const IPV4_ON_WIRE = 0x0008;
const CLIENTS_ON_WIRE = ((CLIENTS >>> 24) & 0xff) | ((CLIENTS >>> 8) & 0xff00);

export class Sink {
  private readonly fds: number[] = [];
  private readonly counter = new BpfCounters(1);
  private readonly delays = new BpfCounters(BUCKETS);
  private readonly undisturbed = new BpfCounters(BUCKETS);

  /**
   * Attaches to `device` in a namespace; with `xdp` by XDP in any case. Throws a SystemError
   * (EBUSY: there is an XDP program already).
   */
  constructor(
    namespace: string,
    device: string,
    private readonly xdp = false,
    private readonly pauses?: Pick<Pauses, 'fd'>,
  ) {
    inNetns(namespace, () => this.attach(ifNameToIndex(device)));
  }

  private attach(ifindex: number): void {
    if (!this.xdp && this.attachClassifier(ifindex)) return;
    const program = this.keep(loadXdp(this.assembled(XDP)));
    this.keep(attachXdp(program, ifindex, XDP_FLAGS_DRV_MODE));
  }

  /** Attaches the program as a classifier. Returns false if the kernel is too old for tcx. */
  private attachClassifier(ifindex: number): boolean {
    const program = this.keep(loadClassifier(this.assembled(CLASSIFIER)));
    try {
      this.keep(attachIngress(program, ifindex));
      return true;
    } catch (error) {
      if (error instanceof SystemError && error.code === 'EINVAL') return false;
      throw error;
    }
  }

  private assembled(hook: Hook): Uint8Array {
    const { counter, delays, undisturbed, pauses } = this;
    return assembled(hook, counter.fd, delays.fd, pauses && { undisturbed: undisturbed.fd, pauses: pauses.fd });
  }

  private keep(fd: number): number {
    this.fds.push(fd);
    return fd;
  }

  /** The number of frames so far. */
  get frames(): number {
    return Number(this.counter.values[0]);
  }

  /** Adds the number of frames in each bucket of delay to `counts`. */
  addDelays(counts: Float64Array): void {
    for (let i = 0; i < BUCKETS; i++) counts[i]! += Number(this.delays.values[i]);
  }

  /** The same of the frames that no pause of the machine has delayed. */
  addUndisturbed(counts: Float64Array): void {
    for (let i = 0; i < BUCKETS; i++) counts[i]! += Number(this.undisturbed.values[i]);
  }

  close(): void {
    for (const fd of this.fds.splice(0).reverse()) close(fd);
    for (const counters of [this.counter, this.delays, this.undisturbed]) counters.close();
  }
}

/** The offsets of the frame's begin and end in the context, and the return codes. */
interface Hook {
  readonly data: number;
  readonly end: number;
  readonly drop: number;
  readonly pass: number;
}
const XDP: Hook = { data: 0, end: 4, drop: XDP_DROP, pass: XDP_PASS };
/** struct __sk_buff; TC_ACT_SHOT and TC_ACT_OK. */
const CLASSIFIER: Hook = { data: 76, end: 80, drop: 2, pass: 0 };
const SKB_LENGTH = 0;

interface CalmMaps {
  readonly undisturbed: number;
  readonly pauses: number;
}

/**
 * The program. r6 points to the Ethernet header; for a tunnelled packet to where that of the inner
 * packet would be. Then r6 is the stamp, r8 the time at which the frame was made, r7 the bucket.
 */
function assembled(hook: Hook, counterFd: number, delaysFd: number, calm?: CalmMaps): Uint8Array {
  const asm = new Assembler().mov('r9', 'r1');
  if (hook === CLASSIFIER) pull(asm);
  asm.load(32, 'r6', 'r9', hook.data).load(32, 'r7', 'r9', hook.end);
  asm.mov('r2', 'r6').add('r2', LENGTH).jumpIf('r2', '>', 'r7', 'pass');
  asm.load(16, 'r2', 'r6', 12).jumpIf('r2', '!=', IPV4_ON_WIRE, 'pass');
  asm.load(8, 'r2', 'r6', PROTOCOL).jumpIf('r2', '!=', ipv4.IPIP, 'bare').add('r6', ipv4.HEADER);
  asm.mov('r2', 'r6').add('r2', LENGTH).jumpIf('r2', '>', 'r7', 'pass').label('bare');
  asm.load(16, 'r2', 'r6', SOURCE).jumpIf('r2', '==', CLIENTS_ON_WIRE, 'counted');
  asm.load(16, 'r2', 'r6', SOURCE + 4).jumpIf('r2', '!=', CLIENTS_ON_WIRE, 'pass');
  asm.label('counted').load(32, 'r6', 'r6', STAMP);
  asm.mov('r2', 0);
  increment(asm, counterFd, 'drop');
  asm.jumpIf('r6', '==', 0, 'drop').call(Call.ktime).mov('r8', 'r0');
  asm.sub('r0', 'r6').lsh('r0', 32).rsh('r0', 32).sub('r8', 'r0').mov('r2', 'r0');
  bucket(asm);
  asm.mov('r7', 'r2');
  increment(asm, delaysFd, 'drop');
  if (calm !== undefined) {
    jumpIfDisturbed(asm, calm.pauses, 'r8', 'drop');
    asm.mov('r2', 'r7');
    increment(asm, calm.undisturbed, 'drop');
  }
  return asm.label('drop').mov('r0', hook.drop).exit().label('pass').mov('r0', hook.pass).exit().assemble();
}

/**
 * A frame from an AF_PACKET ring has only its first bytes in the linear part; pulls all of them
 * there.
 */
function pull(asm: Assembler): void {
  asm.load(32, 'r2', 'r9', SKB_LENGTH).load(32, 'r3', 'r9', CLASSIFIER.data).load(32, 'r4', 'r9', CLASSIFIER.end);
  asm.add('r3', 'r2').jumpIf('r3', '<=', 'r4', 'linear').call(Call.pullData).label('linear');
}
