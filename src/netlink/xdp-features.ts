/**
 * What an interface can do with XDP (generic netlink, family "netdev", Linux 6.3; enum
 * netdev_xdp_act of linux/netdev.h).
 *
 *     CTRL_CMD_GETFAMILY "netdev" ─► its number ─► NETDEV_CMD_DEV_GET ifindex ─► bits
 */
import * as libc from '../sys/libc.js';
import { Attributes, encodeAttribute, encodeU32 } from './attribute.js';
import { NETLINK_GENERIC, NLM_F } from './constants.js';
import { encodeMessage, HOST_LITTLE, joinAligned, type Message, messages, viewOf } from './message.js';
import { DATAGRAM_SIZE, openRequestSocket, receive } from './socket.js';

const GENL_ID_CTRL = 0x10;
const CTRL_CMD_GETFAMILY = 3;
const CTRL_ATTR = { familyId: 1, familyName: 2 } as const;
const NETDEV_CMD_DEV_GET = 1;
const NETDEV_A_DEV = { ifindex: 1, xdpFeatures: 3 } as const;
/** Bytes of struct genlmsghdr: command, version, unused. */
const GENL_HEADER = 4;

/** The interface takes frames that a program redirects to it (NETDEV_XDP_ACT_NDO_XMIT). */
const XMIT = 1 << 2;

/** True when frames can be redirected to the interface. Before Linux 6.3 nobody can tell: false. */
export function takesRedirected(ifindex: number): boolean {
  return inSocket((fd) => {
    const id = familyId(fd);
    const device = id && ask(fd, id, NETDEV_CMD_DEV_GET, encodeU32(NETDEV_A_DEV.ifindex, ifindex));
    const features = device ? device.bytes(NETDEV_A_DEV.xdpFeatures) : undefined;
    return features !== undefined && (viewOf(features).getUint32(HOST_LITTLE ? 0 : 4, HOST_LITTLE) & XMIT) !== 0;
  });
}

/** True when the kernel can say which interfaces take redirected frames: Linux 6.3 and later. */
export function tellsRedirected(): boolean {
  return inSocket((fd) => familyId(fd) !== undefined);
}

function inSocket<T>(ask: (fd: number) => T): T {
  const fd = openRequestSocket(NETLINK_GENERIC);
  try {
    return ask(fd);
  } finally {
    libc.close(fd);
  }
}

/** Number of the family "netdev"; undefined: the kernel does not have it. */
function familyId(fd: number): number | undefined {
  const family = ask(fd, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, encodeAttribute(CTRL_ATTR.familyName, text('netdev')));
  return family?.u16(CTRL_ATTR.familyId);
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(`${value}\0`);
}

/** The attributes of the answer; undefined when the kernel refuses. */
function ask(fd: number, type: number, command: number, attribute: Uint8Array): Attributes | undefined {
  const body = joinAligned([Uint8Array.of(command, 1, 0, 0), attribute]);
  const request = encodeMessage(type, NLM_F.REQUEST, 1, body);
  libc.check(libc.send(fd, request, request.length, 0), 'send(AF_NETLINK)');
  const answer = firstOf(receive(fd, new Uint8Array(DATAGRAM_SIZE), 0));
  return answer?.type === type ? new Attributes(answer.body.subarray(GENL_HEADER)) : undefined;
}

function firstOf(datagram: Uint8Array | undefined): Message | undefined {
  return datagram && [...messages(datagram)][0];
}
