/**
 * The flows of the mixed load, each a client of a service, and the next frame of each:
 *
 *     closed ─ SYN ─► opening ─ SYN ACK ─► answered ─ ACK ─► established ─ FIN ─► closing ─ FIN ─► last ACK ─ ACK ─►
 *        ▲                                                     │ data of both sides, RST
 *        └─────────────────────────────────────────────────────┘
 *
 * A datagram flow is established from its first packet on. Replies come from the realserver that
 * the director has chosen, as `learn` saw it in a frame that left.
 */
import type { Random } from '../../../support/seed.js';
import { anyFrame, arriving, endsOf } from '../../fastpath/traffic.js';
import { SERVICES } from './network.js';

const Phase = { closed: 0, opening: 1, answered: 2, established: 3, closing: 4, lastAck: 5 } as const;

/** A frame, and the device that receives it. */
export interface Arrival {
  readonly device: number;
  readonly bytes: Uint8Array;
}

export class Flows {
  private readonly service: Uint8Array;
  private readonly client: Uint32Array;
  private readonly port: Uint16Array;
  private readonly phase: Uint8Array;
  /** Number of the realserver in `servers` + 1; 0: not known. */
  private readonly server: Uint16Array;
  private readonly servers: { readonly address: string; readonly port: number }[] = [];
  private readonly numbers = new Map<string, number>();

  constructor(
    readonly count: number,
    private readonly random: Random,
  ) {
    this.service = new Uint8Array(count);
    this.client = new Uint32Array(count);
    this.port = new Uint16Array(count);
    this.phase = new Uint8Array(count);
    this.server = new Uint16Array(count);
  }

  /** Replaces a flow by a new one, in whatever phase it is. Returns the first frame of the new one. */
  renew(flow: number): Arrival {
    const { random } = this;
    this.service[flow] = random.below(SERVICES.length);
    // Several flows of each client: a persistent one uses its template again.
    this.client[flow] = random.below(Math.max(this.count >> 2, 1));
    this.port[flow] = 1024 + random.below(64_000);
    this.server[flow] = 0;
    this.phase[flow] = Phase.closed;
    return this.next(flow);
  }

  next(flow: number): Arrival {
    const { isUdp, replies } = SERVICES[this.service[flow]!]!;
    switch (this.phase[flow]) {
      case Phase.closed:
        return this.fromClient(flow, 'S', isUdp ? Phase.established : Phase.opening);
      case Phase.opening:
        if (!replies) return this.fromClient(flow, 'A', Phase.established);
        return this.server[flow] === 0
          ? this.fromClient(flow, 'S', Phase.opening)
          : this.fromServer(flow, 'SA', Phase.answered);
      case Phase.answered:
        return this.fromClient(flow, 'A', Phase.established);
      case Phase.established:
        return this.data(flow);
      case Phase.closing:
        return replies && this.server[flow] !== 0
          ? this.fromServer(flow, 'FA', Phase.lastAck)
          : this.fromClient(flow, 'A', Phase.closed);
      default:
        return this.fromClient(flow, 'A', Phase.closed);
    }
  }

  /** The realserver of a flow, from a frame that left because of its client's packet. */
  learn(flow: number, left: Uint8Array): void {
    const { replies } = SERVICES[this.service[flow]!]!;
    const ends = replies ? endsOf(left) : undefined;
    if (ends === undefined || ends.sport !== this.port[flow] || ends.src !== this.clientOf(flow)) return;
    const key = `${ends.dst} ${ends.dport}`;
    let number = this.numbers.get(key);
    if (number === undefined) {
      number = this.servers.push({ address: ends.dst, port: ends.dport });
      this.numbers.set(key, number);
    }
    this.server[flow] = number;
  }

  private data(flow: number): Arrival {
    const { random } = this;
    const { isUdp } = SERVICES[this.service[flow]!]!;
    const way = random.below(256);
    if (way === 0) return this.odd();
    if (way < 4 && !isUdp) return this.fromClient(flow, 'FA', Phase.closing);
    if (way === 4 && !isUdp) return this.fromClient(flow, 'R', Phase.closed);
    const flags = random.below(4) === 0 ? 'PA' : 'A';
    const length = random.below(32) === 0 ? 500 + random.below(100) : random.below(9);
    const isReply = this.server[flow] !== 0 && random.bool();
    return isReply
      ? this.fromServer(flow, flags, Phase.established, length)
      : this.fromClient(flow, flags, Phase.established, length);
  }

  /** A frame that may be anything. */
  private odd(): Arrival {
    const device = this.random.below(2);
    return { device, bytes: anyFrame(this.random, device) };
  }

  private fromClient(flow: number, flags: string, phase: number, length = 0): Arrival {
    const { vip, port } = SERVICES[this.service[flow]!]!;
    this.phase[flow] = phase;
    const ends = { src: this.clientOf(flow), dst: vip, sport: this.port[flow]!, dport: port };
    return { device: 0, bytes: this.frame(flow, 0, ends, flags, length) };
  }

  private fromServer(flow: number, flags: string, phase: number, length = 0): Arrival {
    const { address, port } = this.servers[this.server[flow]! - 1]!;
    this.phase[flow] = phase;
    const ends = { src: address, dst: this.clientOf(flow), sport: port, dport: this.port[flow]! };
    return { device: 1, bytes: this.frame(flow, 1, ends, flags, length) };
  }

  private frame(
    flow: number,
    device: number,
    { src, dst, sport, dport }: { src: string; dst: string; sport: number; dport: number },
    flags: string,
    length: number,
  ): Uint8Array {
    const { random } = this;
    const { family, isUdp } = SERVICES[this.service[flow]!]!;
    const eth = arriving(device);
    const ttl = random.below(64) === 0 ? 1 + random.below(2) : 64;
    const ip =
      family === 4
        ? eth.ipv4({ src, dst, ttl, df: random.below(8) !== 0, tos: random.u8(), id: random.u16() })
        : eth.ipv6({ src, dst, hopLimit: ttl, trafficClass: random.u8() });
    const noSum = family === 4 && random.below(16) === 0;
    const transport = isUdp
      ? ip.udp({ sport, dport, ...(noSum ? { checksum: 0 } : {}) })
      : ip.tcp({ sport, dport, flags, seq: random.u32() });
    return transport.payload(new Uint8Array(length)).bytes();
  }

  private clientOf(flow: number): string {
    const client = this.client[flow]!;
    const { family } = SERVICES[this.service[flow]!]!;
    if (family === 6) return `2001:db8:c::${(client >>> 16) + 1}:${(client & 0xffff).toString(16) || 0}`;
    return `11.${client >>> 16}.${(client >>> 8) & 255}.${client & 255}`;
  }
}
