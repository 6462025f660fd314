/**
 * The kernel in front of a director without I/O: each frame first meets the XDP program with the
 * director's flow table, by BPF_PROG_TEST_RUN. The program's clock is the director's.
 */
import type { InProcessDirector } from '../../src/control/inprocess.js';
import type { Director } from '../../src/dataplane/director.js';
import { Offload } from '../../src/dataplane/offload/offload.js';
import { Control } from '../../src/device/flow/layout.js';
import { FlowMaps, type FlowMemory, flowMemory } from '../../src/device/flow/maps.js';
import { classifierProgram } from '../../src/device/flow/skb.js';
import { InterceptMaps } from '../../src/device/xdp/intercept-maps.js';
import { interceptProgram } from '../../src/device/xdp/program.js';
import {
  createMap,
  loadClassifier,
  loadXdp,
  MapType,
  runClassifier,
  runXdp,
  TC_REDIRECT,
  XDP_REDIRECT,
} from '../../src/sys/bpf.js';
import { close, ifNameToIndex } from '../../src/sys/libc.js';
import { TYPE_IPV6 } from '../../src/wire/ethernet.js';

/** A tick of the connection table: times are exact. */
const UNIT_MS = 10;

/** What a test wants of a flow table. */
export interface FlowKernelOptions {
  /** Packets of a client before its connection is offloaded; undefined: as in the product. */
  readonly after?: { readonly tcp: number; readonly udp: number } | undefined;
  /** 2 to this power buckets. */
  readonly bits?: number;
  /** The programs of devices of kind packet, in the place of XDP's. */
  readonly skb?: boolean;
}
const USUAL: FlowKernelOptions = { after: { tcp: 1, udp: 1 } };

/** A frame that the program has sent. */
export interface Redirected {
  readonly device: number;
  readonly bytes: Uint8Array;
}

/** The programs of links with these MAC addresses, and their flow table. They stay loaded. */
class Programs {
  readonly maps: FlowMaps;
  readonly memory: FlowMemory;
  readonly fds: number[] = [];

  constructor(
    readonly macs: readonly Buffer[],
    bits: number,
    skb: boolean,
  ) {
    this.maps = FlowMaps.make(bits);
    this.memory = flowMemory(this.maps.fds);
    for (const [device, mac] of macs.entries()) {
      this.maps.setDevice(device, ifNameToIndex('lo'));
      if (skb) this.fds.push(loadClassifier(classifierProgram({ fds: this.maps.fds, mac, clock: 'word' })));
    }
    if (!skb) this.loadXdp(macs);
  }

  private loadXdp(macs: readonly Buffer[]): void {
    const xsks = createMap({ type: MapType.xskMap, keySize: 4, valueSize: 4, entries: 1 });
    for (const mac of macs) {
      const intercept = new InterceptMaps([{ name: 'lo' }], [], () => mac);
      intercept.update([]);
      const use = { fds: this.maps.fds, completes: true, clock: 'word' } as const;
      this.fds.push(loadXdp(interceptProgram(intercept.fdsOf('lo'), xsks, use)));
      intercept.close();
    }
    close(xsks);
  }

  clear(): void {
    const { slots, lines, wide, hops, ledgerWords, control } = this.memory;
    for (const part of [slots, lines, wide, hops, ledgerWords]) part.fill(0);
    control[Control.generation] = 1;
    control.fill(0, Control.told);
    control[Control.off] = 0;
  }
}

const loaded = new Map<string, Programs>();

function programsFor(macs: readonly Buffer[], bits: number, skb: boolean): Programs {
  const key = `${Buffer.concat(macs).toString('hex')} ${bits} ${skb}`;
  const programs = loaded.get(key) ?? new Programs(macs, bits, skb);
  loaded.set(key, programs);
  programs.clear();
  return programs;
}

export class FlowKernel {
  readonly offload: Offload;
  readonly memory: FlowMemory;
  /** Frames that the program has forwarded, of both families, of IPv6, and in tunnels. */
  forwarded = 0;
  forwarded6 = 0;
  tunnelled = 0;
  private readonly programs: Programs;
  private readonly isSkb: boolean;

  /** One kernel is used at a time. Without options connections are offloaded from the first packet on. */
  constructor(
    private readonly d: Director,
    { after, bits = 10, skb = false }: FlowKernelOptions = USUAL,
  ) {
    this.isSkb = skb;
    this.programs = programsFor(
      d.links.map(({ mac }) => macOf(mac)),
      bits,
      skb,
    );
    this.memory = this.programs.memory;
    this.offload = new Offload(d, this.memory, { ...(after && { after }), unitMs: UNIT_MS });
    this.offload.begin();
    d.offload = this.offload;
    d.connections.offloadTo(this.offload);
  }

  /**
   * What the program sends for a frame that comes in by a link; undefined: the director gets it.
   * `gsoSize`: of a GSO packet.
   */
  run(device: number, frame: Uint8Array, gsoSize = 0): Redirected | undefined {
    if (frame.length < (this.isSkb ? shortestSkb(frame) : 14)) return undefined;
    this.memory.control[Control.clock] = this.offload.lines.unitsOf(this.d.now);
    const program = this.programs.fds[device]!;
    const { result, packet } = this.isSkb ? runClassifier(program, frame, gsoSize) : runXdp(program, frame);
    if (result !== (this.isSkb ? TC_REDIRECT : XDP_REDIRECT)) return undefined;
    this.forwarded++;
    if (frame[12] === 0x86) this.forwarded6++;
    if (packet.length > frame.length) this.tunnelled++;
    const source = packet.subarray(6, 12);
    const bytes = packet.subarray(0, endOf(packet));
    return { device: this.programs.macs.findIndex((mac) => mac.equals(source)), bytes };
  }
}

/** Puts the kernel in front of a director. */
export function inFrontOf(
  inner: InProcessDirector,
  send: (frame: Redirected) => void,
  options?: FlowKernelOptions,
): FlowKernel {
  const kernel = new FlowKernel(inner.director, options);
  const [receive, request] = [inner.receive.bind(inner), inner.request.bind(inner)];
  inner.receive = (device, bytes) => {
    const sent = kernel.run(device, bytes);
    if (sent === undefined) return receive(device, bytes);
    send(sent);
    return true;
  };
  inner.request = (one) => {
    if (['list', 'connections', 'status', 'getTimeouts', 'getSysctls', 'daemons'].includes(one.op))
      kernel.offload.read();
    else kernel.offload.settle();
    return request(one);
  };
  return kernel;
}

/** A test run takes no skb without a whole IP header. */
function shortestSkb(frame: Uint8Array): number {
  return frame[12] === 0x86 ? 54 : 34;
}

/** The program leaves bytes behind the packet there; the director does not send them. */
function endOf(frame: Uint8Array): number {
  const view = new DataView(frame.buffer, frame.byteOffset);
  return view.getUint16(12) === TYPE_IPV6 ? 54 + view.getUint16(18) : 14 + view.getUint16(16);
}

function macOf([hi, lo]: readonly [number, number]): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(hi, 0);
  bytes.writeUInt32BE(lo >>> 0, 2);
  return bytes;
}
