import { describe, expect, it } from 'vitest';
import type { Action } from '../../../src/control/rules/actions.js';
import { type CountersView, NO_STATS, noCounters } from '../../../src/control/rules/counters.js';
import type { Outcome } from '../../../src/control/rules/outcome.js';
import { Rules, type RulesOptions } from '../../../src/control/rules/rules.js';
import { type DestinationConfig, PLAIN_TUNNEL, type ServiceConfig, TCP } from '../../../src/service/config.js';
import { Random } from '../../support/seed.js';

const key = { protocol: TCP, address: '10.0.0.100', port: 80 };
const service: ServiceConfig = { key, scheduler: 'rr', flags: 0, timeout: 0, netmask: 0xffffffff, pe: '' };
const server = (address: string, changes: Partial<DestinationConfig> = {}): DestinationConfig => ({
  address,
  port: 80,
  method: 'masq',
  weight: 1,
  upperThreshold: 0,
  lowerThreshold: 0,
  tunnel: PLAIN_TUNNEL,
  ...changes,
});

const make = (options: Partial<RulesOptions> = {}): Rules =>
  new Rules({ schedulers: ['rr', 'wlc'], engines: ['sip'], counters: noCounters, ...options });
const add = (rules: Rules, address: string): Action =>
  rules.request({ op: 'addDestination', key, destination: server(address) }).actions[0]!;
const drop = (rules: Rules, address: string): Outcome =>
  rules.request({ op: 'deleteDestination', key, address, port: 80 });

describe('actions', () => {
  it('turns accepted requests into actions with slots, refused ones into nothing', () => {
    const rules = make();
    expect(rules.request({ op: 'addService', service }).actions).toEqual([{ kind: 'addService', slot: 0, service }]);
    expect(rules.request({ op: 'addService', service })).toEqual({
      reply: { ok: false, errno: 'EEXIST' },
      actions: [],
    });
    expect(add(rules, '10.1.0.1')).toEqual({
      kind: 'addDestination',
      slot: 0,
      serviceSlot: 0,
      destination: server('10.1.0.1'),
      revived: false,
    });
    expect(add(rules, '10.1.0.2')).toMatchObject({ slot: 1 });
    const heavier = server('10.1.0.2', { weight: 5 });
    expect(rules.request({ op: 'editDestination', key, destination: heavier }).actions).toEqual([
      { kind: 'editDestination', slot: 1, destination: heavier },
    ]);
    expect(rules.request({ op: 'deleteService', key }).actions).toEqual([
      { kind: 'removeDestination', slot: 1 },
      { kind: 'removeDestination', slot: 0 },
      { kind: 'deleteService', slot: 0 },
    ]);
  });

  it('gives plain data that crosses to a worker', () => {
    const rules = make();
    const actions = [rules.request({ op: 'addService', service }).actions[0], add(rules, '10.1.0.1')];
    expect(structuredClone(actions)).toEqual(actions);
  });

  it('keeps timeouts that are given as 0, and refuses what overflows in jiffies', () => {
    const rules = make();
    const set = (tcp: number) => rules.request({ op: 'setTimeouts', timeouts: { tcp, tcpfin: 0, udp: 7 } });
    expect(set(0).actions).toEqual([{ kind: 'setTimeouts', timeouts: { tcp: 900, tcpfin: 120, udp: 7 } }]);
    expect(set(2147483647).reply).toEqual({ ok: false, errno: 'EINVAL' });
    expect(set(-1).reply).toEqual({ ok: false, errno: 'EINVAL' });
  });

  it('runs out of slots with ENOMEM, not with a throw', () => {
    const rules = make({ room: { services: 100, destinations: 100 } });
    const at = (port: number): ServiceConfig => ({ ...service, key: { ...key, port } });
    for (let port = 1; port <= 100; port++)
      expect(rules.request({ op: 'addService', service: at(port) }).reply.ok).toBe(true);
    expect(rules.request({ op: 'addService', service: at(5000) }).reply).toEqual({ ok: false, errno: 'ENOMEM' });
    rules.request({ op: 'deleteService', key: at(7).key });
    expect(rules.request({ op: 'addService', service: at(5000) }).actions).toMatchObject([{ slot: 6 }]);
  });
});

describe('room', () => {
  it('is said to lack before a change, as removed services keep their place', () => {
    const rules = make({ room: { services: 2, destinations: 3 } });
    const another = { ...service, key: { ...key, port: 81 } };
    const addition = { op: 'addService', service: another } as const;
    rules.request({ op: 'addService', service });
    add(rules, '10.1.0.1');
    expect(rules.slots.lackOfRoom([addition])).toBeUndefined();
    expect(rules.slots.lackOfRoom([addition, addition])).toMatch(/^2 new services, but there is room for 1 only/);
    const more = { op: 'addDestination', key, destination: server('10.1.0.2') } as const;
    expect(rules.slots.lackOfRoom([more, more, more])).toMatch(/^3 new destinations, but there is room for 2 only/);
    rules.request({ op: 'flush' });
    expect(rules.slots.lackOfRoom([addition, addition])).toMatch(/room for 1 only/);
    rules.slots.tick(0, () => 0);
    rules.slots.tick(60_000, () => 0);
    rules.slots.tick(180_000, () => 0);
    expect(rules.slots.lackOfRoom([addition, addition])).toBeUndefined();
  });
});

