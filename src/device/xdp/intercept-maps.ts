/**
 * InterceptMaps: the BPF maps of all devices of a director. They are created empty, and kept equal
 * to the intercept rules while the programs read them. New entries are added first and old ones are
 * removed last. So a packet of a rule that stays is never missed in between.
 *
 *     rules ─► InterceptTable ─► difference ─► bpf(MAP_UPDATE, MAP_DELETE) for tries and ports ────────┐ shared by
 *                                    ├──► memory shared with the kernel for ports' rule bits ────────┤ all programs
 *                                    └──► the same for protocols' rule bits, with the MAC address ───┘ by device
 *
 * A director with several devices would otherwise change as many maps for each rule.
 */
import { BPF_F_NO_PREALLOC, createMap, keysOfMap, MapType } from '../../sys/bpf.js';
import { interfaceHardware } from '../../sys/interface.js';
import { close, SystemError } from '../../sys/libc.js';
import { DeviceError, deviceError } from '../error.js';
import type { InterceptRule } from '../intercept/rule.js';
import { xdpError } from './attach.js';
import { DeviceMaps, MappedArray } from './device-maps.js';
import type { HostDelta } from './host-rule.js';
import { type HostChanges, InterceptTable, noChanges } from './intercept-table.js';
import { KeyList } from './key-counts.js';
import { type InterceptMapFds, PORT_ENTRIES, PORT_KEY, SIDES, type Side, TRIE_VALUE } from './layout.js';
import { fixed, type Packed, removeAll, setAll } from './map-batch.js';
import type { ReplyDelta } from './reply-key.js';
import { sizeOf, type Trie, type TrieEntry, type TrieKey, writeKey } from './trie.js';

/**
 * Entries of each trie, and of the port table: more than MAX_SERVICES and MAX_DESTINATIONS together
 * need. The kernel fills all buckets of the port table when it is made, without a pause for other
 * threads of that processor: 39 ms. So a process that takes over goes on with the port table of the
 * other one.
 */
const ADDRESSES = 1 << 21;
const PORT_KEYS = 1 << 21;
/** The value of every key of the port table. */
const PRESENT = 1;

export class InterceptMaps {
  private readonly ports: number;
  private readonly tries: Readonly<Record<Side, number>>;
  private readonly sports: MappedArray;
  private readonly dports: MappedArray;
  private readonly byDevice: readonly DeviceMaps[];
  private table: InterceptTable;
  private closed = false;
  /** The last change failed: the maps may lack what `table` has. */
  private behind = false;

  /**
   * `devices`: one at least; rules with the `iif` of another one are left out. `adopted`: port
   * tables that another process still uses; the first one serves, the others are closed. Throws a
   * DeviceError.
   */
  constructor(devices: readonly { readonly name: string }[], adopted: readonly number[] = [], macOf = hardwareMac) {
    this.table = new InterceptTable(
      [],
      devices.map(({ name }) => name),
    );
    const shared = firstOf(adopted);
    const undo: (() => void)[] = [];
    const make = (type: number, keySize: number, valueSize: number, entries: number) => {
      const fd = createMap({ type, keySize, valueSize, entries, flags: BPF_F_NO_PREALLOC });
      undo.push(() => close(fd));
      return fd;
    };
    const closing = <T extends { close(): void }>(one: T): T => {
      undo.push(() => one.close());
      return one;
    };
    try {
      const trie = (bytes: number) => make(MapType.lpmTrie, 4 + bytes, TRIE_VALUE, ADDRESSES);
      this.ports = shared ?? make(MapType.hash, PORT_KEY, 4, PORT_KEYS);
      this.tries = { dst4: trie(4), src4: trie(4), dst6: trie(16), src6: trie(16) };
      this.sports = closing(new MappedArray(PORT_ENTRIES));
      this.dports = closing(new MappedArray(PORT_ENTRIES));
      this.byDevice = devices.map(({ name }) => closing(new DeviceMaps(name, () => macOf(name))));
      for (const side of SIDES) this.changeTrie(this.tries[side], this.table.tries[side], undefined);
    } catch (error) {
      for (const step of undo) step();
      throw xdpError(devices[0]!.name, error);
    }
  }

  /** What the program of a device reads. */
  fdsOf(device: string): InterceptMapFds {
    const { ports, tries, sports, dports } = this;
    return { ports, ...tries, sports: sports.fd, dports: dports.fd, protocols: this.of(device).protocols };
  }

  private of(device: string): DeviceMaps {
    return this.byDevice.find((one) => one.device === device)!;
  }

  /**
   * Creates an XSKMAP for `queues` sockets of a device, which several workers share, in place of
   * the last one. Returns its file descriptor. Throws a SystemError.
   */
  sockets(device: string, queues: number): number {
    return this.of(device).sockets(queues);
  }

