/** Workers' CPUs against interrupts, RPS and NUMA nodes: the files of made machines, and findings. */
import { describe, expect, it } from 'vitest';
import { examine } from '../../src/doctor/examine.js';
import type { Facts } from '../../src/doctor/facts.js';
import { cpuList, cpuMask, listText, parseInterrupts } from '../../src/doctor/interrupts.js';
import { nat } from './made-facts.js';

/** A machine of 2 nodes with 4 CPUs each; eth0 is at node 0, eth1 says no node. */
const MACHINE = `node 0 0-3
node 1 4-7
on eth0 0
on eth1 -1
irq eth0 24 2
irq eth0 25 0-1
irq eth9 30 2
irq eth1 26
rps eth0 rx-0 00
rps eth1 rx-0 00000000,00000000`;

/** The findings of a director with these workers on the machine with these lines. */
function found(workerCpus: number[], isRealtime: boolean, lines = MACHINE) {
  const made: Facts = nat({}, { placement: { workerCpus, isRealtime } });
  const processors = parseInterrupts(lines);
  const hosts = made.hosts.map((host) => (host.role === 'director' ? { ...host, namespace: '', processors } : host));
  return examine({ ...made, hosts });
}
const ids = (...args: Parameters<typeof found>) => found(...args).map(({ id }) => id);

describe('lists of CPUs', () => {
  it('are read and written as the kernel has them', () => {
    expect(cpuList('0-3,8')).toEqual([0, 1, 2, 3, 8]);
    expect(cpuList('')).toEqual([]);
    expect(cpuMask('5')).toEqual([0, 2]);
    expect(cpuMask('00000001,80000000')).toEqual([31, 32]);
    expect(listText([8, 2, 1, 0, 2])).toBe('0-2,8');
  });

  it('without the files of a machine there are none', () =>
    expect(parseInterrupts('')).toEqual({ nodes: new Map(), nodeOf: new Map(), interrupts: [], steering: [] }));
});

describe('an interrupt of an interface of the director', () => {
  it('on the CPU of a worker with real-time priority is found, and can be moved', () => {
    const [one, ...others] = found([2], true);
    expect(others).toEqual([]);
    expect(one).toMatchObject({
      id: 'interrupts-on-worker-cpu',
      wrong: 'interrupts of eth0 may run on CPU 2, where a worker has real-time priority',
      seen: '/proc/irq/24/smp_affinity_list is 2',
      fix: ["sh -c 'echo 0-1,3-7 > /proc/irq/24/smp_affinity_list'"],
    });
  });

  it('that may run on other CPUs, too, keeps those', () =>
    expect(found([1], true)[0]?.fix).toEqual(["sh -c 'echo 0 > /proc/irq/25/smp_affinity_list'"]));

  it('is no finding with usual priority, on another CPU, or of another interface', () => {
    expect(ids([2], false)).toEqual([]);
    expect(ids([3], true)).toEqual([]);
    expect(ids([2], true, 'irq eth9 30 2')).toEqual([]);
  });
});

it('RPS to the CPU of a worker with real-time priority is found', () => {
  const [one] = found([2], true, 'node 0 0-3\nrps eth0 rx-0 00000006');
  expect(one).toMatchObject({
    id: 'rps-on-worker-cpu',
    seen: '/sys/class/net/eth0/queues/rx-0/rps_cpus has CPU 1-2',
    fix: ["sh -c 'echo 0 > /sys/class/net/eth0/queues/rx-0/rps_cpus'"],
  });
});

it('a worker at another node than an interface is found, if its node has enough CPUs', () => {
  const [one, ...others] = found([5, 1], false);
  expect(others).toEqual([]);
  expect(one).toMatchObject({
    id: 'worker-on-other-node',
    wrong: 'eth0 is at NUMA node 0, and workerCpus has CPU 5 of another node',
    fix: ["sed -i 's|^workerCpus:.*|workerCpus: [2, 3]|' /etc/director.yaml", 'systemctl restart ulvs'],
  });
  expect(ids([1, 2, 3, 4, 5], false)).toEqual([]);
});
