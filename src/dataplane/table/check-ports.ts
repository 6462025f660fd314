/**
 * Ports of health checks that go through the dataplane (dataplane/path/checked.ts). Each row is a
 * port of the director, and names the check that uses it:
 *
 *     row i (port FIRST + i)   | destination slot 16 | port of the check's socket 16 | tick of the last packet 32 |
 *
 * A check finds its row by hash; of a window of rows the one that was silent longest is taken. The
 * memory is shared by all workers.
 */
import { ICMP, TCP, UDP } from '../../wire/ipv4.js';

/** First of the ports: above those that Linux gives to clients (ip_local_port_range). */
export const FIRST_CHECK_PORT = 61_440;
const ROWS = 4096;
const WORDS = 2;
const WINDOW = 8;
const PROTOCOLS = [TCP, UDP, ICMP];

export class CheckPorts {
  private readonly words: Int32Array;

  /** `memory`: as of `memory()`. `protocols`: those that checks use at present. */
  constructor(
    memory: SharedArrayBuffer,
    private readonly protocols: readonly number[],
  ) {
    this.words = new Int32Array(memory);
  }

  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer(PROTOCOLS.length * ROWS * WORDS * 4);
  }

  /** Checks use the protocol. */
  uses(protocol: number): boolean {
    for (let i = 0; i < this.protocols.length; i++) if (this.protocols[i] === protocol) return true;
    return false;
  }

  /** The port for packets of a check; `tick`: now. -1: not a protocol of checks. */
  portOf(protocol: number, slot: number, port: number, tick: number): number {
    const base = this.base(protocol);
    if (base < 0) return -1;
    const key = (slot << 16) | port;
    const first = (Math.imul(key, 0x9e3779b1) >>> 20) & (ROWS - 1);
    let oldest = first;
    for (let i = 0; i < WINDOW; i++) {
      const row = (first + i) & (ROWS - 1);
      const at = base + row * WORDS;
      if (this.words[at] === key || this.words[at] === 0) return this.claim(base, row, key, tick);
      if (((this.words[at + 1]! - this.words[base + oldest * WORDS + 1]!) | 0) < 0) oldest = row;
    }
    return this.claim(base, oldest, key, tick);
  }

  private claim(base: number, row: number, key: number, tick: number): number {
    const at = base + row * WORDS;
    this.words[at] = key;
    this.words[at + 1] = tick;
    return FIRST_CHECK_PORT + row;
  }

  /** Slot and port of the check's socket, `slot << 16 | port`; 0: no check uses the port. */
  ownerOf(protocol: number, port: number): number {
    const base = this.base(protocol);
    return base < 0 || port < FIRST_CHECK_PORT ? 0 : this.words[base + (port - FIRST_CHECK_PORT) * WORDS]!;
  }

  private base(protocol: number): number {
    if (protocol === TCP) return 0;
    if (protocol === UDP) return ROWS * WORDS;
    return protocol === ICMP ? 2 * ROWS * WORDS : -1;
  }
}
