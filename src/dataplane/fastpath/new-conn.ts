/**
 * New connections on the fast path (fastpath.ts): a SYN without a connection, to a service without
 * persistence. A SYN flood consists of these.
 *
 *      allow-listed service? ─► schedule ─► neighbour? ─► fill, bind and hash the entry ─► count and send ─► start the timer
 *       └─ no: slow path                     └─ no: slow path from here on; the scheduler is not asked twice
 */
import { CADDR, DADDR, DPORT_PROTO_STATE, ENTRY_SHIFT, PORTS, VADDR } from '../../conntrack/entry.js';
import { SVC_SCHED1, SVC_SCHED2, SVC_SCHED3 } from '../../service/config.js';
import type { Destination, VirtualService } from '../../service/service.js';
import * as ipv4 from '../../wire/ipv4.js';
import { countConnection } from '../account.js';
import type { Director } from '../director.js';
import { NEW_CONN_LINES } from '../early-drop.js';
import { TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from '../parse/packet.js';
import { FTP_DATA, flagsFor } from '../schedule/new-conn.js';
import type { BatchCache } from './cache.js';
import type { FastForward } from './forward.js';
import { FRAME, KIND, LENGTH, ROW_PORTS, SOURCE, TARGET } from './scan.js';
import type { SlowPathScheduled } from './slow-path.js';

const FLAGS_OF_A_SYN = TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN;
/**
 * The service flags that the fast path handles: those that only the scheduler reads. A service with
 * any other flag takes the slow path.
 */
const FAST_SERVICE_FLAGS = SVC_SCHED1 | SVC_SCHED2 | SVC_SCHED3;

/**
 * Returns false when the packet must take the slow path; then nothing was done. `row`: a SYN to
 * which no connection belongs.
 */
export type OpenConn = (device: number, row: number) => boolean;

/** A closure for the same reason as `fastPath`. */
export function connOpener(
  d: Director,
  rows: Int32Array,
  cache: BatchCache,
  { neighbourFor, sendIn }: FastForward,
  slowPathScheduled: SlowPathScheduled,
): OpenConn {
  const { connections, defence, packet, services } = d;
  const { table, words } = connections;

  function openConn(device: number, row: number): boolean {
    if ((rows[row | KIND]! & FLAGS_OF_A_SYN) !== TCP_SYN || needsSlowPath(rows[row | ROW_PORTS]!)) return false;
    const service = services.find4(0, ipv4.TCP, rows[row | TARGET]!, rows[row | ROW_PORTS]! & 0xffff);
    if (service === undefined || !isFastService(service, rows[row | ROW_PORTS]! & 0xffff)) return false;
    fillPacket(row);
    const dest = service.schedule.schedule(packet, d.now);
    const to = dest === null ? -1 : neighbourFor(row, dest.method, rowOf(dest), dest.address);
    if (dest !== null && to >= 0) open(row, service, dest, to);
    else {
      slowPathScheduled(d, device, rows[row | FRAME]!, rows[row | LENGTH]!, service, dest);
      cache.invalidate();
    }
    return true;
  }

  /** The cache row of a destination. */
  function rowOf(dest: Destination): number {
    return cache.destination(dest.slot + 1, dest.address);
  }

  /** A service of exactly this port, without a feature that only the slow path handles. */
  function isFastService(service: VirtualService, port: number): boolean {
    if ((service.flags & ~FAST_SERVICE_FLAGS) !== 0 || service.engine !== undefined) return false;
    return service.port === port && service.synProxy?.isOn !== true;
  }

  /**
   * Marks, a full table, expected connections without a client port, drop_packet, a rebuild, the
   * ports of FTP.
   */
  function needsSlowPath(ports: number): boolean {
    if (d.marks !== undefined || isAlmostFull() || connections.withoutPort !== 0 || defence.rate !== 0) return true;
    if (d.rebuild !== undefined) return true;
    return ports >>> 16 === FTP_DATA || connections.helperPorts.includes(ports & 0xffff);
  }

  /** Opening a connection may have to end another one (early-drop.ts). */
  function isAlmostFull(): boolean {
    return table.maxEntries - table.live < NEW_CONN_LINES;
  }

  /** Fills the fields that schedulers read. */
  function fillPacket(row: number): void {
    packet.family = 4;
    packet.protocol = ipv4.TCP;
    packet.src = rows[row | SOURCE]!;
    packet.dst = rows[row | TARGET]!;
    packet.sport = rows[row | ROW_PORTS]! >>> 16;
    packet.dport = rows[row | ROW_PORTS]! & 0xffff;
  }

  function open(row: number, service: VirtualService, dest: Destination, to: number): void {
    const entry = table.alloc();
    const at = entry << ENTRY_SHIFT;
    const ports = rows[row | ROW_PORTS]!;
    words[at + CADDR] = rows[row | SOURCE]!;
    words[at + PORTS] = ports;
    words[at + VADDR] = rows[row | TARGET]!;
    words[at + DADDR] = dest.address;
    words[at + DPORT_PROTO_STATE] = ((dest.port !== 0 ? dest.port : ports & 0xffff) << 16) | (ipv4.TCP << 8);
    connections.openUntimed(entry, dest, flagsFor(dest, 4));
    countConnection(d, dest.slot, service.slot);
    sendIn(row, entry, rowOf(dest), to);
    connections.settle(entry);
  }

  return openConn;
}
