/** A traced frame that waits for its next hop has a second record: how it left, or why it was dropped. */
import { describe, expect, it } from 'vitest';
import { save } from '../../../src/cli/commands/trace.js';
import { parseConfig } from '../../../src/control/config/config.js';
import { InProcessDirector } from '../../../src/control/inprocess.js';
import { parseFilter } from '../../../src/control/server/trace-filter.js';
import { Trace, type TraceRecord } from '../../../src/dataplane/trace/trace.js';
import { formatRecord } from '../../../src/trace/format.js';
import { loadRules } from '../../../src/ulvsadm/rules.js';
import { packet } from '../../support/packet.js';

const CONFIG = `
devices:
  - { name: eth0, mac: 02:00:00:00:0d:00, addresses: [10.0.0.254/24] }
  - { name: eth1, mac: 02:00:00:00:0d:01, addresses: [192.168.1.254/24] }
rules: |
  -A -t 10.0.0.100:80 -s rr
  -a -t 10.0.0.100:80 -r 192.168.1.11:8080 -m
`;
const SYN = packet()
  .eth('02:00:00:00:c0:01', '02:00:00:00:0d:00')
  .ipv4({ src: '10.0.0.1', dst: '10.0.0.100' })
  .tcp({ sport: 4000, dport: 80, flags: 'S' })
  .bytes();
const ANSWER = packet()
  .eth('02:00:00:00:a0:11', '02:00:00:00:0d:01')
  .arp({ op: 'reply', senderMac: '02:00:00:00:a0:11', senderIp: '192.168.1.11', targetIp: '192.168.1.254' })
  .bytes();

/** A director that has received a SYN whose next hop it does not know, and its records. */
async function waiting(filter: string, { dropsOnly = false, count = 100 } = {}) {
  const config = parseConfig(CONFIG, 'test.yaml');
  const inner = new InProcessDirector(config, () => {});
  await loadRules(config, inner);
  const records: TraceRecord[] = [];
  const spec = { filter: parseFilter(filter), dropsOnly, count };
  inner.director.trace = new Trace(inner.director, spec, (record) => records.push(record));
  inner.receive(0, SYN);
  return { inner, records };
}

describe('a traced frame that waits', () => {
  it('has a second record when the answer to ARP has come, which no filter need match', async () => {
    const { inner, records } = await waiting('port 80');
    inner.advance(20);
    inner.receive(1, ANSWER);
    expect(records.map(({ verdict }) => verdict)).toEqual(['waiting', 'forwarded']);
    expect(
      formatRecord(records[1]!)
        .split('\n')
        .map((line) => line.trim().replace(/ +/g, ' ')),
    ).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^20\.000 ms in eth0 .* 10\.0\.0\.1\.4000 > 10\.0\.0\.100\.80: tcp \[S\]/),
        'waited 20.000 ms for its next hop; this is the second record of the frame',
        'next hop 192.168.1.11 is at 02:00:00:00:a0:11 on eth1',
        'IP destination: 10.0.0.100 -> 192.168.1.11',
        expect.stringMatching(/^out eth1 .* 10\.0\.0\.1\.4000 > 192\.168\.1\.11\.8080/),
      ]),
    );
  });

  it('is no frame of the answer to ARP', async () => {
    const { inner, records } = await waiting('');
    inner.receive(1, ANSWER);
    expect(records.map(({ verdict, out }) => [verdict, out.length])).toEqual([
      ['waiting', 0],
      ['forwarded', 1],
      ['delivered', 0],
    ]);
    expect(inner.director.traced).toBeUndefined();
  });

  it('is once in a capture, and once as it left', async () => {
    const { inner, records } = await waiting('port 80');
    inner.receive(1, ANSWER);
    const written: string[] = [];
    for (const record of records) save(record, { write: (device) => void written.push(device) });
    expect(written).toEqual(['eth0', 'eth1']);
  });

  it('is among the drops when nobody answers', async () => {
    const { inner, records } = await waiting('', { dropsOnly: true });
    for (let now = 100; now < 10_000; now += 100) inner.advance(now);
    expect(records.map(({ verdict, dropped }) => [verdict, dropped])).toEqual([['neighbourFailed', true]]);
    expect(records[0]!.device).toBe('eth0');
  });

  it('has none when the trace is over, or another one runs', async () => {
    const over = await waiting('port 80', { count: 1 });
    const other = await waiting('port 80');
    other.inner.director.trace = new Trace(
      other.inner.director,
      { filter: parseFilter('port 81'), dropsOnly: false, count: 100 },
      () => expect.fail('a record of another trace'),
    );
    for (const { inner, records } of [over, other]) {
      inner.receive(1, ANSWER);
      expect(records).toHaveLength(1);
    }
  });
});
