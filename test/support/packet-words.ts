/**
 * The arguments of the packet builder: addresses as text, numbers in host order. Missing fields are
 * computed or have a usual value.
 */
import type { Option } from '../../src/wire/options.js';
import type { Chunk } from '../../src/wire/sctp.js';

export interface Ipv4Words {
  src: string;
  dst: string;
  ttl?: number;
  tos?: number;
  id?: number;
  /** Default true, but false for fragments. */
  df?: boolean;
  /** More fragments. */
  mf?: boolean;
  /** Fragment offset in bytes. */
  offset?: number;
  protocol?: number;
  options?: readonly Option[];
  totalLen?: number;
  checksum?: number;
}
export interface Ipv6Words {
  src: string;
  dst: string;
  hopLimit?: number;
  trafficClass?: number;
  flowLabel?: number;
  nextHeader?: number;
  payloadLen?: number;
}
export interface TcpWords {
  sport: number;
  dport: number;
  /** Letters of FSRPAUEC. */
  flags?: string;
  seq?: number;
  ack?: number;
  window?: number;
  urgent?: number;
  options?: readonly Option[];
  checksum?: number;
}
export interface UdpWords {
  sport: number;
  dport: number;
  length?: number;
  /** 0: none. */
  checksum?: number;
}
export interface IcmpWords {
  type: number;
  code?: number;
  id?: number;
  seq?: number;
  mtu?: number;
  checksum?: number;
}
export interface ArpWords {
  op: 'request' | 'reply';
  senderMac: string;
  senderIp: string;
  targetMac?: string;
  targetIp: string;
}
export interface SctpWords {
  sport: number;
  dport: number;
  tag?: number;
  chunks?: readonly (Partial<Chunk> & { type: number })[];
  checksum?: number;
}
export interface NeighbourWords {
  target: string;
  /** Makes it an advertisement. */
  advertise?: { router?: boolean; solicited?: boolean; override?: boolean };
  mac?: string;
}
