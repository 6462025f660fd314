/**
 * IPv4 settings of one interface (net.ipv4.conf.NAME in sysctl) by rtnetlink, which works where
 * /proc/sys may not be written: in a container, and under systemd's ProtectKernelTunables.
 *
 *     RTM_NEWLINK  ifinfomsg  IFLA_AF_SPEC { AF_INET { IFLA_INET_CONF { number: value, … } } }
 *
 * The numbers are those of linux/ip.h (IPV4_DEVCONF_*).
 */
import { check, close, recv, SystemError, send, socket } from './libc.js';

const AF_NETLINK = 16;
const AF_INET = 2;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const RTM_NEWLINK = 16;
const NLM_F_REQUEST_ACK = 5;
const IFLA_AF_SPEC = 26;
const IFLA_INET_CONF = 1;
const NESTED = 0x8000;
const ATTRIBUTE = 4;
const HEADERS = 32;
/** Of struct nlmsgerr in an answer: 0, or an errno as a negative number. */
const ERROR_AT = 16;

export const INET_CONF = { rp_filter: 8, accept_local: 23 } as const;
export type InetConf = keyof typeof INET_CONF;

/** Sets the values on an interface, all or none. Throws a SystemError. Needs CAP_NET_ADMIN. */
export function setInetConf(ifindex: number, values: Partial<Record<InetConf, number>>): void {
  const message = messageOf(ifindex, Object.entries(values) as [InetConf, number][]);
  const fd = check(socket(AF_NETLINK, SOCK_RAW_CLOEXEC, 0), 'socket');
  try {
    check(send(fd, message, message.length, 0), 'RTM_NEWLINK');
    const answer = new Uint8Array(new ArrayBuffer(1024));
    check(recv(fd, answer, answer.length, 0), 'RTM_NEWLINK');
    const error = new DataView(answer.buffer).getInt32(ERROR_AT, true);
    if (error !== 0) throw new SystemError('RTM_NEWLINK', -error);
  } finally {
    close(fd);
  }
}

function messageOf(ifindex: number, values: readonly [InetConf, number][]): Uint8Array {
  const inner = values.length * 2 * ATTRIBUTE;
  const view = new DataView(new ArrayBuffer(HEADERS + 3 * ATTRIBUTE + inner));
  view.setUint32(0, view.byteLength, true);
  view.setUint16(4, RTM_NEWLINK, true);
  view.setUint16(6, NLM_F_REQUEST_ACK, true);
  view.setInt32(20, ifindex, true);
  [IFLA_AF_SPEC, AF_INET, IFLA_INET_CONF].forEach((type, depth) => {
    const at = HEADERS + depth * ATTRIBUTE;
    attribute(view, at, view.byteLength - at, type | NESTED);
  });
  values.forEach(([name, value], i) => {
    const at = HEADERS + (3 + 2 * i) * ATTRIBUTE;
    attribute(view, at, 2 * ATTRIBUTE, INET_CONF[name]);
    view.setUint32(at + ATTRIBUTE, value, true);
  });
  return new Uint8Array(view.buffer);
}

function attribute(view: DataView, at: number, length: number, type: number): void {
  view.setUint16(at, length, true);
  view.setUint16(at + 2, type, true);
}
