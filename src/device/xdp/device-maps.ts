/**
 * What the maps of an XDP program hold for one device alone: its MAC address, the rule bits by
 * protocol (a rule may be about one device), and the sockets by queue.
 */
import { BPF_F_MMAPABLE, createMap, MapType } from '../../sys/bpf.js';
import { close, SystemError } from '../../sys/libc.js';
import { MAP_SHARED, type Mapping, map } from '../../sys/memory.js';
import { OWN_MAC, PROTOCOL_ENTRIES } from './layout.js';

const PAGE = 4096;

/** An array in the kernel that this process has mapped: 64-bit values as pairs of words. */
export class MappedArray {
  readonly fd: number;
  private readonly mapping: Mapping;
  readonly words: Uint32Array;

  /** Throws a SystemError. */
  constructor(entries: number) {
    this.fd = createMap({ type: MapType.array, keySize: 4, valueSize: 8, entries, flags: BPF_F_MMAPABLE });
    try {
      this.mapping = map(Math.ceil((8 * entries) / PAGE) * PAGE, MAP_SHARED, this.fd, 0);
    } catch (error) {
      close(this.fd);
      throw error;
    }
    this.words = new Uint32Array(this.mapping.buffer, 0, 2 * entries);
  }

  close(): void {
    this.mapping.unmap();
    close(this.fd);
  }
}

export class DeviceMaps {
  private readonly array = new MappedArray(PROTOCOL_ENTRIES);
  private socketMap = -1;
  private lastMac: Uint8Array = new Uint8Array(6);

  /** Throws a SystemError. */
  constructor(
    readonly device: string,
    private readonly mac: () => Uint8Array,
  ) {}

  /** File descriptor of the array by protocol. */
  get protocols(): number {
    return this.array.fd;
  }

  /** Replaces the rule bits by protocol, and reads the MAC address of the interface again. */
  set(protocols: Uint32Array): void {
    new Uint8Array(protocols.buffer).set(this.presentMac(), 8 * OWN_MAC);
    this.array.words.set(protocols);
  }

  /** Reads the MAC address of the interface again. */
  readMac(): void {
    new Uint8Array(this.array.words.buffer).set(this.presentMac(), 8 * OWN_MAC);
  }

  /** The MAC address of the interface; the last one while the interface is away. */
  private presentMac(): Uint8Array {
    try {
      this.lastMac = this.mac();
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
    }
    return this.lastMac;
  }

  /** As InterceptMaps.sockets. */
  sockets(queues: number): number {
    const fd = createMap({ type: MapType.xskMap, keySize: 4, valueSize: 4, entries: queues });
    if (this.socketMap >= 0) close(this.socketMap);
    this.socketMap = fd;
    return fd;
  }

  close(): void {
    this.array.close();
    if (this.socketMap >= 0) close(this.socketMap);
  }
}
