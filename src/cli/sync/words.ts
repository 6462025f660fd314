/**
 * A synchronisation message in words, for `ulvs sync dump`: a line about the message, and one for
 * each connection.
 *
 *     192.168.1.252: version 1, syncid 1, 2 connections, 80 bytes
 *       TCP 10.0.0.1:5000 -> 10.0.0.100:80 -> 192.168.1.11:8080 ESTABLISHED, masq, 900 s
 */

import { stateName } from '../../conntrack/describe.js';
import { CONN_ASSURED, CONN_TEMPLATE } from '../../conntrack/entry.js';
import { TRAILER } from '../../control/sync/auth.js';
import { isRequest, nonceOf, setNonce } from '../../control/sync/requests.js';
import { endpoint } from '../../service/config.js';
import { format4, format6 } from '../../wire/address.js';
import { Fault, SyncConn, SyncFlag } from '../../wire/sync.js';
import { readConns, readHeader } from '../../wire/sync-message.js';

/** A connection of a message as plain data. */
export interface ConnWords {
  readonly protocol: string;
  readonly client: string;
  readonly virtual: string;
  readonly destination: string;
  readonly state: string;
  readonly method: string;
  readonly flags: readonly string[];
  /** In seconds; 0 in messages of version 0. */
  readonly timeout: number;
  readonly fwmark?: number;
  readonly engine?: string;
  readonly key?: string;
  readonly sequences?: readonly number[];
}

/** A message as plain data. */
export interface MessageWords {
  readonly from: string;
  readonly kind: 'message' | 'request' | 'answer' | 'malformed';
  readonly version?: number;
  readonly syncid?: number;
  readonly bytes: number;
  readonly signed: boolean;
  readonly connections: readonly ConnWords[];
  /** Connections that a backup would skip. */
  readonly skipped: number;
  /** The rest of the message cannot be read. */
  readonly broken: boolean;
}

const METHODS = ['masq', 'local', 'tunnel', 'route', 'bypass'];
const PROTOCOLS: Readonly<Record<number, string>> = { 0: 'IP', 6: 'TCP', 17: 'UDP', 132: 'SCTP' };

export function messageWords(datagram: Uint8Array, from: string): MessageWords {
  const size = datagram.length >= 4 ? (datagram[2]! << 8) | datagram[3]! : 0;
  const signed = size + TRAILER === datagram.length;
  const bytes = Uint8Array.from(signed ? datagram.subarray(0, size) : datagram);
  const header = readHeader(bytes);
  const common = { from, bytes: datagram.length, signed };
  if (header === undefined) return { ...common, kind: 'malformed', connections: [], skipped: 0, broken: true };
  const kind = nonceOf(bytes) === 0 ? 'message' : isRequest(bytes) ? 'request' : 'answer';
  if (kind !== 'message') setNonce(bytes, 0);
  const { version } = readHeader(bytes)!;
  const connections: ConnWords[] = [];
  const conn = new SyncConn();
  let skipped = 0;
  const sound = readConns(bytes, conn, (fault) =>
    fault === Fault.none ? connections.push(connWords(conn)) : skipped++,
  );
  return { ...common, kind, version, syncid: header.syncid, connections, skipped, broken: !sound };
}

function connWords(conn: SyncConn): ConnWords {
  const address = (words: Int32Array) => (conn.family === 6 ? format6(words) : format4(words[3]!));
  const assured = conn.isTemplate && conn.state === 1 ? CONN_ASSURED : 0;
  const flags = (conn.isTemplate ? CONN_TEMPLATE : 0) | assured;
  return {
    protocol: PROTOCOLS[conn.protocol] ?? `IP_${conn.protocol}`,
    client: endpoint(address(conn.caddr), conn.cport),
    virtual: endpoint(address(conn.vaddr), conn.vport),
    destination: endpoint(address(conn.daddr), conn.dport),
    state: stateName(conn.protocol, conn.state, flags),
    method: METHODS[conn.flags & SyncFlag.method] ?? `method ${conn.flags & SyncFlag.method}`,
    flags: flagWords(conn.flags),
    timeout: conn.timeout,
    ...(conn.fwmark === 0 ? {} : { fwmark: conn.fwmark >>> 0 }),
    ...(conn.peLength === 0 ? {} : { engine: conn.peName, key: keyOf(conn) }),
    ...(conn.hasSequences ? { sequences: [...conn.sequences] } : {}),
  };
}

function keyOf({ peBytes, peAt, peLength }: SyncConn): string {
  return Buffer.from(peBytes.subarray(peAt, peAt + peLength)).toString('latin1');
}

function flagWords(flags: number): string[] {
  const named = { template: SyncFlag.template, inactive: SyncFlag.inactive, 'no client port': SyncFlag.noCport };
  return Object.entries(named).flatMap(([name, bit]) => ((flags & bit) !== 0 ? [name] : []));
}

export function messageText(message: MessageWords): string {
  const { from, kind, version, syncid, bytes, signed, connections, skipped, broken } = message;
  if (kind === 'malformed') return `${from}: ${bytes} bytes, malformed`;
  const what = { message: '', request: 'asks for everything, ', answer: 'an answer, ' }[kind];
  const notes = [signed && 'signed', skipped > 0 && `${skipped} not usable`, broken && 'the rest is malformed'];
  const head = `${from}: ${what}version ${version}, syncid ${syncid}, ${connections.length} connections, ${bytes} bytes`;
  return [[head, ...notes.filter(Boolean)].join(', '), ...connections.map((one) => `  ${connText(one)}`)].join('\n');
}

function connText(conn: ConnWords): string {
  const { protocol, client, virtual, destination, state, method, flags, timeout, fwmark, engine, key, sequences } =
    conn;
  const words = [
    `${protocol} ${client} -> ${virtual} -> ${destination} ${state}`,
    method,
    ...flags,
    ...(timeout === 0 ? [] : [`${timeout} s`]),
    ...(fwmark === undefined ? [] : [`mark ${fwmark}`]),
    ...(engine === undefined ? [] : [`${engine} ${JSON.stringify(key)}`]),
    ...(sequences === undefined ? [] : [`sequence numbers ${sequences.join(' ')}`]),
  ];
  return words.join(', ');
}
