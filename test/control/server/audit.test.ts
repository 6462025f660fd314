/** The audit log: who changed what, from what, to what. */
import { pino } from 'pino';
import { expect, it } from 'vitest';
import type { AdminRequest, ChangeRequest } from '../../../src/control/api/api.js';
import { parseConfig } from '../../../src/control/config/config.js';
import { noCounters } from '../../../src/control/rules/counters.js';
import { Rules } from '../../../src/control/rules/rules.js';
import { Audit } from '../../../src/control/server/audit.js';
import { dryClient } from '../../../src/control/server/dry-client.js';
import { PLAIN_TUNNEL } from '../../../src/service/config.js';

const key = { protocol: 6, address: '10.0.0.100', port: 80 } as const;
const service = { key, scheduler: 'rr', flags: 0, timeout: 0, netmask: 0xffffffff, pe: '' };
const limits = { upperThreshold: 0, lowerThreshold: 0, tunnel: PLAIN_TUNNEL };
const destination = { address: '10.1.0.11', port: 8080, method: 'masq', weight: 1, ...limits } as const;

/** An audit of a rule table; `ask` returns the lines of a request. */
function desk(level = 'info') {
  const lines: { uid: number; pid: number; command?: string; msg: string }[] = [];
  const log = pino({ level, base: null }, { write: (line) => lines.push(JSON.parse(line)) });
  const rules = new Rules({ schedulers: ['rr', 'wlc'], engines: [], counters: noCounters });
  const settings = parseConfig('devices: [{ name: eth0 }]', 'x');
  const before = { find: (one: typeof key) => rules.find(one), count: 1 };
  const audit = new Audit(log, () => ({ before: before as never, settings }));
  const ask = async (request: AdminRequest) => {
    lines.length = 0;
    const note = audit.begin(request, { pid: process.pid, uid: 7, gid: 7 });
    note(await dryClient(rules).request(request));
    return lines.map(({ msg }) => msg);
  };
  return { ask, lines };
}

it('has the user, the process, its command line, and what was there before', async () => {
  const { ask, lines } = desk();
  expect(await ask({ op: 'addService', service })).toEqual(['-t 10.0.0.100:80 added: scheduler rr']);
  expect(lines[0]).toMatchObject({ uid: 7, pid: process.pid, command: expect.stringContaining('node') });
  expect(await ask({ op: 'editService', service: { ...service, scheduler: 'wlc' } })).toEqual([
    '-t 10.0.0.100:80: scheduler rr -> wlc',
  ]);
  expect(await ask({ op: 'addDestination', key, destination })).toEqual([
    '10.1.0.11:8080 of -t 10.0.0.100:80 added: masq, weight 1',
  ]);
  expect(await ask({ op: 'editDestination', key, destination: { ...destination, weight: 0 } })).toEqual([
    '10.1.0.11:8080 of -t 10.0.0.100:80: weight 1 -> 0',
  ]);
  expect(await ask({ op: 'deleteDestination', key, address: '10.1.0.11', port: 8080 })).toEqual([
    '10.1.0.11:8080 of -t 10.0.0.100:80 deleted: weight was 0',
  ]);
  expect(await ask({ op: 'deleteDestination', key, address: '10.1.0.11', port: 8080 })).toEqual([
    'refused (ENOENT): 10.1.0.11:8080 of -t 10.0.0.100:80 deleted',
  ]);
  expect(await ask({ op: 'setSysctl', name: 'conn_reuse_mode', value: 0 })).toEqual(['sysctl.conn_reuse_mode 1 -> 0']);
  expect(await ask({ op: 'deleteService', key })).toEqual(['-t 10.0.0.100:80 deleted, with 0 destinations']);
});

it('has one line for a long batch, and its changes at level debug; questions only at level debug', async () => {
  const requests = Array.from({ length: 30 }, (_, i): ChangeRequest => {
    return { op: 'addService', service: { ...service, key: { ...key, port: i + 1 } } };
  });
  const quiet = desk();
  expect(await quiet.ask({ op: 'batch', requests })).toEqual(['30 of 30 changes of a batch accepted: 30 addService']);
  expect(await quiet.ask({ op: 'list' })).toEqual([]);
  const loud = desk('debug');
  expect(await loud.ask({ op: 'batch', requests })).toHaveLength(31);
  expect(await loud.ask({ op: 'list' })).toEqual(['asked']);
});
