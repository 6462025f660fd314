/**
 * The kernel in front of a director without I/O: each frame first meets the XDP program with the
 * director's flow table, by BPF_PROG_TEST_RUN. The program's clock is the director's.
 */

import type { Director } from '../../src/dataplane/director.js';
import { Offload } from '../../src/dataplane/offload/offload.js';
import { Control } from '../../src/device/flow/layout.js';
import { FlowMaps, type FlowMemory, flowMemory } from '../../src/device/flow/maps.js';
import { InterceptMaps } from '../../src/device/xdp/intercept-maps.js';
import { interceptProgram } from '../../src/device/xdp/program.js';
import { createMap, loadXdp, MapType, runXdp, XDP_REDIRECT } from '../../src/sys/bpf.js';
import { close, ifNameToIndex } from '../../src/sys/libc.js';

/** A tick of the connection table: times are exact. */
const UNIT_MS = 10;

/** A frame that the program has sent. */
export interface Redirected {
  readonly device: number;
  readonly bytes: Uint8Array;
}

export class FlowKernel {
  readonly offload: Offload;
  readonly maps: FlowMaps;
  readonly memory: FlowMemory;
  /** Frames that the program has forwarded. */
  forwarded = 0;
  private readonly programs: number[] = [];
  private readonly open: { close(): void }[] = [];

  /** `after`: packets of a client before its connection is offloaded. `bits`: of the buckets. */
  constructor(
    private readonly d: Director,
    { after = 1, bits = 10, completes = false } = {},
  ) {
    this.maps = new FlowMaps(bits);
    this.memory = flowMemory(this.maps.fds);
    this.offload = new Offload(d, this.memory, { after: { tcp: after, udp: after }, unitMs: UNIT_MS });
    d.offload = this.offload;
    d.connections.offloadTo(this.offload);
    const xsks = createMap({ type: MapType.xskMap, keySize: 4, valueSize: 4, entries: 1 });
    for (const link of d.links) {
      const intercept = new InterceptMaps('lo', () => macOf(link.mac));
      intercept.update([]);
      const use = { fds: this.maps.fds, completes, clock: 'word' } as const;
      this.programs.push(loadXdp(interceptProgram(intercept.fds, xsks, use)));
      this.maps.setDevice(link.index, ifNameToIndex('lo'));
      this.open.push(intercept);
    }
    close(xsks);
  }

  /** The director's clock has moved. */
  setClock(): void {
    this.memory.control[Control.clock] = this.offload.lines.unitsOf(this.d.now);
  }

  /** What the program sends for a frame that comes in by a link; undefined: the director gets it. */
  run(device: number, frame: Uint8Array): Redirected | undefined {
    if (frame.length < 14) return undefined;
    const { result, packet } = runXdp(this.programs[device]!, frame);
    if (result !== XDP_REDIRECT) return undefined;
    this.forwarded++;
    const source = Buffer.from(packet.subarray(6, 12));
    const to = this.d.links.findIndex((link) => source.equals(macOf(link.mac)));
    return { device: to, bytes: packet };
  }

  close(): void {
    for (const fd of this.programs) close(fd);
    for (const one of this.open) one.close();
    this.maps.close();
  }
}

function macOf([hi, lo]: readonly [number, number]): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(hi, 0);
  bytes.writeUInt32BE(lo >>> 0, 2);
  return bytes;
}