describe('trash', () => {
  it('gives a destination that is added again its slot back', () => {
    const rules = make();
    rules.request({ op: 'addService', service });
    add(rules, '10.1.0.1');
    drop(rules, '10.1.0.1');
    expect(add(rules, '10.1.0.2')).toMatchObject({ slot: 1, revived: false });
    expect(add(rules, '10.1.0.1')).toMatchObject({ slot: 0, revived: true });
  });

  it('does so even after its service went and came, in the service’s new slot', () => {
    const rules = make();
    rules.request({ op: 'addService', service });
    add(rules, '10.1.0.1');
    rules.request({ op: 'flush' });
    expect(rules.request({ op: 'addService', service }).actions).toMatchObject([{ slot: 1 }]);
    expect(add(rules, '10.1.0.1')).toMatchObject({ slot: 0, serviceSlot: 1, revived: true });
    const other: ServiceConfig = { ...service, key: { ...key, port: 81 } };
    expect(rules.request({ op: 'addService', service: other }).actions).toMatchObject([{ slot: 0 }]);
  });

  it('frees a slot 120 s after a scan found it unreferenced, at a scan every 60 s', () => {
    const rules = make();
    rules.request({ op: 'addService', service });
    add(rules, '10.1.0.1');
    drop(rules, '10.1.0.1');
    let refs = 1;
    const freedAt: number[] = [];
    for (let second = 0; second <= 600; second++) {
      if (second === 90) refs = 0;
      if (rules.slots.tick(second * 1000, () => refs).length > 0) freedAt.push(second);
    }
    expect(freedAt).toEqual([240]);
    expect(add(rules, '10.1.0.1')).toMatchObject({ slot: 0, revived: false });
  });

  it('never lends a slot that connections still name', () => {
    const rules = make();
    rules.request({ op: 'addService', service });
    add(rules, '10.1.0.1');
    drop(rules, '10.1.0.1');
    for (let minute = 0; minute < 60; minute++) expect(rules.slots.tick(minute * 60_000, () => 1)).toEqual([]);
    expect(add(rules, '10.1.0.2')).toMatchObject({ slot: 1 });
  });

  it('holds its invariants over random histories: no slot twice, lists newest first', () => {
    const rules = make();
    rules.request({ op: 'addService', service });
    const live = new Map<string, number>();
    const random = new Random();
    let now = 0;
    for (let step = 0; step < 4000; step++) {
      const address = `10.1.0.${1 + random.below(20)}`;
      if (random.below(3) === 0) {
        expect(drop(rules, address).reply.ok).toBe(live.delete(address));
      } else if (!live.has(address)) {
        const action = add(rules, address);
        if (action.kind !== 'addDestination') throw new Error('no addDestination');
        expect([...live.values()]).not.toContain(action.slot);
        live.set(address, action.slot);
      }
      now += random.below(30_000);
      rules.slots.tick(now, () => random.below(4));
      const shown = rules.entries()[0]!.destinations.map((destination) => destination.address);
      expect(shown).toEqual([...live.keys()].reverse());
    }
  });
});

describe('counters', () => {
  const counted = { ...NO_STATS, conns: 10, inpkts: 100, cps: 3 };
  const counters: CountersView = {
    service: () => ({ ...counted }),
    destination: () => ({ ...counted }),
    connections: () => ({ activeConns: 4, inactConns: 5, persistConns: 6 }),
    total: () => ({ ...counted }),
    copyCounts: (_of, _slot, into, at) => into.set([counted.conns, counted.inpkts, 0, 0, 0], at),
  };

  it('shows what was counted since the tenant came or -Z, and rates as they are', () => {
    const rules = make({ counters });
    rules.request({ op: 'addService', service });
    add(rules, '10.1.0.1');
    counted.conns = 17;
    const [entry] = rules.entries();
    expect(entry?.stats).toMatchObject({ conns: 7, inpkts: 0, cps: 3 });
    expect(entry?.destinations[0]).toMatchObject({
      activeConns: 4,
      inactConns: 5,
      persistConns: 6,
      stats: { conns: 7 },
    });
    expect(rules.request({ op: 'zero' }).actions).toEqual([
      { kind: 'zeroRates', services: [0], destinations: [0], total: true },
    ]);
    counted.conns = 18;
    expect(rules.entries()[0]?.stats.conns).toBe(1);
    expect(rules.total().conns).toBe(1);
  });

  it('keeps a revived destination’s counters within its service and not across its renewal', () => {
    counted.conns = 0;
    const rules = make({ counters });
    const shown = (): number | undefined => rules.entries()[0]?.destinations[0]?.stats.conns;
    rules.request({ op: 'addService', service });
    add(rules, '10.1.0.1');
    counted.conns = 5;
    drop(rules, '10.1.0.1');
    add(rules, '10.1.0.1');
    expect(shown()).toBe(5);
    rules.request({ op: 'deleteService', key });
    rules.request({ op: 'addService', service });
    add(rules, '10.1.0.1');
    expect(shown()).toBe(0);
  });
});
