/**
 * The table of device kinds: one row a kind. The configuration schema, the options and help of the
 * commands, the daemon, the labs and docs/devices.md read the row. No other file compares the name
 * of a kind.
 *
 * A new kind is a file with its Device, a row here, and a line in open.ts that the compiler asks
 * for. The order of the rows is the order in which `auto` tries the kinds, the fastest first, and
 * the order of all lists that users see.
 *
 * This file imports nothing: a schema or a help text needs no native library.
 */

/** Keys of a device in director.yaml that not every kind reads. */
export type DeviceOption = 'mac' | 'addresses' | 'mtu' | 'promiscuous' | 'gso';

export interface KindRow {
  readonly name: string;
  /** One line for help and docs. */
  readonly summary: string;
  /** `kind: auto` may choose it. */
  readonly auto: boolean;
  /**
   * True: an interface of the host, whose stack sees the frames as well; MAC, MTU, addresses and
   * routes are the kernel's. False: the director is alone behind the interface; MAC, addresses and
   * routes are in the process.
   */
  readonly shared: boolean;
  /**
   * True: frames that the intercept maps select never reach the host's stack. A shared kind that is
   * not exclusive gets copies, and nft rules drop the originals.
   */
  readonly exclusive: boolean;
  /**
   * How several workers read one interface: by a socket a receive queue, by one fanout group, or
   * not at all.
   */
  readonly workers: 'queues' | 'fanout' | 'none';
  /**
   * By which programs the kernel forwards established connections: XDP's, which have frames, or
   * tcx's, which have skbs (docs/offload.md).
   */
  readonly offload: 'frames' | 'skbs' | 'none';
  /**
   * The thread that runs the packet path. `main`: the library behind the kind belongs to the main
   * thread's event loop.
   */
  readonly thread: 'worker' | 'main';
  /**
   * Posts frames of the Umem in the rings of each receive queue. The Umem must be larger for it
   * (umem-memory.ts).
   */
  readonly postsFrames: boolean;
  /**
   * What it needs besides CAP_NET_RAW and CAP_NET_ADMIN. A user namespace cannot load BPF programs.
   */
  readonly needs: 'bpf' | '/dev/net/tun' | 'libpcap' | 'nothing';
  /**
   * Keys it reads. xdp does not read `promiscuous`: its program leaves frames for other MAC
   * addresses to the host.
   */
  readonly options: readonly DeviceOption[];
  /** Bytes; undefined: any MTU that the interface has. */
  readonly largestMtu?: number;
  /** Sentences for docs/devices.md. */
  readonly caveats: readonly string[];
}

export const KINDS = [
  {
    name: 'xdp',
    summary: 'AF_XDP: an XDP program takes the frames at the driver, before the host; the fastest',
    auto: true,
    shared: true,
    exclusive: true,
    workers: 'queues',
    offload: 'frames',
    thread: 'worker',
    postsFrames: true,
    needs: 'bpf',
    options: [],
    largestMtu: 16_108,
    caveats: [
      'The interface must have no other XDP program.',
      'An MTU above 3,820 needs Linux 6.6: a frame is longer than a page then. A driver may allow less.',
      'tcpdump on the director shows none of its packets; `ulvs trace --pcap` does.',
      'VLAN tag stripping is switched off on the interface; in generic mode GRO and LRO, too.',
    ],
  },
  {
    name: 'packet',
    summary: 'packet socket with a mapped ring: works on every Ethernet interface',
    auto: true,
    shared: true,
    exclusive: false,
    workers: 'fanout',
    offload: 'skbs',
    thread: 'worker',
    postsFrames: false,
    needs: 'nothing',
    options: ['promiscuous', 'gso'],
    caveats: [
      'The socket gets copies; nft rules at ingress drop the originals of intercepted packets.',
      'tcpdump on the director shows what comes in, not what the director sends.',
    ],
  },
  {
    name: 'tap',
    summary: 'TAP interface of its own: addresses, MAC and routes are in the process',
    auto: false,
    shared: false,
    exclusive: false,
    workers: 'none',
    offload: 'none',
    thread: 'worker',
    postsFrames: false,
    needs: '/dev/net/tun',
    options: ['mac', 'addresses', 'mtu', 'gso'],
    caveats: ['The interface is created when it is not there, and removed at the end unless it is persistent.'],
  },
  {
    name: 'cap',
    summary: 'libpcap: works where nothing else does, an event for each frame; the slowest',
    auto: true,
    shared: true,
    exclusive: false,
    workers: 'none',
    offload: 'none',
    thread: 'main',
    postsFrames: false,
    needs: 'libpcap',
    options: [],
    caveats: [
      'The whole packet path runs in the main thread when one device is of this kind.',
      'The `cap` package aborts the process when the interface goes down.',
      'The socket gets copies; nft rules at ingress drop the originals of intercepted packets.',
    ],
  },
] as const satisfies readonly KindRow[];

/** The name of a kind. */
export type DeviceKind = (typeof KINDS)[number]['name'];

/** Stands for the first kind with `auto` that works on the interface. */
export const AUTO = 'auto';
/** What a configuration may name. */
export type DeviceChoice = DeviceKind | typeof AUTO;

/**
 * The kind that needs nothing but an Ethernet interface and works in a user namespace. The labs use
 * it by default.
 */
export const PLAIN_KIND: DeviceKind = 'packet';

/** The row of a kind. */
export function kindOf(name: DeviceKind): KindRow {
  return KINDS.find((row) => row.name === name)!;
}

/** The row of a name that comes from outside; undefined when no kind has this name. */
export function findKind(name: string): KindRow | undefined {
  return KINDS.find((row) => row.name === name);
}

/** Names of the kinds that `has` selects, in the table's order. */
export function kindsWith(has: (row: KindRow) => boolean = () => true): DeviceKind[] {
  return KINDS.filter(has).map(({ name }) => name);
}

/** All values of `kind:` in director.yaml and of `ulvs run --device`. */
export function deviceChoices(): DeviceChoice[] {
  return [...kindsWith(), AUTO];
}

/** True when the host's stack has the interface, too. `auto` chooses among shared kinds only. */
export function isShared(choice: DeviceChoice): boolean {
  return choice === AUTO || kindOf(choice).shared;
}

/** Kinds that several workers can read. */
export function forWorkers(): DeviceKind[] {
  return kindsWith(({ workers }) => workers !== 'none');
}

/**
 * False when only one worker can read such a device. True for `auto`: what it chooses is not known
 * here.
 */
export function mayHaveWorkers(choice: DeviceChoice): boolean {
  return choice === AUTO || kindOf(choice).workers !== 'none';
}
