/** Generic netlink requests as bytes, and their answers taken apart, for the tests of exec. */
import os from 'node:os';
import type { AdminClient } from '../../src/control/api/api.js';
import { IPVS_FAMILY_ID } from '../../src/exec/genl/constants.js';
import { type Peer, serveDatagram } from '../../src/exec/genl/datagram.js';
import { Attributes, encodeAttribute, encodeU32 } from '../../src/netlink/attribute.js';
import { NLM_F, NLMSG } from '../../src/netlink/constants.js';
import { encodeMessage, joinAligned, messages } from '../../src/netlink/message.js';

export const PEER: Peer = { portId: 4711, extendedAck: true, cappedAck: false };

export const hex = (text: string) => Uint8Array.from(Buffer.from(text.replace(/\s/g, ''), 'hex'));
export const u16 = (type: number, value: number) => encodeAttribute(type, Uint8Array.of(value, value >>> 8));
export const be16 = (type: number, value: number) => encodeAttribute(type, Uint8Array.of(value >>> 8, value));
export const text = (type: number, value: string) => encodeAttribute(type, Buffer.from(`${value}\0`));
export const nest = (type: number, ...parts: Uint8Array[]) => encodeAttribute(type, joinAligned(parts));
export { encodeAttribute as attribute, encodeU32 as u32 };

/** A request of family IPVS. */
export function request(command: number, flags: number, ...attributes: Uint8Array[]): Uint8Array {
  const body = joinAligned([Uint8Array.of(command, 1, 0, 0), ...attributes]);
  return encodeMessage(IPVS_FAMILY_ID, NLM_F.REQUEST | flags, 7, body);
}

/** What came back: 'ACK', 'DONE', an errno with its text, or a message's command and attributes. */
export type Reply = string | { command: number; attributes: Attributes };

export async function ask(client: AdminClient, bytes: Uint8Array, peer = PEER): Promise<Reply[]> {
  const datagrams = await serveDatagram(bytes, peer, client);
  return datagrams
    .flatMap((datagram) => [...messages(datagram)])
    .map(({ type, flags, body }) => {
      if (type === NLMSG.DONE) return 'DONE';
      if (type !== NLMSG.ERROR) return { command: body[0]!, attributes: new Attributes(body.subarray(4)) };
      const errno = -Buffer.from(body).readInt32LE(0);
      if (errno === 0) return 'ACK';
      const name = Object.entries(os.constants.errno).find(([, value]) => value === errno)![0];
      const request = (flags & NLM_F.CAPPED) !== 0 ? 16 : Buffer.from(body).readUInt32LE(4);
      const tlvs = new Attributes(body.subarray(4 + ((request + 3) & ~3)));
      return (flags & NLM_F.ACK_TLVS) !== 0 ? `${name}: ${tlvs.text(1)}` : name;
    });
}
