/** The defence strategies: drop_packet, drop_entry and secure_tcp, by mode and by room in the connection table. */
import { beforeEach, describe, expect, it } from 'vitest';
import { Connections } from '../../src/conntrack/connections.js';
import { CONN_TEMPLATE, DPORT_PROTO_STATE, ENTRY_SHIFT, EXPIRES, PACKETS, TIMEOUT } from '../../src/conntrack/entry.js';
import { fillEntry } from '../../src/conntrack/find-wide.js';
import { Sctp } from '../../src/conntrack/sctp.js';
import { ConnectionTable } from '../../src/conntrack/table.js';
import { Tcp } from '../../src/conntrack/tcp.js';
import { Defence, type Defended } from '../../src/dataplane/defence.js';
import { Random } from '../../src/dataplane/table/random.js';
import { defaultSysctls, type Sysctls } from '../../src/service/sysctl.js';
import { SCTP, TCP, UDP } from '../../src/wire/ipv4.js';

/** 4096 lines are 64 pages of 64 lines. */
const LINES = 4096;
const PAGES = 64;
const MINUTE = 6000;

let sysctl: Sysctls;
let connections: Connections;
let defence: Defence;
/** The director, as far as the defence sees it. */
let d: { -readonly [K in keyof Defended]: Defended[K] };

beforeEach(() => {
  sysctl = defaultSysctls();
  connections = new Connections(new ConnectionTable(LINES), []);
  d = { now: 0, connections, sysctl, random: new Random(1) };
  defence = new Defence(d);
});

/** A connection of another client each time, last used `idle` ticks ago. */
function open(protocol: number, state: number, { idle = 0, packets = 1, flags = 0 } = {}): number {
  const { table, words } = connections;
  const entry = table.alloc();
  const client = Int32Array.of(0, 0, 0, 0x0a000000 + entry);
  fillEntry(table, entry, 4, protocol, client, 1000, Int32Array.of(0, 0, 0, 1), 80, Int32Array.of(0, 0, 0, 2), 80);
  connections.open(entry, undefined, flags);
  const at = entry << ENTRY_SHIFT;
  words[at + DPORT_PROTO_STATE]! |= state;
  words[at + PACKETS] = packets;
  words[at + TIMEOUT] = 90_000;
  words[at + EXPIRES] = 90_000 - idle;
  return entry;
}

/** Runs the defence for a number of seconds, in several calls a second as housekeeping does. */
function run(seconds: number): void {
  for (const end = d.now + seconds * 1000; d.now < end; d.now += 100) defence.tick();
}

/** Fills the table up to a number of free pages. */
function leave(pages: number): void {
  const { table } = connections;
  while ((LINES - table.live) / 64 > pages) table.alloc();
}

describe('drop_packet', () => {
  const dropsOf = (n: number) => Array.from({ length: n }, () => Number(defence.drops())).join('');

  it('off drops nothing, however full the table is', () => {
    leave(0);
    run(2);
    expect(dropsOf(5)).toBe('00000');
  });

  it('3 drops every am_droprate-th new connection', () => {
    Object.assign(sysctl, { drop_packet: 3, am_droprate: 3 });
    run(1);
    expect(dropsOf(7)).toBe('1001001');
  });

  it.each([1, 2])('%d drops more the less room there is, and nothing with room', (mode) => {
    Object.assign(sysctl, { drop_packet: mode, amemthresh: 40 });
    run(1);
    expect([defence.rate, sysctl.drop_packet]).toEqual([0, 1]);
    leave(20);
    run(1);
    expect([defence.rate, sysctl.drop_packet]).toEqual([Math.floor(40 / (40 - 20)), 2]);
    leave(0);
    run(1);
    expect(defence.rate).toBe(1);
    expect(dropsOf(3)).toBe('111');
  });

  it('goes back to 1 when there is room again', () => {
    Object.assign(sysctl, { drop_packet: 1, amemthresh: PAGES });
    const entry = connections.table.alloc();
    run(1);
    expect(sysctl.drop_packet).toBe(2);
    connections.table.free(entry);
    sysctl.amemthresh = PAGES - 1;
    run(1);
    expect([defence.rate, sysctl.drop_packet]).toEqual([0, 1]);
  });
});

