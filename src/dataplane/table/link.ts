import { Batch } from '../../device/batch.js';
import type { Mac } from '../../wire/address.js';
import * as ethernet from '../../wire/ethernet.js';

/** An address of the director on a device; `prefix` long. IPv4 in `words[3]`. */
export interface LinkAddress {
  readonly family: 4 | 6;
  readonly words: Int32Array;
  readonly prefix: number;
}

/** Frames that may wait to leave by one device within a batch; an rx batch of 64 and what it releases fit. */
const OUTPUT_ROOM = 512;

/** A device as the dataplane sees it: an index, a MAC, addresses, and frames that want to leave by it. */
export class Link {
  readonly output = new Batch(OUTPUT_ROOM);
  readonly addresses: LinkAddress[] = [];
  /** Packets from our own VIPs that come in here are forwarded. */
  forwardsShared = false;

  /**
   * `shared`: the host's own stack sees the frames too (xdp, packet, cap); what is not ours is left to it.
   * `resolves`: neighbours are found by our own ARP and ND, not by the kernel's.
   * `exclusive`: shared, but what comes in here the host's stack has not seen (xdp).
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

  /** Addressed to this device's MAC alone (what the kernel calls PACKET_HOST). */
  isHost(view: DataView, frame: number): boolean {
    return ethernet.dstHi(view, frame) === this.mac[0] && ethernet.dstLo(view, frame) === this.mac[1];
  }

  /** The first address of the family, as the source of what the director says by this device; undefined without one. */
  address(family: number): LinkAddress | undefined {
    return this.addresses.find((address) => address.family === family);
  }
}
