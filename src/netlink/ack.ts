/**
 * NLMSG_ERROR and NLMSG_DONE: the end of an answer, and the reason of a refusal (NETLINK_EXT_ACK,
 * netlink(7)).
 */
import { Attributes } from './attribute.js';
import { NLM_F, NLMSGERR_ATTR } from './constants.js';
import { fixedPart, HOST_LITTLE, type Message } from './message.js';

const HEADER = 16;

export interface Ack {
  /** 0 for success. */
  readonly errno: number;
  /** The reason in the kernel's words; '' when it gives none. */
  readonly detail: string;
}

/**
 * Decodes struct nlmsgerr { s32 error; struct nlmsghdr; the request, unless NLM_F_CAPPED } and its
 * attributes. Throws a MalformedMessage.
 */
export function decodeError(message: Message): Ack {
  const fixed = fixedPart(message.body, 4 + HEADER, 'nlmsgerr');
  const request = message.flags & NLM_F.CAPPED ? HEADER : fixed.getUint32(4, HOST_LITTLE);
  return { errno: -fixed.getInt32(0, HOST_LITTLE), detail: detailOf(message, 4 + request) };
}

/**
 * Decodes the end of a dump: { s32 error } and attributes. Old kernels send no body. Throws a
 * MalformedMessage.
 */
export function decodeDone(message: Message): Ack {
  if (message.body.length === 0) return { errno: 0, detail: '' };
  const error = fixedPart(message.body, 4, 'NLMSG_DONE').getInt32(0, HOST_LITTLE);
  return { errno: error < 0 ? -error : 0, detail: detailOf(message, 4) };
}

function detailOf(message: Message, at: number): string {
  if ((message.flags & NLM_F.ACK_TLVS) === 0) return '';
  return new Attributes(message.body.subarray(at)).text(NLMSGERR_ATTR.MSG) ?? '';
}
