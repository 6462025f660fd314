/** What a reload changes: every field of a service and of a destination counts. */
import { describe, expect, it } from 'vitest';
import type { ChangeRequest, DestinationEntry, ServiceEntry } from '../../../src/control/api/api.js';
import { NO_STATS, noCounters } from '../../../src/control/rules/counters.js';
import { changes } from '../../../src/control/rules/diff.js';
import { reloadDiff } from '../../../src/control/rules/reload-diff.js';
import { Rules } from '../../../src/control/rules/rules.js';
import {
  type DestinationConfig,
  PLAIN_TUNNEL,
  SCTP,
  type ServiceConfig,
  SVC_PERSISTENT,
  TCP,
  UDP,
} from '../../../src/service/config.js';
import { Random } from '../../support/seed.js';

const key = { protocol: TCP, address: '10.0.0.100', port: 80 };
const SERVICE: ServiceConfig = { key, scheduler: 'rr', flags: 0, timeout: 0, netmask: 0xffffffff, pe: '' };
const DESTINATION: DestinationConfig = {
  address: '192.168.1.11',
  port: 8080,
  method: 'masq',
  weight: 1,
  upperThreshold: 0,
  lowerThreshold: 0,
  tunnel: PLAIN_TUNNEL,
};

/** Another value for each field but the key. A new field of ServiceConfig does not compile without a line here. */
const OTHER_SERVICE: Required<Omit<ServiceConfig, 'key'>> = {
  scheduler: 'wlc',
  flags: SVC_PERSISTENT,
  timeout: 300,
  netmask: 0xffffff00,
  pe: 'sip',
};
/** The same for DestinationConfig. */
const OTHER_DESTINATION: Required<Omit<DestinationConfig, 'address' | 'port'>> = {
  method: 'ipip',
  weight: 0,
  upperThreshold: 100,
  lowerThreshold: 50,
  tunnel: { type: 'gue', port: 6080, checksum: 'csum' },
};

function listed(config: DestinationConfig, conns = 0): DestinationEntry {
  return {
    ...config,
    lastWeight: config.weight,
    activeConns: conns,
    inactConns: conns,
    persistConns: conns,
    stats: { ...NO_STATS, conns },
  };
}

function entry(service: ServiceConfig, destinations: DestinationConfig[] = [DESTINATION], conns = 0): ServiceEntry {
  const all = destinations.map((destination) => listed(destination, conns));
  return { ...service, stats: { ...NO_STATS, conns }, destinations: all };
}

describe('the difference between running and wanted services', () => {
  it('is nothing when only counters differ', () => {
    expect(changes([entry(SERVICE, [DESTINATION], 7)], [entry(SERVICE)])).toEqual([]);
  });

  it('does not depend on the order of a config’s fields', () => {
    const reversed = Object.fromEntries(Object.entries(entry(SERVICE)).reverse()) as unknown as ServiceEntry;
    expect(changes([entry(SERVICE)], [reversed])).toEqual([]);
  });

  it.each(Object.entries(OTHER_SERVICE))('is an edit of the service for another %s', (field, value) => {
    const wanted: ServiceConfig = { ...SERVICE, [field]: value };
    expect(changes([entry(SERVICE)], [entry(wanted)])).toEqual([{ op: 'editService', service: wanted }]);
  });

  it.each(Object.entries(OTHER_DESTINATION))('is an edit of the destination for another %s', (field, value) => {
    const destination: DestinationConfig = { ...DESTINATION, [field]: value };
    expect(changes([entry(SERVICE)], [entry(SERVICE, [destination])])).toEqual([
      { op: 'editDestination', key, destination },
    ]);
  });

  it.each([
    { protocol: UDP, address: '10.0.0.100', port: 80 },
    { protocol: TCP, address: '10.0.0.101', port: 80 },
    { protocol: TCP, address: '10.0.0.100', port: 81 },
    { fwmark: 1, family: 4 as const },
    { fwmark: 1, family: 6 as const },
  ])('is another service for another key: %o', (other) => {
    const wanted = { ...SERVICE, key: other };
    expect(changes([entry(SERVICE)], [entry(wanted)])).toEqual([
      { op: 'deleteService', key },
      { op: 'addService', service: wanted },
      { op: 'addDestination', key: other, destination: DESTINATION },
    ]);
  });

  it.each([
    ['address', '192.168.1.12'],
    ['port', 8081],
  ])('is another destination for another %s', (field, value) => {
    const destination: DestinationConfig = { ...DESTINATION, [field]: value };
    expect(changes([entry(SERVICE)], [entry(SERVICE, [destination])])).toEqual([
      { op: 'deleteDestination', key, address: '192.168.1.11', port: 8080 },
      { op: 'addDestination', key, destination },
    ]);
  });

  it('removes first, then adds oldest first', () => {
    const at = (port: number) => ({ ...SERVICE, key: { ...key, port } });
    const ops = changes([entry(at(1), [])], [entry(at(3), []), entry(at(2), [])]);
    expect(ops).toEqual([
      { op: 'deleteService', key: { ...key, port: 1 } },
      { op: 'addService', service: at(2) },
      { op: 'addService', service: at(3) },
    ]);
  });

  it('gives a quiesced destination the weight that it had in the wanted table', () => {
    const quiesced = entry(SERVICE, [{ ...DESTINATION, weight: 0 }]);
    quiesced.destinations[0]!.lastWeight = 3;
    expect(changes([entry(SERVICE, [])], [quiesced])).toEqual([
      { op: 'addDestination', key, destination: { ...DESTINATION, weight: 3 } },
      { op: 'editDestination', key, destination: { ...DESTINATION, weight: 0 } },
    ]);
    expect(changes([quiesced], [quiesced])).toEqual([]);
  });

  it('puts the destinations of mh into the wanted order, and leaves those of rr', () => {
    const at = (...hosts: number[]) => hosts.map((host) => ({ ...DESTINATION, address: `192.168.1.${host}` }));
    const ops = (scheduler: string, from: number[], to: number[]) =>
      changes([entry({ ...SERVICE, scheduler }, at(...from))], [entry({ ...SERVICE, scheduler }, at(...to))]).map(
        (request) => `${request.op} ${JSON.stringify(request).match(/192.168.1.(\d+)/)![1]}`,
      );
    // Newest first.
    expect(ops('mh', [3, 1], [3, 2, 1])).toEqual(['deleteDestination 3', 'addDestination 2', 'addDestination 3']);
    expect(ops('mh', [2, 1], [3, 2, 1])).toEqual(['addDestination 3']);
    expect(ops('rr', [3, 1], [3, 2, 1])).toEqual(['addDestination 2']);
  });

  it('leads from any table to any other', () => {
    const random = new Random();
    for (let round = 0; round < 200; round++) {
      const [running, wanted] = [randomTable(random), randomTable(random)];
      const said = `seed ${random.seed}, round ${round}`;
      const requests = changes(running.entries(), wanted.entries());
      for (const request of requests) expect(running.request(request).reply.ok, said).toBe(true);
      expect(sorted(running.entries()), said).toEqual(sorted(wanted.entries()));
      expect(changes(running.entries(), wanted.entries()), said).toEqual([]);
    }
  });
});

