/** `ulvsadm -L -c` against ipvsadm's output for the same connections. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { AdminClient, ConnectionEntry } from '../../src/control/api/api.js';
import { ulvsadm } from '../../src/ulvsadm/ulvsadm.js';
import { format4, format6, parse6 } from '../../src/wire/address.js';
import { recordedNames } from './director.js';

/**
 * The input is the kernel's own table (/proc/net/ip_vs_conn), the expected output what ipvsadm
 * printed at that moment: TCP, UDP with an engine, a template of a mark, SCTP, IPv6.
 */
interface Row {
  cmd?: string;
  out: string;
}

const rows = readFileSync(new URL('recorded/connections/out.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Row)
  .filter(({ cmd }) => cmd !== undefined);

const PROTOCOLS: Record<string, number> = { IP: 0, TCP: 6, UDP: 17, SCTP: 132 };

const address = (text: string): string =>
  text.includes(':') ? format6(parse6(text)!) : format4(Number.parseInt(text, 16));
const port = (text: string): number => Number.parseInt(text, 16);

function entryOf(line: string): ConnectionEntry {
  const [protocol, caddr, cport, vaddr, vport, daddr, dport, state, expires, peName = '', peData = ''] =
    line.split(/ +/);
  return {
    protocol: PROTOCOLS[protocol!]!,
    family: caddr!.includes(':') ? 6 : 4,
    caddr: address(caddr!),
    cport: port(cport!),
    vaddr: address(vaddr!),
    vport: port(vport!),
    daddr: address(daddr!),
    dport: port(dport!),
    state: state!,
    expires: Number(expires),
    peName,
    peData,
    synced: false,
  };
}

const connections = rows[0]!.out.trimEnd().split('\n').slice(1).map(entryOf);
const client: AdminClient = { request: async () => ({ ok: true, connections }) };

describe('the connection table', () => {
  it('was recorded with every kind of row', () => {
    expect(new Set(connections.map(({ protocol }) => protocol))).toEqual(new Set([0, 6, 17, 132]));
    expect(connections.filter(({ peName }) => peName === 'sip').length).toBe(2);
  });

  it.each(rows.slice(1).map(({ cmd, out }) => [cmd!, out]))('%s', async (cmd, out) => {
    const result = await ulvsadm(cmd.split(' ').slice(1), () => '', client, {
      program: 'ipvsadm',
      names: recordedNames,
    });
    expect(result).toEqual({ rc: 0, out, err: '' });
  });
});
