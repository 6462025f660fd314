/** A device as the dataplane sees it. */
import { Batch } from '../../device/batch.js';
import type { Mac } from '../../wire/address.js';
import * as ethernet from '../../wire/ethernet.js';

/** An address of the director on a device, with the length of its prefix. IPv4 in `words[3]`. */
export interface LinkAddress {
  readonly family: 4 | 6;
  readonly words: Int32Array;
  readonly prefix: number;
}

/** Room of the output queue, in frames: enough for a receive batch of 64 and what it releases. */
const OUTPUT_ROOM = 512;

/** Index, MAC, addresses and output queue of a device. */
export class Link {
  readonly output = new Batch(OUTPUT_ROOM);
  readonly addresses: LinkAddress[] = [];
  /** Forwards packets that arrive here with one of our VIPs as source. */
  forwardsShared = false;
  /** The device sends GSO packets in one piece (device/large-frames.ts). */
  takesGso = false;

  /**
   * `shared`: the host's stack sees the frames too; frames that are not the director's are left to
   * it. `resolves`: the director's own ARP and ND resolve neighbours, not the kernel's.
   * `exclusive`: the device is shared, but the host's stack does not see the frames that arrive
   * here (xdp).
   */
  constructor(
    readonly index: number,
    readonly name: string,
    public mac: Mac,
    public mtu: number,
    readonly shared: boolean,
    readonly resolves: boolean,
    readonly exclusive = false,
  ) {}

  /** Returns true for a frame to this device's MAC (the kernel's PACKET_HOST). */
  isHost(view: DataView, frame: number): boolean {
    return ethernet.dstHi(view, frame) === this.mac[0] && ethernet.dstLo(view, frame) === this.mac[1];
  }

  /**
   * The first address of the family, which is the source of the director's own packets on this
   * device. Undefined without one.
   */
  address(family: number): LinkAddress | undefined {
    return this.addresses.find((address) => address.family === family);
  }
}
