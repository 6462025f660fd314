/** The states of devices whose interfaces go and come. */
import { beforeEach, expect, it } from 'vitest';
import type { DeviceSet } from '../../../src/control/engine/device-set.js';
import type { Message } from '../../../src/control/engine/messages.js';
import { Hotplug } from '../../../src/control/host/hotplug.js';
import { DeviceError } from '../../../src/device/error.js';

/** Two devices on interfaces of the host; what is open, by ifindex. */
let indices: Map<string, number>;
let open: (number | undefined)[];
let refusal: string;
let done: string[];
let hotplug: Hotplug;

const devices = [
  { name: 'eth0', shared: true },
  { name: 'eth1', shared: true },
];
const set = {
  devices,
  isOpen: (i: number) => open[i] !== undefined,
  ifindexOf: (i: number) => open[i],
  handlesOf: () => [],
  open: (i: number) => {
    if (refusal !== '') throw new DeviceError(devices[i]!.name, refusal);
    open[i] = indices.get(devices[i]!.name);
    return 'packet';
  },
  close: (i: number) => {
    open[i] = undefined;
    done.push(`close ${i}`);
  },
} as unknown as DeviceSet;

beforeEach(() => {
  indices = new Map([
    ['eth0', 2],
    ['eth1', 3],
  ]);
  [open, refusal, done] = [[2, 3], '', []];
  const around = {
    send: (message: Message) => done.push(`${message.kind} ${'device' in message ? message.device : ''}`),
    indexOf: (name: string) => indices.get(name),
    changed: () => done.push('changed'),
  };
  const say = (text: string) => done.push(text.slice(0, 40));
  hotplug = new Hotplug(set, 2, around, { info: say, warn: say } as never);
});

it('an interface that is gone is closed when both workers have let go, and attached when it is back', () => {
  indices.delete('eth1');
  hotplug.linksChanged();
  hotplug.linksChanged();
  expect(done.splice(0)).toEqual(['eth1: the network interface is gone; the', 'detach 1']);
  hotplug.letGo(1);
  expect(done.splice(0)).toEqual([]);
  hotplug.letGo(1);
  expect(done.splice(0)).toEqual(['close 1', 'reclaim 1', 'changed']);
  expect(hotplug.away).toEqual(['eth1']);
  hotplug.check();
  expect(done.splice(0)).toEqual([]);
  indices.set('eth1', 9);
  hotplug.linksChanged();
  expect(done.splice(0)).toEqual(['attach 1', 'eth1: attached again, using packet', 'changed']);
  expect([hotplug.away, open]).toEqual([[], [2, 9]]);
});

it('another interface of the same name is attached at once', () => {
  indices.set('eth1', 9);
  hotplug.linksChanged();
  hotplug.letGo(1);
  hotplug.letGo(1);
  expect(done.slice(1)).toEqual(['detach 1', 'close 1', 'reclaim 1', 'attach 1', expect.anything(), 'changed']);
});

it('what cannot be opened yet is tried again, and said once', () => {
  refusal = 'already in use by another process';
  hotplug.fault(0, 'its XDP program was taken away');
  hotplug.letGo(0);
  hotplug.letGo(0);
  for (let i = 0; i < 3; i++) hotplug.check();
  expect(done.filter((text) => text.startsWith('not attached yet'))).toHaveLength(1);
  refusal = '';
  hotplug.check();
  expect(hotplug.away).toEqual([]);
});

it('a worker that dies has let go', () => {
  indices.delete('eth0');
  hotplug.linksChanged();
  hotplug.letGo(0);
  hotplug.workerDied();
  expect(done).toContain('close 0');
});