  /**
   * Replaces the rules, and reads the MAC address of the interface again. Throws a DeviceError when
   * a rule is malformed or the maps are full.
   */
  update(rules: readonly InterceptRule[]): void {
    if (this.closed) return;
    const before = this.table;
    const wanted = new InterceptTable(
      rules,
      this.byDevice.map(({ device }) => device),
      before,
    );
    try {
      this.setPorts(wanted.ports.lackingIn(this.behind ? undefined : before.ports));
      this.sports.words.set(wanted.sports);
      this.dports.words.set(wanted.dports);
      for (const one of this.byDevice) one.set(wanted.protocols.get(one.device)!);
      for (const side of SIDES) this.changeTrie(this.tries[side], wanted.tries[side], before.tries[side]);
      this.removePorts(before.ports.lackingIn(wanted.ports));
    } catch (error) {
      throw full(this.byDevice[0]!.device, error);
    }
    this.table = wanted;
    this.behind = false;
  }

  /**
   * Adds and removes rules about single addresses: what it costs does not depend on the number of
   * rules. Throws a DeviceError when the maps are full; then `update` is needed.
   */
  change({ added, removed }: HostDelta, { came, went }: ReplyDelta): void {
    if (this.closed) return;
    const changes = noChanges();
    for (const rule of added) this.table.changeHost(rule, 1, changes);
    this.table.changeReplies(came, 1, changes);
    for (const rule of removed) this.table.changeHost(rule, -1, changes);
    this.table.changeReplies(went, -1, changes);
    try {
      this.follow(changes);
    } catch (error) {
      this.behind = true;
      throw full(this.byDevice[0]!.device, error);
    }
  }

  private follow({ entries, ports }: HostChanges): void {
    const { table } = this;
    const [set, gone] = ports.split((words, at) => table.ports.has(words, at));
    this.setPorts(set);
    for (const side of SIDES) {
      const changed = [...entries[side].values()];
      const stay = changed.filter(({ isEmpty }) => !isEmpty);
      setEntries(this.tries[side], stay);
      if (stay.length < changed.length)
        removeEntries(
          this.tries[side],
          changed.filter(({ isEmpty }) => isEmpty).map(({ key }) => key),
        );
    }
    this.removePorts(gone);
  }

  private setPorts(keys: KeyList): void {
    const values = fixed(4 * keys.length);
    new Uint32Array(values.buffer).fill(PRESENT);
    setAll(this.ports, { bytes: keys.bytes, size: PORT_KEY }, { bytes: values, size: 4 });
  }

  private removePorts(keys: KeyList): void {
    removeAll(this.ports, { bytes: keys.bytes, size: PORT_KEY });
  }

  /**
   * Removes what another process has left in the port table that it shared. Without an entry of a
   * trie it has no effect. Throws a SystemError.
   */
  removeForeign(): void {
    if (this.closed) return;
    const foreign = new KeyList();
    for (const key of keysOfMap(this.ports, PORT_KEY)) {
      const words = new Int32Array(Uint8Array.from(Buffer.from(key, 'hex')).buffer);
      if (!this.table.ports.has(words)) foreign.push(words);
    }
    this.removePorts(foreign);
  }

  /** Reads the MAC addresses of the interfaces again. */
  readMac(): void {
    if (!this.closed) for (const one of this.byDevice) one.readMac();
  }

  private changeTrie(fd: number, wanted: Trie, before: Trie | undefined): void {
    const isNew = (entry: TrieEntry) => {
      const old = before?.entries.get(entry.key);
      return this.behind || old === undefined || Buffer.compare(old.value(), entry.value()) !== 0;
    };
    setEntries(fd, [...wanted.entries.values()].filter(isNew));
    removeEntries(
      fd,
      [...(before?.entries.keys() ?? [])].filter((key) => !wanted.entries.has(key)),
    );
  }

  /** Closes the maps. A program that still runs keeps them in the kernel. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const one of [this.sports, this.dports, ...this.byDevice]) one.close();
    for (const fd of [this.ports, ...Object.values(this.tries)]) close(fd);
  }
}

function setEntries(fd: number, entries: readonly TrieEntry[]): void {
  const values = fixed(TRIE_VALUE * entries.length);
  const words = new Uint32Array(values.buffer);
  for (const [i, entry] of entries.entries()) entry.write(words, (i * TRIE_VALUE) / 4);
  setAll(fd, trieKeys(entries.map(({ key }) => key)), { bytes: values, size: TRIE_VALUE });
}

function removeEntries(fd: number, keys: readonly TrieKey[]): void {
  removeAll(fd, trieKeys(keys));
}

/** Keys of a trie. */
function trieKeys(keys: readonly TrieKey[]): Packed {
  const size = sizeOf(keys[0] ?? 0);
  const bytes = fixed(size * keys.length);
  for (const [i, key] of keys.entries()) writeKey(key, bytes, i * size);
  return { bytes, size };
}

/** The first file descriptor; closes the others, of which some may be the first one again. */
function firstOf(fds: readonly number[]): number | undefined {
  const [first, ...others] = new Set(fds);
  for (const fd of others) close(fd);
  return first;
}

/** The MAC address of an interface. Throws a SystemError. */
function hardwareMac(device: string): Uint8Array {
  return interfaceHardware(device).mac;
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
