/**
 * The table of device kinds: one row a kind. The configuration schema, the options and help of the commands, the daemon,
 * the labs and docs/devices.md ask the row; no other file names a kind to find out what it does.
 *
 * A new kind is a file with its Device, a row here, and its line in open.ts, which the compiler asks for. The order of the
 * rows is the order in which `auto` tries them, the fastest first, and the order of all lists that users see.
 *
 * This file loads nothing: a schema or a help text needs no native library.
 */

/** Keys of a device in director.yaml that not every kind reads. */
export type DeviceOption = 'mac' | 'addresses' | 'mtu' | 'promiscuous';

export interface KindRow {
  readonly name: string;
  /** One line for help and docs. */
  readonly summary: string;
  /** `kind: auto` may choose it. */
  readonly auto: boolean;
  /**
   * True: an interface of the host, whose stack sees the frames as well; MAC, MTU, addresses and routes are the kernel's.
   * False: the director is alone behind the interface; MAC, addresses and routes are in the process.
   */
  readonly shared: boolean;
  /** What the intercept maps select never reaches the host's stack. A shared kind without it gets copies; nft drops the kernel's. */
  readonly exclusive: boolean;
  /** How several workers read one interface: a socket for each receive queue, one fanout group, or not at all. */
  readonly workers: 'queues' | 'fanout' | 'none';
  /** Where it runs. A library that lives by the event loop of the main thread has the packet path there, too. */
  readonly thread: 'worker' | 'main';
  /** Keeps frames of the Umem posted in the rings of each receive queue, so the Umem must be larger (umem-memory.ts). */
  readonly postsFrames: boolean;
  /** What it needs besides CAP_NET_RAW and CAP_NET_ADMIN. No user namespace may load BPF programs. */
  readonly needs: 'bpf' | '/dev/net/tun' | 'libpcap' | 'nothing';
  /** Keys it reads. An xdp program that goes by maps leaves frames for other MAC addresses to the host: no `promiscuous`. */
  readonly options: readonly DeviceOption[];
  /** Bytes; undefined: any MTU that the interface has. */
  readonly largestMtu?: number;
  /** Sentences for docs. */
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
    thread: 'worker',
    postsFrames: true,
    needs: 'bpf',
    options: [],
    largestMtu: 3820,
    caveats: [
      'The interface must have no other XDP program.',
      'A frame and its headroom must fit into one page: that bounds the MTU. A driver may allow less.',
      'tcpdump on the director shows none of its packets; `ulvs trace --pcap` does.',
      'GRO, LRO and VLAN tag stripping are switched off while a program runs in generic mode, tag stripping also in native mode.',
    ],
  },
  {
    name: 'packet',
    summary: 'packet socket with a mapped ring: works on every Ethernet interface',
    auto: true,
    shared: true,
    exclusive: false,
    workers: 'fanout',
    thread: 'worker',
    postsFrames: false,
    needs: 'nothing',
    options: ['promiscuous'],
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
    thread: 'worker',
    postsFrames: false,
    needs: '/dev/net/tun',
    options: ['mac', 'addresses', 'mtu'],
    caveats: ['The interface is created when it is not there, and removed at the end unless it is persistent.'],
  },
  {
    name: 'cap',
    summary: 'libpcap: works where nothing else does, an event for each frame; the slowest',
    auto: true,
    shared: true,
    exclusive: false,
    workers: 'none',
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

/** Name of a kind. */
export type DeviceKind = (typeof KINDS)[number]['name'];

/** Instead of a kind: the first row with `auto` that works on the interface. */
export const AUTO = 'auto';
/** What a configuration may say. */
export type DeviceChoice = DeviceKind | typeof AUTO;

/** Needs nothing but an Ethernet interface, and works in a user namespace: the labs' own choice. */
export const PLAIN_KIND: DeviceKind = 'packet';

export function kindOf(name: DeviceKind): KindRow {
  return KINDS.find((row) => row.name === name)!;
}

/** The row of a name that comes from outside; undefined when there is none of this name. */
export function findKind(name: string): KindRow | undefined {
  return KINDS.find((row) => row.name === name);
}

/** Names of the kinds that `has` selects, in the table's order. */
export function kindsWith(has: (row: KindRow) => boolean = () => true): DeviceKind[] {
  return KINDS.filter(has).map(({ name }) => name);
}

/** What a configuration and `ulvs run --device` take. */
export function deviceChoices(): DeviceChoice[] {
  return [...kindsWith(), AUTO];
}

/** `auto` chooses among shared kinds only. */
export function isShared(choice: DeviceChoice): boolean {
  return choice === AUTO || kindOf(choice).shared;
}

/** Kinds that several workers can read. */
export function forWorkers(): DeviceKind[] {
  return kindsWith(({ workers }) => workers !== 'none');
}

/** False when no more than one worker can read such a device; what `auto` chooses is not known here. */
export function mayHaveWorkers(choice: DeviceChoice): boolean {
  return choice === AUTO || kindOf(choice).workers !== 'none';
}

/** Lines for a command's help, one a kind. */
export function kindsHelp(names: readonly DeviceKind[] = kindsWith()): string {
  return names.map((name) => `  ${name.padEnd(8)}${kindOf(name).summary}`).join('\n');
}