describe('secure_tcp', () => {
  it.each([
    [0, false, false],
    [1, false, true],
    [2, false, true],
    [3, true, true],
  ])('%d: with room %s, without %s', (mode, withRoom, without) => {
    Object.assign(sysctl, { secure_tcp: mode, amemthresh: 40 });
    run(1);
    expect(connections.states.secureTcp).toBe(withRoom);
    leave(10);
    run(1);
    expect(connections.states.secureTcp).toBe(without);
  });
});

describe('drop_entry', () => {
  /** Seconds in which every entry is looked at many times: a 32nd of the table each second, at random. */
  const LONG = 500;
  const isAlive = (entry: number) => connections.table.findIn4(...keyOf(entry)) === entry;
  const keyOf = (entry: number): [number, number, number, number] => [
    connections.protocolOf(entry),
    0x0a000000 + entry,
    1,
    (1000 << 16) | 80,
  ];

  it('off keeps everything', () => {
    const entry = open(TCP, Tcp.SYN_RECV);
    leave(0);
    run(10);
    expect(isAlive(entry)).toBe(true);
  });

  it.each<[string, number, number, object, boolean]>([
    ['a half-open TCP connection', TCP, Tcp.SYN_RECV, {}, false],
    ['an answered SYN', TCP, Tcp.SYNACK, {}, false],
    ['a half-open SCTP association', SCTP, Sctp.INIT, {}, false],
    ['an idle established connection of few packets', TCP, Tcp.ESTABLISHED, { idle: MINUTE, packets: 2 }, false],
    ['an idle UDP flow of few packets', UDP, 0, { idle: MINUTE, packets: 3 }, false],
    ['an idle SCTP association of few packets', SCTP, Sctp.ESTABLISHED, { idle: MINUTE, packets: 1 }, false],
    ['an established connection in use', TCP, Tcp.ESTABLISHED, { idle: MINUTE - 1, packets: 2 }, true],
    ['an idle connection of many packets', TCP, Tcp.ESTABLISHED, { idle: MINUTE, packets: 9 }, true],
    ['a connection that is being closed', TCP, Tcp.FIN_WAIT, { idle: MINUTE, packets: 2 }, true],
  ])('3 and %s', (_, protocol, state, options, survives) => {
    sysctl.drop_entry = 3;
    const entry = open(protocol, state, options);
    run(LONG);
    expect(isAlive(entry)).toBe(survives);
  });

  it('3 ends a template without connections, not one with', () => {
    sysctl.drop_entry = 3;
    const [lone, parent] = [open(TCP, 0, { flags: CONN_TEMPLATE }), open(TCP, 0, { flags: CONN_TEMPLATE })];
    const child = open(TCP, Tcp.ESTABLISHED);
    connections.control(child, parent);
    run(LONG);
    expect(connections.flagsOf(lone)).toBe(0);
    expect(connections.flagsOf(parent) & CONN_TEMPLATE).not.toBe(0);
    expect(isAlive(child)).toBe(true);
  });

  it('1 waits until room is short', () => {
    Object.assign(sysctl, { drop_entry: 1, amemthresh: 10 });
    const entry = open(TCP, Tcp.SYN_RECV);
    run(LONG);
    expect([isAlive(entry), sysctl.drop_entry]).toEqual([true, 1]);
    sysctl.amemthresh = PAGES;
    run(1);
    expect([isAlive(entry), sysctl.drop_entry]).toEqual([false, 2]);
    run(1);
    expect(sysctl.drop_entry).toBe(1);
  });
});
