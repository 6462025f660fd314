/** Timeouts in force. ulvsadm --set and the key `timeouts` change three of them. */
import { TICKS } from './entry.js';
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
