/**
 * Serves one datagram of a generic netlink socket, as the kernel does (netlink_rcv_skb,
 * genl_rcv_msg, netlink_ack): requests in, datagrams out. An error is a message NLMSG_ERROR always,
 * never the errno of the send.
 *
 *   datagram ─► message ─► type 16:   controller.ts ─┐
 *                     └──► type IPVS: commands.ts   ─┴─► answers ─► datagrams of at most 8000 bytes,
 *                                                        NLMSG_DONE after a dump, else an ACK
 */
import { NLM_F, NLMSG, NLMSGERR_ATTR } from '../../netlink/constants.js';
import { align, encodeMessage, HOST_LITTLE, joinAligned, type Message, viewOf } from '../../netlink/message.js';
import type { ProgramClient } from '../ask.js';
import { Refusal } from '../refusal.js';
import { type Answer, perform } from './commands.js';
import { GENL_ID_CTRL, IPVS_FAMILY_ID, IPVS_GENL_VERSION } from './constants.js';
import { control } from './controller.js';
import { encoded } from './encode.js';

/** A socket's port id, and options of netlink(7) that shape its ACKs. */
export interface Peer {
  readonly portId: number;
  /** NETLINK_EXT_ACK: texts of refusals are wanted. */
  readonly extendedAck: boolean;
  /** NETLINK_CAP_ACK: a refusal does not repeat the request. */
  readonly cappedAck: boolean;
}

const HEADER = 16;
const GENL_HEADER = 4;
/** The first message type that is not a control message. */
const NLMSG_MIN_TYPE = 16;
const CONTROLLER_VERSION = 2;
/**
 * Bytes. A whole message is never longer, and the smallest receive buffers hold such a datagram.
 */
const DATAGRAM = 8000;

/** A request: the message, and its bytes with the header. */
interface Request {
  readonly message: Message;
  readonly whole: Uint8Array;
}

/** The datagrams that answer the requests in `bytes`, in order. */
export async function serveDatagram(bytes: Uint8Array, peer: Peer, client: ProgramClient): Promise<Uint8Array[]> {
  const answers: Uint8Array[] = [];
  for (const request of requestsIn(bytes)) answers.push(...(await serveRequest(request, peer, client)));
  return answers;
}

/** Ends at the first message whose length is wrong, as the kernel does. */
function* requestsIn(bytes: Uint8Array): Generator<Request> {
  for (let at = 0; bytes.length - at >= HEADER; ) {
    const view = viewOf(bytes.subarray(at));
    const len = view.getUint32(0, HOST_LITTLE);
    if (len < HEADER || len > bytes.length - at) return;
    const whole = bytes.subarray(at, at + len);
    yield { whole, message: { ...header(view), body: whole.subarray(HEADER) } };
    at += align(len);
  }
}

function header(view: DataView): Omit<Message, 'body'> {
  return {
    type: view.getUint16(4, HOST_LITTLE),
    flags: view.getUint16(6, HOST_LITTLE),
    seq: view.getUint32(8, HOST_LITTLE),
    portId: view.getUint32(12, HOST_LITTLE),
  };
}

async function serveRequest(request: Request, peer: Peer, client: ProgramClient): Promise<Uint8Array[]> {
  const { type, flags } = request.message;
  const wantsAck = (flags & NLM_F.ACK) !== 0;
  const isRequest = (flags & NLM_F.REQUEST) !== 0 && type >= NLMSG_MIN_TYPE;
  if (!isRequest) return wantsAck ? [ack(request, peer, undefined)] : [];
  const dump = (flags & NLM_F.DUMP) === NLM_F.DUMP;
  try {
    const answers = await answerTo(request.message, dump, client);
    const messages = encodeAnswers(request.message, answers, dump, peer.portId);
    if (dump) return [...packed(messages), done(request.message, peer.portId)];
    return [...packed(messages), ...(wantsAck ? [ack(request, peer, undefined)] : [])];
  } catch (error) {
    if (error instanceof Refusal) return [ack(request, peer, error)];
    throw error;
  }
}

async function answerTo({ type, body }: Message, dump: boolean, client: ProgramClient): Promise<Answer[]> {
  if (type !== GENL_ID_CTRL && type !== IPVS_FAMILY_ID) throw new Refusal('ENOENT');
  if (body.length < GENL_HEADER) throw new Refusal('EINVAL');
  const [command, attributes] = [body[0]!, body.subarray(GENL_HEADER)];
  return type === GENL_ID_CTRL ? control(command, attributes, dump) : perform(command, attributes, dump, client);
}

function encodeAnswers(
  { type, seq }: Message,
  answers: readonly Answer[],
  dump: boolean,
  portId: number,
): Uint8Array[] {
  const version = type === GENL_ID_CTRL ? CONTROLLER_VERSION : IPVS_GENL_VERSION;
  return answers.map(({ command, body }) =>
    addressed(type, dump ? NLM_F.MULTI : 0, seq, portId, joinAligned([Uint8Array.of(command, version, 0, 0), body])),
  );
}

/** Messages of a dump share datagrams. */
function packed(messages: readonly Uint8Array[]): Uint8Array[] {
  const datagrams: Uint8Array[][] = [];
  let size = DATAGRAM;
  for (const message of messages) {
    if (size + message.length > DATAGRAM) {
      datagrams.push([]);
      size = 0;
    }
    datagrams.at(-1)!.push(message);
    size += message.length;
  }
  return datagrams.map((parts) => Buffer.concat(parts));
}

function done({ seq }: Message, portId: number): Uint8Array {
  return addressed(NLMSG.DONE, NLM_F.MULTI, seq, portId, new Uint8Array(4));
}

/** NLMSG_ERROR: 0 or a negative errno, the request or its header, the text of a refusal. */
function ack({ message, whole }: Request, peer: Peer, refusal: Refusal | undefined): Uint8Array {
  const isCapped = refusal === undefined || peer.cappedAck;
  const reason = refusal !== undefined && peer.extendedAck ? refusal.text : '';
  const error = new Uint8Array(4);
  viewOf(error).setInt32(0, refusal === undefined ? 0 : -refusal.errno, HOST_LITTLE);
  const parts = [error, isCapped ? whole.subarray(0, HEADER) : whole];
  if (reason !== '') parts.push(encoded((to) => to.text(NLMSGERR_ATTR.MSG, reason)));
  const flags = (isCapped ? NLM_F.CAPPED : 0) | (reason === '' ? 0 : NLM_F.ACK_TLVS);
  return addressed(NLMSG.ERROR, flags, message.seq, peer.portId, joinAligned(parts));
}

function addressed(type: number, flags: number, seq: number, portId: number, body: Uint8Array): Uint8Array {
  const bytes = encodeMessage(type, flags, seq, body);
  viewOf(bytes).setUint32(12, portId, HOST_LITTLE);
  return bytes;
}
