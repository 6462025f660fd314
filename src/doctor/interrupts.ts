/**
 * Which CPUs handle what the network interfaces receive, from files of sysfs and procfs. The shell
 * of gather-host.ts prints them in lines:
 *
 *     node 0 0-7                 /sys/devices/system/node/node0/cpulist
 *     on eth0 0                  /sys/class/net/eth0/device/numa_node; −1: the machine has one node
 *     irq eth0 24 2              an interrupt of the device (msi_irqs), /proc/irq/24/smp_affinity_list
 *     rps eth0 rx-0 00000004     /sys/class/net/eth0/queues/rx-0/rps_cpus
 */

/** CPUs that may handle an interrupt of a device, or the packets of one of its queues (RPS). */
export interface ReceivingCpus {
  readonly dev: string;
  /** `24`, or `rx-0` for a queue. */
  readonly name: string;
  readonly cpus: readonly number[];
}

/** The CPUs of a machine, and what they receive. */
export interface ProcessorFacts {
  /** The CPUs of each NUMA node, by its number. */
  readonly nodes: ReadonlyMap<number, readonly number[]>;
  /** The node of each interface that says one. */
  readonly nodeOf: ReadonlyMap<string, number>;
  readonly interrupts: readonly ReceivingCpus[];
  readonly steering: readonly ReceivingCpus[];
}

/** The shell commands. A virtio interface has its interrupts at the device above. */
export const INTERRUPTS_SCRIPT = `
for node in /sys/devices/system/node/node[0-9]*; do echo "node \${node##*/node} $(cat $node/cpulist)"; done
for net in /sys/class/net/*; do dev=\${net##*/}
  [ -e $net/device/numa_node ] && echo "on $dev $(cat $net/device/numa_node)"
  for irq in $(ls $net/device/msi_irqs $net/device/../msi_irqs); do
    [ -e /proc/irq/$irq ] && echo "irq $dev $irq $(cat /proc/irq/$irq/smp_affinity_list)"
  done
  for queue in $net/queues/rx-*; do
    [ -e $queue/rps_cpus ] && echo "rps $dev \${queue##*/} $(cat $queue/rps_cpus)"
  done
done
`;

/** Parses the lines. Other lines are left out. */
export function parseInterrupts(text: string): ProcessorFacts {
  const lines = text.split('\n').map((line) => line.trim().split(/ +/));
  const of = (kind: string) => lines.filter(([word, , third]) => word === kind && third !== undefined);
  const receiving = ([, dev, name, cpus]: string[], parse: (text: string) => number[]): ReceivingCpus => ({
    dev: dev!,
    name: name!,
    cpus: parse(cpus ?? ''),
  });
  return {
    nodes: new Map(of('node').map(([, node, cpus]) => [Number(node), cpuList(cpus!)])),
    nodeOf: new Map(of('on').flatMap(([, dev, node]) => (Number(node) >= 0 ? [[dev!, Number(node)] as const] : []))),
    interrupts: of('irq').map((line) => receiving(line, cpuList)),
    steering: of('rps').map((line) => receiving(line, cpuMask)),
  };
}

/** CPUs of a list of the kernel: `0-3,8`. */
export function cpuList(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    if (first === undefined) return [];
    return Array.from({ length: Number(last) - Number(first) + 1 }, (_, i) => Number(first) + i);
  });
}

/** CPUs of a mask of the kernel: hexadecimal words of 32 bits, the highest first. */
export function cpuMask(text: string): number[] {
  return text
    .split(',')
    .reverse()
    .flatMap((word, i) =>
      Array.from({ length: 32 }, (_, bit) => bit)
        .filter((bit) => ((Number.parseInt(word, 16) >>> bit) & 1) !== 0)
        .map((bit) => 32 * i + bit),
    );
}

/** The same as a list: `0-3,8`. */
export function listText(cpus: readonly number[]): string {
  const sorted = [...new Set(cpus)].sort((a, b) => a - b);
  const ends = sorted.filter((cpu, i) => sorted[i + 1] !== cpu + 1);
  const begins = sorted.filter((cpu, i) => sorted[i - 1] !== cpu - 1);
  return begins.map((first, i) => (first === ends[i] ? `${first}` : `${first}-${ends[i]}`)).join(',');
}
