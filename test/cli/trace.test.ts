/** `ulvs trace`: the text of a record, filters and counts, and the capture that it writes. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readCapture } from '../../src/capture/pcap.js';
import { PcapngWriter } from '../../src/capture/pcapng-writer.js';
import type { AdminRequest } from '../../src/control/api/api.js';
import { serve } from '../../src/control/api/socket.js';
import { parseFilter } from '../../src/control/server/trace-filter.js';
import { Trace, type TraceRecord } from '../../src/dataplane/trace/trace.js';
import { program } from '../../src/lab/names.js';
import { replayScenario } from '../../src/replay/scenario.js';
import { formatRecord } from '../../src/trace/format.js';

const NAT = 'test/conformance/recorded/basic/nat-basic';
const DR = 'test/conformance/recorded/basic/dr-basic';

async function traced(dir: string, filter = '', dropsOnly = false, count = 1e9) {
  const records: TraceRecord[] = [];
  const rows = await replayScenario(dir, ({ director }) => {
    director.trace = new Trace(director, { filter: parseFilter(filter), dropsOnly, count }, (one) => records.push(one));
  });
  return { rows, records };
}

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ulvs-trace-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

describe('a trace', () => {
  it('does not change what the director sends', async () => {
    expect((await traced(NAT)).rows).toEqual(await replayScenario(NAT));
  });

  it('shows a new connection step by step', async () => {
    const { records } = await traced(NAT, 'src port 40001 and dst port 80', false, 1);
    expect(formatRecord(records[0]!)).toMatchInlineSnapshot(`
      "0.000 ms  in eth0  02:00:00:00:c0:01 > 02:00:00:00:0d:00 IP (ttl 64, id 100, DF) 10.0.0.1.40001 > 10.0.0.100.80: tcp [S], seq 1000, win 64240, length 0
        service      TCP 10.0.0.100:80, scheduler rr
        scheduler    192.168.1.12:8081: the next eligible after the one chosen last
                     * 192.168.1.12:8081  weight 1, active 0, inactive 0
                       192.168.1.11:8080  weight 1, active 0, inactive 0
        state        NONE -> SYN_RECV, 60 s
        next hop     192.168.1.12 is at 02:00:00:00:a0:12 on eth1
        rewrite      MAC source: 02:00:00:00:c0:01 -> 02:00:00:00:0d:01
                     MAC destination: 02:00:00:00:0d:00 -> 02:00:00:00:a0:12
                     IP destination: 10.0.0.100 -> 192.168.1.12
                     TTL: 64 -> 63
                     IP checksum: 0x2608 -> 0x6fb7
                     destination port: 80 -> 8081
                     TCP checksum: 0x0014 -> 0x2982
        out eth1     02:00:00:00:0d:01 > 02:00:00:00:a0:12 IP (ttl 63, id 100, DF) 10.0.0.1.40001 > 192.168.1.12.8081: tcp [S], seq 1000, win 64240, length 0
        forwarded"
    `);
  });

  it('shows a drop with its reason', async () => {
    const { records } = await traced(DR, '', true);
    expect(records.map(formatRecord).join('\n')).toMatchInlineSnapshot(`
      "51.000 ms  in eth0  02:00:00:00:c0:02 > 02:00:00:00:0d:00 IP (ttl 1, id 1, DF) 10.0.0.2.5001 > 10.0.0.100.53: udp, length 5
        service      UDP 10.0.0.100:53, scheduler sh
        scheduler    192.168.1.11:53: the bucket of the client's address
                       192.168.1.12:53  weight 1, active 0, inactive 0
                     * 192.168.1.11:53  weight 1, active 0, inactive 1
        state        UDP, 300 s
        next hop     10.0.0.2 is at 02:00:00:00:c0:02 on eth0
        out eth0     02:00:00:00:0d:00 > 02:00:00:00:c0:02 IP (ttl 64, id 2, tos 0xc0) 10.0.0.100 > 10.0.0.2: icmp type 11 code 0 [IP (ttl 1, id 1, DF) 10.0.0.2.5001 > 10.0.0.100.53: udp, length 5]  (made by the director)
        dropped: ttlExceeded: the TTL expired at the director (ICMP time exceeded sent)"
    `);
  });

  it('ends after its count; with --drops only drops count', async () => {
    expect((await traced(NAT, '', false, 3)).records).toHaveLength(3);
    expect((await traced(NAT, 'tcp', true)).records.map(({ verdict }) => verdict)).toEqual(['portClosed']);
  });
});

describe('PcapngWriter', () => {
  it('writes frames that can be read back, with their comments', () => {
    const path = join(dir, 'out.pcapng');
    const writer = new PcapngWriter(path);
    writer.write(
      'eth0',
      1_700_000_000_000_000,
      Uint8Array.from({ length: 61 }, (_, i) => i),
      'why: because',
    );
    writer.write('eth1', 1_700_000_000_000_001, new Uint8Array(60), '');
    writer.close();
    const { frames, warnings } = readCapture(path);
    expect(warnings).toEqual([]);
    expect(frames.map(({ if: name, bytes }) => [name, bytes.length])).toEqual([
      ['eth0', 61],
      ['eth1', 60],
    ]);
    expect(readFileSync(path).includes('why: because')).toBe(true);
  });
});

describe('ulvs trace', () => {
  it('says when it is ready, also without a terminal', async () => {
    const seen: AdminRequest[] = [];
    const socket = await serve(join(dir, 'ulvs.sock'), (request) => {
      seen.push(request);
      return { ok: true, trace: { records: [], over: true } };
    });
    const words = [process.execPath, program('cli/main.js'), 'trace', '--count', '2', '--socket', socket.path, 'udp'];
    const { stdout, stderr } = await promisify(execFile)(words[0]!, words.slice(1));
    await socket.close();
    expect({ stdout, stderr }).toEqual({
      stdout: '',
      stderr: 'ulvs trace: waiting for 2 records of packets (udp); Ctrl-C ends it\n',
    });
    expect(seen.map(({ op }) => op)).toEqual(['traceStart', 'tracePoll']);
  });
});
