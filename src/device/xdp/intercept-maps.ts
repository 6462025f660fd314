/**
 * InterceptMaps: the BPF maps of a device. They are created empty, and kept equal to the intercept
 * rules while the program reads them. New entries are added first and old ones are removed last. So
 * a packet of a rule that stays is never missed in between.
 *
 *     rules ─► InterceptTable ─► difference ─► bpf(MAP_UPDATE, MAP_DELETE) for tries and ports
 *                                    └──► memory shared with the kernel for protocols and ports' rule bits
 */
import { BPF_F_MMAPABLE, BPF_F_NO_PREALLOC, createMap, keysOfMap, MapType } from '../../sys/bpf.js';
import { interfaceHardware } from '../../sys/interface.js';
import { close, SystemError } from '../../sys/libc.js';
import { MAP_SHARED, type Mapping, map } from '../../sys/memory.js';
import { DeviceError, deviceError } from '../error.js';
import type { InterceptRule } from '../intercept/rule.js';
import { xdpError } from './attach.js';
import { type HostChanges, type HostDelta, InterceptTable, noChanges } from './intercept-table.js';
import {
  type InterceptMapFds,
  OWN_MAC,
  PORT_ENTRIES,
  PORT_KEY,
  PROTOCOL_ENTRIES,
  SIDES,
  TRIE_VALUE,
} from './layout.js';
import { removeAll, setAll } from './map-batch.js';
import type { Trie, TrieEntry } from './trie.js';

/**
 * Entries of each trie, and of the port table: more than MAX_SERVICES and MAX_DESTINATIONS together
 * need. The kernel fills all buckets of the port table when it is made, without a pause for other
 * threads of that processor: 39 ms. So a process that takes over goes on with the port table of the
 * other one.
 */
const ADDRESSES = 1 << 21;
const PORT_KEYS = 1 << 21;
const PAGE = 4096;
const ARRAYS = { protocols: PROTOCOL_ENTRIES, sports: PORT_ENTRIES, dports: PORT_ENTRIES } as const;
const ARRAY_NAMES = ['protocols', 'sports', 'dports'] as const;
/** The value of every key of the port table. */
const PRESENT = 1;

export class InterceptMaps {
  readonly fds: InterceptMapFds;
  private readonly mappings: Mapping[] = [];
  private readonly arrays: Uint32Array[] = [];
  private readonly more: number[] = [];
  private table: InterceptTable;
  private closed = false;
  private lastMac: Uint8Array = new Uint8Array(6);
  /** The last change failed: the maps may lack what `table` has. */
  private behind = false;

  /**
   * `device`: name of the interface; rules with another `iif` are left out. `adopted`: the port
   * table that another process still uses. Throws a DeviceError.
   */
  constructor(
    readonly device: string,
    private readonly mac: () => Uint8Array = () => interfaceHardware(device).mac,
    adopted?: number,
  ) {
    this.table = new InterceptTable([], device);
    const made: number[] = [];
    const make = (...shape: [type: number, keySize: number, valueSize: number, entries: number, flags: number]) => {
      const [type, keySize, valueSize, entries, flags] = shape;
      made.push(createMap({ type, keySize, valueSize, entries, flags }));
      return made.at(-1)!;
    };
    try {
      const trie = (bytes: number) => make(MapType.lpmTrie, 4 + bytes, TRIE_VALUE, ADDRESSES, BPF_F_NO_PREALLOC);
      const array = (entries: number) => make(MapType.array, 4, 8, entries, BPF_F_MMAPABLE);
      const ports = adopted ?? make(MapType.hash, PORT_KEY, 4, PORT_KEYS, BPF_F_NO_PREALLOC);
      const tries = { dst4: trie(4), src4: trie(4), dst6: trie(16), src6: trie(16) };
      const arrays = { protocols: array(ARRAYS.protocols), sports: array(ARRAYS.sports), dports: array(ARRAYS.dports) };
      this.fds = { ports, ...tries, ...arrays };
      for (const name of ARRAY_NAMES) this.mapArray(this.fds[name], ARRAYS[name]);
      for (const side of SIDES) this.changeTrie(this.fds[side], this.table.tries[side], undefined);
    } catch (error) {
      for (const fd of made) close(fd);
      throw xdpError(device, error);
    }
  }

  private mapArray(fd: number, entries: number): void {
    const mapping = map(Math.ceil((8 * entries) / PAGE) * PAGE, MAP_SHARED, fd, 0);
    this.mappings.push(mapping);
    this.arrays.push(new Uint32Array(mapping.buffer, 0, 2 * entries));
  }

