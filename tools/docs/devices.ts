/** docs/devices.md: the table of device kinds (src/device/kinds.ts). */
import { AUTO, KINDS, type KindRow, kindsWith } from '../../src/device/kinds.js';
import { figure } from './results.js';
import {
  type Block,
  bullets,
  code,
  type Document,
  heading,
  paragraph,
  type Row,
  sentence,
  table,
} from './text/blocks.js';
import { markdown } from './text/markdown.js';

const ALL: readonly KindRow[] = KINDS;

export function devicesDocument(): Document {
  return markdown(
    'docs/devices.md',
    'Devices',
    ['src/device/kinds.ts'],
    [
      paragraph(
        `A device is an interface of the director. Its kind is the way in which frames come in and leave. \`kind: ${AUTO}\` tries
      ${kindsWith(({ auto }) => auto)
        .map((name) => `\`${name}\``)
        .join(', ')} in this order; the log says which one it took, and why
      not those before it.`,
      ),
      code('yaml', 'devices:\n  - { name: eth0 }                    # auto\n  - { name: eth1, kind: packet }'),
      table(
        ['kind', 'how it works', 'auto', 'workers', 'needs', 'host sees the frames', 'largest MTU'],
        ALL.map(rowText),
      ),
      paragraph(
        `Each kind needs the capabilities CAP_NET_ADMIN and CAP_NET_RAW; [operating](operating.md#privileges) has them for each
      kind. Frames longer than a frame buffer are counted as \`rxOversize\` in \`ulvs stats\`.`,
      ),
      ...ALL.flatMap(kindBlocks),
    ],
  );
}

function rowText(row: KindRow): Row {
  return [
    `[\`${row.name}\`](#${row.name})`,
    sentence(row.summary),
    row.auto ? 'yes' : 'no',
    WORKERS[row.workers],
    NEEDS[row.needs],
    hostSees(row),
    largestMtu(row),
  ];
}

const WORKERS: Readonly<Record<KindRow['workers'], string>> = {
  queues: 'several; each has receive queues of its own',
  fanout: 'several; a fanout group shares the frames out',
  none: 'one',
};

const NEEDS: Readonly<Record<KindRow['needs'], string>> = {
  bpf: 'CAP_BPF, CAP_PERFMON, CAP_IPC_LOCK',
  '/dev/net/tun': '`/dev/net/tun`',
  libpcap: 'libpcap, the npm package `cap`',
  nothing: 'nothing more',
};

function hostSees({ shared, exclusive }: KindRow): string {
  if (!shared) return 'no; the director is alone behind the interface';
  return exclusive ? 'not those that the director intercepts' : 'yes; nft drops what the director intercepts';
}

function largestMtu({ largestMtu: most, options }: KindRow): string {
  if (most !== undefined) return figure(most);
  return options.includes('mtu') ? 'what `mtu` says, at most 65,535' : 'that of the interface';
}

function kindBlocks(row: KindRow): Block[] {
  const { name, summary, shared, thread, options, needs } = row;
  return [
    heading(2, name),
    paragraph(sentence(summary)),
    bullets([
      `Needs, besides CAP_NET_ADMIN and CAP_NET_RAW: ${NEEDS[needs]}.`,
      `The host's stack sees the frames: ${hostSees(row)}.`,
      `Addresses, MAC address, MTU and routes: ${shared ? 'those of the interface, from the kernel' : 'in the process, from director.yaml'}.`,
      `Largest MTU: ${largestMtu(row)}.`,
      `Workers: ${WORKERS[row.workers]}.`,
      `The packet path runs in ${thread === 'main' ? 'the main thread' : 'the thread of a worker'}.`,
      `Keys of director.yaml that it reads: ${['name', 'kind', ...options].map((key) => `\`${key}\``).join(', ')}.`,
      ...row.caveats,
    ]),
  ];
}
