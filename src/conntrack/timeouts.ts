/**
 * Timeouts in force. ulvsadm --set and the key `timeouts` change three of them; a service may have
 * its own.
 */
import type { Destination } from '../service/service.js';
import { TCP, UDP } from '../wire/ipv4.js';
import {
  CONN_RESET,
  CONN_TEMPLATE,
  DEST,
  DPORT_PROTO_STATE,
  ENTRY_SHIFT,
  EXPIRES,
  FLAGS,
  TICKS,
  TIMEOUT,
} from './entry.js';
import { SCTP_TIMEOUTS } from './sctp.js';
import { TCP_TIMEOUTS, Tcp } from './tcp.js';

/** Timeouts in ticks, by state. A connection uses a new value from its next packet on. */
export class StateTimeouts {
  readonly tcp = Int32Array.from(TCP_TIMEOUTS, (seconds) => seconds * TICKS);
  readonly sctp = Int32Array.from(SCTP_TIMEOUTS, (seconds) => seconds * TICKS);
  udp = 300 * TICKS;

  /** Seconds; 0 keeps the old value. */
  set(tcp: number, tcpfin: number, udp: number): void {
    if (tcp !== 0) this.tcp[Tcp.ESTABLISHED] = tcp * TICKS;
    if (tcpfin !== 0) this.tcp[Tcp.FIN_WAIT] = tcpfin * TICKS;
    if (udp !== 0) this.udp = udp * TICKS;
  }
}

/**
 * Idle times that services have of their own. Packets know nothing of them: they write the timeout
 * of all services, as before. Where the timer wheel looks at an entry, that timeout is replaced:
 *
 *     last packet = EXPIRES - TIMEOUT        EXPIRES = last packet + the service's time, TIMEOUT = that time
 *
 * A longer time moves the end when the wheel reaches it. For a shorter one the wheel looks in time:
 * at the latest after the shortest time that the service has.
 */
export class OwnIdle {
  /** `words`: the connection table; `dests` by slot. */
  constructor(
    private readonly words: Int32Array,
    private readonly dests: readonly (Destination | undefined)[],
  ) {}

  /** Puts the service's time in force. */
  apply(entry: number): void {
    const at = entry << ENTRY_SHIFT;
    const { words } = this;
    const own = this.timeOf(at);
    if (own === 0) return;
    words[at + EXPIRES] = (words[at + EXPIRES]! + own - words[at + TIMEOUT]!) | 0;
    words[at + TIMEOUT] = own;
  }

  /** The tick at which the wheel must look at an entry that it looks at now; EXPIRES at most. */
  lookAt(entry: number, now: number): number {
    const at = entry << ENTRY_SHIFT;
    const expires = this.words[at + EXPIRES]!;
    const shortest = this.destAt(at)?.service.idle?.shortest ?? 0;
    if (shortest === 0 || ((expires - now) | 0) <= shortest) return expires;
    return (now + shortest) | 0;
  }

  /** In ticks; 0: it has none in its state. */
  private timeOf(at: number): number {
    const { words } = this;
    if ((words[at + FLAGS]! & (CONN_TEMPLATE | CONN_RESET)) !== 0) return 0;
    const idle = this.destAt(at)?.service.idle;
    if (idle === undefined) return 0;
    const protocol = (words[at + DPORT_PROTO_STATE]! >>> 8) & 0xff;
    if (protocol === UDP) return idle.udp;
    if (protocol !== TCP) return 0;
    const state = words[at + DPORT_PROTO_STATE]! & 0xff;
    return state === Tcp.ESTABLISHED ? idle.tcp : state === Tcp.FIN_WAIT ? idle.tcpfin : 0;
  }

  private destAt(at: number): Destination | undefined {
    const slot = this.words[at + DEST]!;
    return slot === 0 ? undefined : this.dests[slot - 1];
  }
}
