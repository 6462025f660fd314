/** What a rule does to the dataplane, where the rule table accepts what no scheduler is. */
import { expect, it } from 'vitest';
import { parseConfig } from '../../../src/control/config/config.js';
import { InProcessDirector } from '../../../src/control/inprocess.js';
import { Drop } from '../../../src/stats/drops.js';
import { packet } from '../../support/packet.js';

const CONFIG = `
devices: [ { name: eth0, mac: 02:00:00:00:0d:00, addresses: [10.0.0.254/24] } ]
neighbours: [ { ip: 10.0.0.11, dev: eth0, mac: 02:00:00:00:a0:11 } ]`;
const key = { protocol: 6, address: '10.0.0.100', port: 80 };
const service = { key, flags: 0, timeout: 0, netmask: 0xffffffff, pe: '' };

it('a service without a scheduler (-s none) has no destination for a client, until it gets one', async () => {
  const sent: Uint8Array[] = [];
  const box = new InProcessDirector(parseConfig(CONFIG, 'test.yaml'), (_, bytes) => sent.push(bytes));
  const syn = (sport: number) => {
    const eth = packet().eth('02:00:00:00:c0:01', '02:00:00:00:0d:00');
    box.receive(
      0,
      eth.ipv4({ src: '10.0.0.1', dst: key.address }).tcp({ sport, dport: 80, flags: 'S', seq: 1, ack: 0 }).bytes(),
    );
  };
  const tunnel = { type: 'ipip', port: 0, checksum: '' } as const;
  const limits = { weight: 1, upperThreshold: 0, lowerThreshold: 0, tunnel };
  expect(await box.request({ op: 'addService', service: { ...service, scheduler: 'none' } })).toEqual({ ok: true });
  const destination = { address: '10.0.0.11', port: 80, method: 'gatewaying', ...limits } as const;
  expect(await box.request({ op: 'addDestination', key, destination })).toEqual({ ok: true });
  syn(1000);
  expect(sent.length).toBeLessThanOrEqual(1); // the ICMP error for the client
  const refused = sent.length;
  expect(box.director.counters.drops(Drop.noDestination)).toBe(1);
  await box.request({ op: 'editService', service: { ...service, scheduler: 'rr' } });
  syn(1001);
  expect(sent.length).toBe(refused + 1);
});
