/**
 * Transfer: the open devices of a director as plain data, for the process that takes over
 * (takeover/offer.ts has the steps).
 *
 *     DeviceSet.transfer ─► JSON over the control socket ─► adoptAll: descriptors of this process, rings mapped again
 */

import type { FlowMapFds } from '../../device/flow/layout.js';
import { flowFds } from '../../device/flow/maps.js';
import { adoptHandle, type DeviceHandle } from '../../device/handle.js';
import type { TunHandle } from '../../device/tun/tap.js';
import { mapUmem, type UmemMemory } from '../../device/umem-memory.js';

/** The open devices of a director as plain data. By worker; handles by device, then by worker. */
export interface Transfer {
  readonly memories: readonly UmemMemory[];
  readonly tuns: readonly TunHandle[];
  readonly handles: readonly (readonly (DeviceHandle | null)[] | null)[];
  /**
   * By device: the port table of its program, the same for all; −1: none. Absent: of a version
   * without.
   */
  readonly ports?: readonly number[];
  /** Of the flow table; absent: there is no offload. */
  readonly flows?: FlowMapFds | undefined;
}

/** What another process gives, with descriptors of this one. Throws a SystemError. */
export function adoptAll(
  { memories, tuns, handles, ports = [], flows }: Transfer,
  take: (fd: number) => number,
): Transfer {
  return {
    memories: memories.map(({ fd, frames, frameSize, large }) => mapUmem(take(fd), frames, frameSize, large)),
    tuns: tuns.map(({ name, fd }) => ({ name, fd: take(fd) })),
    handles: handles.map((all) => all?.map((handle) => handle && adoptHandle(handle, take)) ?? null),
    ports: ports.map(take),
    flows: flows && flowFds(flows, take),
  };
}