  /**
   * Creates an XSKMAP for `queues` sockets, which several workers share, in place of the last one.
   * Returns its file descriptor. Throws a SystemError.
   */
  sockets(queues: number): number {
    const fd = createMap({ type: MapType.xskMap, keySize: 4, valueSize: 4, entries: queues });
    for (const last of this.more.splice(0)) close(last);
    this.more.push(fd);
    return fd;
  }

  /**
   * Replaces the rules, and reads the MAC address of the interface again. Throws a DeviceError when
   * a rule is malformed or the maps are full.
   */
  update(rules: readonly InterceptRule[]): void {
    if (this.closed) return;
    const wanted = new InterceptTable(rules, this.device, this.table);
    const before = this.table;
    const lacks = (has: boolean) => this.behind || !has;
    new Uint8Array(wanted.protocols.buffer).set(this.presentMac(), 8 * OWN_MAC);
    try {
      this.setPorts([...wanted.ports.keys()].filter((key) => lacks(before.ports.has(key))));
      for (const [i, name] of ARRAY_NAMES.entries()) this.arrays[i]!.set(wanted[name]);
      for (const side of SIDES) this.changeTrie(this.fds[side], wanted.tries[side], before.tries[side]);
      removeAll(
        this.fds.ports,
        [...before.ports.keys()].filter((key) => !wanted.ports.has(key)),
      );
    } catch (error) {
      throw full(this.device, error);
    }
    this.table = wanted;
    this.behind = false;
  }

  /**
   * Adds and removes rules about single addresses: what it costs does not depend on the number of
   * rules. Throws a DeviceError when the maps are full; then `update` is needed.
   */
  change({ added, removed }: HostDelta): void {
    if (this.closed) return;
    const changes = noChanges();
    for (const rule of added) this.table.changeHost(rule, 1, changes);
    for (const rule of removed) this.table.changeHost(rule, -1, changes);
    try {
      this.follow(changes);
    } catch (error) {
      this.behind = true;
      throw full(this.device, error);
    }
  }

  private follow({ entries, ports }: HostChanges): void {
    const { table, fds } = this;
    this.setPorts([...ports].filter((key) => table.ports.has(key)));
    for (const side of SIDES) {
      const keys = [...entries[side].keys()];
      const there = table.tries[side].entries;
      this.setEntries(
        fds[side],
        keys.filter((key) => there.has(key)),
        there,
      );
      removeAll(
        fds[side],
        keys.filter((key) => !there.has(key)),
      );
    }
    removeAll(
      fds.ports,
      [...ports].filter((key) => !table.ports.has(key)),
    );
  }

  private setPorts(keys: readonly string[]): void {
    setAll(this.fds.ports, keys, 4, (_, words, at) => {
      words[at] = PRESENT;
    });
  }

  private setEntries(fd: number, keys: readonly string[], entries: ReadonlyMap<string, TrieEntry>): void {
    setAll(fd, keys, TRIE_VALUE, (key, words, at) => entries.get(key)!.write(words, at));
  }

  /**
   * Removes what another process has left in the port table that it shared. Without an entry of a
   * trie it has no effect. Throws a SystemError.
   */
  removeForeign(): void {
    if (this.closed) return;
    const { ports } = this.fds;
    removeAll(
      ports,
      keysOfMap(ports, PORT_KEY).filter((key) => !this.table.ports.has(key)),
    );
  }

  /** Reads the MAC address of the interface again. */
  readMac(): void {
    if (!this.closed) new Uint8Array(this.arrays[0]!.buffer).set(this.presentMac(), 8 * OWN_MAC);
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

  private changeTrie(fd: number, wanted: Trie, before: Trie | undefined): void {
    const isNew = ([key, entry]: readonly [string, TrieEntry]) => {
      const old = before?.entries.get(key);
      return this.behind || old === undefined || Buffer.compare(old.value(), entry.value()) !== 0;
    };
    const changed = [...wanted.entries].filter(isNew).map(([key]) => key);
    this.setEntries(fd, changed, wanted.entries);
    removeAll(
      fd,
      [...(before?.entries.keys() ?? [])].filter((key) => !wanted.entries.has(key)),
    );
  }

  /** Closes the maps. A program that still runs keeps them in the kernel. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const mapping of this.mappings.splice(0)) mapping.unmap();
    for (const fd of [...Object.values(this.fds), ...this.more]) close(fd);
  }
}

function full(device: string, error: unknown): unknown {
  const isFull = error instanceof SystemError && (error.code === 'ENOSPC' || error.code === 'E2BIG');
  if (!isFull) return deviceError(device, error);
  return new DeviceError(
    device,
    `more than ${ADDRESSES} addresses or ${PORT_KEYS} ports to intercept`,
    "use kind 'packet'",
  );
}
