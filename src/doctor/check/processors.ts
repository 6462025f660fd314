/**
 * The workers' CPUs (workerCpus in director.yaml) against the CPUs of the director's interfaces:
 *
 *     worker with real-time priority, CPU 2 ── an interrupt or a queue (RPS) of eth0 on CPU 2
 *     worker on CPU 2 of node 0             ── eth0 at node 1
 */
import type { Check, Facts, Finding, HostFacts } from '../facts.js';
import { listText, type ProcessorFacts, type ReceivingCpus } from '../interrupts.js';
import { commandOn, director } from '../queries.js';

/** With real-time priority a worker keeps what its CPU receives waiting. */
export const interruptsOfWorkers: Check = (facts) => {
  const { workerCpus, isRealtime } = facts.director.placement;
  const { processors } = director(facts);
  if (!isRealtime || processors === undefined) return [];
  const meets = ({ dev, cpus }: ReceivingCpus) => isOurs(facts, dev) && cpus.some((cpu) => workerCpus.includes(cpu));
  const others = othersOf(processors, workerCpus);
  return [
    ...grouped(processors.interrupts.filter(meets)).map((found) => withInterrupts(facts, found, others)),
    ...grouped(processors.steering.filter(meets)).map((found) => withSteering(facts, found)),
  ];
};

function withInterrupts(facts: Facts, found: readonly ReceivingCpus[], others: readonly number[]): Finding {
  const host = director(facts);
  return {
    id: 'interrupts-on-worker-cpu',
    host: host.name,
    wrong: `interrupts of ${found[0]!.dev} may run on ${shared(facts, found)}, where a worker has real-time priority`,
    seen: found.map(({ name, cpus }) => `/proc/irq/${name}/smp_affinity_list is ${listText(cpus)}`).join('; '),
    consequence: WAITS,
    fix: found.flatMap(({ name, cpus }) => {
      const left = cpus.filter((cpu) => !facts.director.placement.workerCpus.includes(cpu));
      const to = left.length > 0 ? left : others;
      return to.length > 0 ? [written(host, listText(to), `/proc/irq/${name}/smp_affinity_list`)] : [];
    }),
  };
}

function withSteering(facts: Facts, found: readonly ReceivingCpus[]): Finding {
  const host = director(facts);
  const file = ({ dev, name }: ReceivingCpus) => `/sys/class/net/${dev}/queues/${name}/rps_cpus`;
  return {
    id: 'rps-on-worker-cpu',
    host: host.name,
    wrong: `RPS gives packets of ${found[0]!.dev} to ${shared(facts, found)}, where a worker has real-time priority`,
    seen: found.map((one) => `${file(one)} has CPU ${listText(one.cpus)}`).join('; '),
    consequence: WAITS,
    fix: found.map((one) => written(host, '0', file(one))),
  };
}

const WAITS =
  'a busy worker leaves little of its CPU to the kernel: ksoftirqd waits, packets come late or are dropped by the interface';

/** A worker whose CPU is on another NUMA node than an interface reads every packet from there. */
export const nodesOfWorkers: Check = (facts) => {
  const host = director(facts);
  const { processors } = host;
  const { workerCpus } = facts.director.placement;
  if (processors === undefined) return [];
  const { nodes, nodeOf } = processors;
  return facts.director.devices.flatMap(({ name }) => {
    const node = nodeOf.get(name);
    const there = node === undefined ? undefined : nodes.get(node);
    const far = there === undefined ? [] : workerCpus.filter((cpu) => !there.includes(cpu));
    if (far.length === 0 || there!.length < workerCpus.length) return [];
    const near = there!.slice(-workerCpus.length).join(', ');
    return [
      {
        id: 'worker-on-other-node',
        host: host.name,
        wrong: `${name} is at NUMA node ${node}, and workerCpus has CPU ${listText(far)} of another node`,
        seen: `/sys/class/net/${name}/device/numa_node is ${node}; /sys/devices/system/node/node${node}/cpulist is ${listText(there!)}`,
        consequence: 'the worker reads and writes every packet in the memory of another node',
        fix: [`sed -i 's|^workerCpus:.*|workerCpus: [${near}]|' ${facts.config}`, 'systemctl restart ulvs'],
      },
    ];
  });
};

function isOurs({ director: { devices } }: Facts, dev: string): boolean {
  return devices.some(({ name }) => name === dev);
}

/** CPUs without a worker. */
function othersOf({ nodes }: ProcessorFacts, workerCpus: readonly number[]): number[] {
  return [...nodes.values()].flat().filter((cpu) => !workerCpus.includes(cpu));
}

/** One list for each interface. */
function grouped(all: readonly ReceivingCpus[]): ReceivingCpus[][] {
  return [...new Set(all.map(({ dev }) => dev))].map((dev) => all.filter((one) => one.dev === dev));
}

function shared(facts: Facts, found: readonly ReceivingCpus[]): string {
  const { workerCpus } = facts.director.placement;
  return `CPU ${listText(found.flatMap(({ cpus }) => cpus.filter((cpu) => workerCpus.includes(cpu))))}`;
}

function written(host: HostFacts, what: string, file: string): string {
  return commandOn(host, `sh -c 'echo ${what} > ${file}'`);
}
