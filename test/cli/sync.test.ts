/** `ulvs sync dump` of a capture: the kernel's own messages in words. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { PcapWriter } from '../../src/capture/pcap.js';
import { messageText, messageWords } from '../../src/cli/sync/words.js';
import { encodeRequest } from '../../src/control/sync/requests.js';
import { program } from '../../src/lab/names.js';
import { recordedScenario } from '../support/recorded.js';

const folder = mkdtempSync(join(tmpdir(), 'ulvs-sync-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The frames that the kernel sent in a scenario, as a capture. */
function captureOf(scenario: string): string {
  const path = join(folder, `${scenario}.pcap`);
  const writer = new PcapWriter(path);
  for (const line of readFileSync(join(recordedScenario(scenario), 'out.jsonl'), 'utf8')
    .split('\n')
    .filter(Boolean)) {
    const { t, hex } = JSON.parse(line) as { t: number; hex?: string };
    if (hex !== undefined) writer.write(t, Buffer.from(hex, 'hex'));
  }
  writer.close();
  return path;
}

function dump(scenario: string, ...words: string[]): string[] {
  const args = [program('cli/main.js'), 'sync', 'dump', '--pcap', captureOf(scenario), ...words];
  return execFileSync(process.execPath, args, { encoding: 'utf8' }).trim().split('\n');
}

describe('ulvs sync dump', () => {
  it('says what a master sent', () => {
    expect(dump('sync-master-nat')).toEqual([
      '10.0.0.254: version 1, syncid 7, 1 connections, 44 bytes',
      '  TCP 10.0.0.1:5000 -> 10.0.0.100:80 -> 192.168.1.12:8080 ESTABLISHED, masq, 900 s',
      '10.0.0.254: version 1, syncid 7, 2 connections, 80 bytes',
      '  TCP 10.0.0.1:5000 -> 10.0.0.100:80 -> 192.168.1.12:8080 CLOSE_WAIT, masq, inactive, 60 s',
      '  TCP 10.0.0.1:5000 -> 10.0.0.100:80 -> 192.168.1.12:8080 TIME_WAIT, masq, inactive, 120 s',
      '10.0.0.254: version 1, syncid 7, 1 connections, 44 bytes',
      '  TCP 10.0.0.1:5002 -> 10.0.0.100:80 -> 192.168.1.12:8080 CLOSE, masq, inactive, 10 s',
    ]);
  });

  it('knows templates with a Call-ID, marks, IPv6 groups, version 0, and JSON', () => {
    expect(dump('sync-sip')[1]).toBe(
      '  UDP 10.0.0.1:0 -> 10.0.0.100:5060 -> 192.168.1.12:5060 NONE, masq, template, inactive, 50 s, sip "one@a"',
    );
    expect(dump('sync-fwmark')[1]).toContain(
      'IP 10.0.0.1:0 -> 0.0.0.7:0 -> 192.168.1.11:0 NONE, route, template, inactive, 50 s, mark 7',
    );
    expect(dump('sync-ipv6', '--group', 'ff02::51', '--port', '9000')[1]).toContain(
      'TCP [2001:db8::1]:5000 -> [2001:db8::100]:80',
    );
    expect(dump('sync-version-0')[0]).toBe('10.0.0.254: version 0, syncid 7, 5 connections, 124 bytes');
    const lines = dump('sync-master-nat', '--json', '--count', '2').map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      { kind: 'message', version: 1, connections: [{ state: 'ESTABLISHED' }] },
      { bytes: 80 },
    ]);
  });

  it('tells a request, and bytes that are no message', () => {
    expect(messageText(messageWords(encodeRequest(3, 77), '10.1.0.2'))).toBe(
      '10.1.0.2: asks for everything, version 1, syncid 3, 0 connections, 8 bytes',
    );
    expect(messageText(messageWords(new Uint8Array(9), '10.1.0.2'))).toBe('10.1.0.2: 9 bytes, malformed');
  });
});
