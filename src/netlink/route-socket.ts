/** RouteSocket: synchronous requests to the routing of the kernel. */
import os from 'node:os';
import * as libc from '../sys/libc.js';
import { type Ack, decodeDone, decodeError } from './ack.js';
import { encodeAddressDump } from './address.js';
import { type Change, decodeChange, getType, type Kind, type Records } from './change.js';
import { NLM_F, NLMSG, RTM } from './constants.js';
import { NetlinkError } from './error.js';
import type { Family } from './inet.js';
import { encodeLinkDump } from './link.js';
import { encodeMessage, type Message, messages } from './message.js';
import {
  encodeNeighbourDelete,
  encodeNeighbourDump,
  encodeNeighbourSet,
  encodeNeighbourUse,
  type NeighbourState,
} from './neighbour.js';
import { encodeRouteDump } from './route.js';
import { encodeRuleDump } from './rule.js';
import { DATAGRAM_SIZE, openRequestSocket, receive } from './socket.js';

const { EAGAIN } = os.constants.errno;
const DUMP_TRIES = 10;
const FAMILIES: readonly Family[] = [4, 6];
const DUMPS: Record<Kind, () => Uint8Array[]> = {
  link: () => [encodeLinkDump()],
  address: () => FAMILIES.map(encodeAddressDump),
  route: () => FAMILIES.map(encodeRouteDump),
  rule: () => FAMILIES.map(encodeRuleDump),
  neighbour: () => FAMILIES.map(encodeNeighbourDump),
};

/**
 * Synchronous requests to the routing of the kernel, for the control thread, never for the packet
 * path. The socket works on the network namespace in which the calling thread has created it. The
 * methods throw a NetlinkError when the kernel refuses, and a MalformedMessage when its answer is
 * malformed.
 */
export class RouteSocket {
  readonly #fd = openRequestSocket();
  readonly #buffer = new Uint8Array(DATAGRAM_SIZE);
  #seq = 0;

  /**
   * All records of a kind: IPv4 before IPv6, in the order of the kernel. Routes are those of all
   * tables, without cached ones.
   */
  dump<K extends Kind>(kind: K): Records[K][] {
    return DUMPS[kind]()
      .flatMap((body) => this.#dump(kind, body))
      .filter((change) => change.kind === kind && !(change.kind === 'route' && change.record.cached))
      .map((change) => change.record as Records[K]);
  }

  /**
   * Makes the kernel resolve or confirm the MAC address of a neighbour. The monitor reports the
   * result.
   */
  useNeighbour(ifindex: number, ip: string): void {
    this.#request(`use neighbour ${ip}`, RTM.NEWNEIGH, NLM_F.CREATE, encodeNeighbourUse(ifindex, ip));
  }

  /** Adds or changes a neighbour entry. */
  setNeighbour(ifindex: number, ip: string, mac: string, state: NeighbourState = 'PERMANENT'): void {
    const body = encodeNeighbourSet(ifindex, ip, mac, state);
    this.#request(`set neighbour ${ip}`, RTM.NEWNEIGH, NLM_F.CREATE | NLM_F.REPLACE, body);
  }

  /** Removes a neighbour entry. */
  deleteNeighbour(ifindex: number, ip: string): void {
    this.#request(`delete neighbour ${ip}`, RTM.DELNEIGH, 0, encodeNeighbourDelete(ifindex, ip));
  }

  close(): void {
    libc.close(this.#fd);
  }

  /**
   * Dumps one family. Repeats a dump that a change has interrupted, because it may lack records.
   */
  #dump(kind: Kind, body: Uint8Array): Change[] {
    const call = `dump of ${kind}s`;
    for (let i = 0; i < DUMP_TRIES; i++) {
      const answers = this.#request(call, getType(kind), NLM_F.DUMP, body);
      if (answers.some((message) => message.flags & NLM_F.DUMP_INTR)) continue;
      return answers.map(decodeChange).filter((change) => change !== undefined);
    }
    throw new NetlinkError(call, EAGAIN, `it changed ${DUMP_TRIES} times while it was read`);
  }

  /** Sends a request. Returns the messages of the answer, up to the acknowledgement. */
  #request(call: string, type: number, flags: number, body: Uint8Array): Message[] {
    this.#seq = (this.#seq + 1) >>> 0;
    // A dump ends with NLMSG_DONE. Its two flag bits are REPLACE and EXCL in other requests.
    const acknowledged = flags === NLM_F.DUMP ? flags : flags | NLM_F.ACK;
    const bytes = encodeMessage(type, NLM_F.REQUEST | acknowledged, this.#seq, body);
    libc.check(libc.send(this.#fd, bytes, bytes.length, 0), call);
    return this.#answers(call);
  }

  #answers(call: string): Message[] {
    const answers: Message[] = [];
    for (;;) {
      const datagram = receive(this.#fd, this.#buffer, 0);
      if (datagram === undefined) throw new NetlinkError(call, EAGAIN, 'the kernel did not answer');
      // Messages are views into the copy, so the buffer can be used again.
      for (const message of messages(datagram.slice())) {
        // A rest of an earlier request that failed.
        if (message.seq !== this.#seq) continue;
        const ack = ackOf(message);
        if (ack === undefined) answers.push(message);
        else if (ack.errno !== 0) throw new NetlinkError(call, ack.errno, ack.detail);
        // A flag on the end of a dump is for the whole dump.
        else return [...answers, message];
      }
    }
  }
}

function ackOf(message: Message): Ack | undefined {
  if (message.type === NLMSG.ERROR) return decodeError(message);
  return message.type === NLMSG.DONE ? decodeDone(message) : undefined;
}
