/** 64-bit counters that a BPF program and this process share. */
import { BPF_F_MMAPABLE, createMap, MapType } from '../../sys/bpf.js';
import { close } from '../../sys/libc.js';
import { MAP_SHARED, type Mapping, map } from '../../sys/memory.js';

const PAGE = 4096;

/** An array map of at most one page, mapped into this process. */
export class BpfCounters {
  readonly fd: number;
  readonly values: BigUint64Array;
  private readonly mapping: Mapping;

  /** `each` is the number of counters in one entry of the map. Throws a SystemError. */
  constructor(entries: number, each = 1) {
    this.fd = createMap({ type: MapType.array, keySize: 4, valueSize: 8 * each, entries, flags: BPF_F_MMAPABLE });
    this.mapping = map(PAGE, MAP_SHARED, this.fd, 0);
    this.values = new BigUint64Array(this.mapping.buffer, 0, entries * each);
  }

  close(): void {
    this.mapping.unmap();
    close(this.fd);
  }
}