/**
 * Lists keep the order in which their members came, which a reload does not change for those that stay. The last weight
 * of a quiesced destination is that of its past.
 */
function sorted(entries: readonly ServiceEntry[]): unknown {
  const byText = (a: unknown, b: unknown) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
  const plain = (one: DestinationEntry) => ({ ...one, lastWeight: 0 });
  return entries.map((one) => ({ ...one, destinations: one.destinations.map(plain).sort(byText) })).sort(byText);
}

function randomTable(random: Random): Rules {
  const rules = new Rules({ schedulers: ['rr', 'wlc'], engines: ['sip'], counters: noCounters });
  for (let port = 1; port <= 3; port++) {
    if (random.bool()) continue;
    const service: ServiceConfig = { ...SERVICE, key: { ...key, port }, scheduler: random.bool() ? 'rr' : 'wlc' };
    rules.request({ op: 'addService', service });
    for (let host = 11; host <= 14; host++)
      if (random.bool())
        rules.request({
          op: 'addDestination',
          key: service.key,
          destination: { ...DESTINATION, address: `192.168.1.${host}`, weight: random.below(3) },
        });
  }
  return rules;
}

describe('what a reload undoes', () => {
  const service = (port: number, address = '10.0.0.100', protocol = TCP): ServiceConfig => ({
    ...SERVICE,
    key: { protocol, address, port },
  });
  const file = [entry(SERVICE)];

  it('is nothing while the file says what runs', () => {
    expect(reloadDiff(file, file, file)).toEqual([]);
  });

  it('is nothing that the file itself changes', () => {
    const wanted = [entry({ ...SERVICE, scheduler: 'wlc' }, [{ ...DESTINATION, weight: 5 }])];
    expect(reloadDiff(file, file, wanted)).toEqual([]);
  });

  it.each<[string, ServiceEntry[], string]>([
    [
      'a weight',
      [entry(SERVICE, [{ ...DESTINATION, weight: 0 }])],
      '192.168.1.11:8080 of -t 10.0.0.100:80 has weight 1 again, not 0',
    ],
    [
      'another option',
      [entry(SERVICE, [{ ...DESTINATION, upperThreshold: 9 }])],
      '192.168.1.11:8080 of -t 10.0.0.100:80 has its options again',
    ],
    ['a scheduler', [entry({ ...SERVICE, scheduler: 'wlc' })], '-t 10.0.0.100:80 has its scheduler and options again'],
    ['a removed service', [], '-t 10.0.0.100:80 is there again'],
    ['a removed destination', [entry(SERVICE, [])], '192.168.1.11:8080 of -t 10.0.0.100:80 is there again'],
    [
      'an added destination',
      [entry(SERVICE, [{ ...DESTINATION, address: '2001:db8::1' }, DESTINATION])],
      '[2001:db8::1]:8080 of -t 10.0.0.100:80 is gone again',
    ],
    ['an added UDP service', [...file, entry(service(53, '10.0.0.101', UDP), [])], '-u 10.0.0.101:53 is gone again'],
    [
      'an added SCTP service',
      [...file, entry(service(9, '2001:db8::2', SCTP), [])],
      '--sctp-service [2001:db8::2]:9 is gone again',
    ],
    ['an added fwmark', [...file, entry({ ...SERVICE, key: { fwmark: 3, family: 6 } }, [])], '-f 3 -6 is gone again'],
  ])('names %s', (_, running, line) => {
    expect(reloadDiff(file, running, file)[0]).toBe(line);
  });

  it('keeps a change of ulvsadm that the file has made too', () => {
    const running = [entry(SERVICE, [{ ...DESTINATION, weight: 5 }])];
    expect(reloadDiff(file, running, running)).toEqual([]);
  });

  it('takes back only what ulvsadm did, beside changes of the file', () => {
    const running = [entry(SERVICE, [{ ...DESTINATION, weight: 0 }])];
    const wanted = [entry({ ...SERVICE, scheduler: 'wlc' })];
    const requests: ChangeRequest[] = changes(running, wanted);
    expect(requests.map(({ op }) => op)).toEqual(['editService', 'editDestination']);
    expect(reloadDiff(file, running, wanted)).toEqual([
      '192.168.1.11:8080 of -t 10.0.0.100:80 has weight 1 again, not 0',
    ]);
  });
});
